#include "net/rest_of.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace rotary::net {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(RestOfPieces, BeginsBehindWhatIsDone) {
    struct Row {
        const char* name;
        Pieces pieces;
        std::size_t done;
        Pieces rest;
    };
    const Row rows[] = {
        {"nothing at all", {}, 0, {}},
        {"nothing done", {"ab", "c"}, 0, {"ab", "c"}},
        {"a part of the first", {"ab", "c"}, 1, {"b", "c"}},
        {"the first", {"ab", "c"}, 2, {"c"}},
        {"a part of the second", {"ab", "cd"}, 3, {"d"}},
        {"all", {"ab", "c"}, 3, {}},
        {"empty ones are passed over", {"", "ab", "", "c", ""}, 2, {"c"}},
        {"empty ones before it too", {"", "", "a"}, 0, {"a"}},
        {"no more than there is room for", {"a", "b", "c", "d"}, 0, {"a", "b", "c"}},
        {"room is for what is left", {"a", "b", "c", "d"}, 1, {"b", "c", "d"}},
    };
    for (const Row& row : rows) {
        std::array<std::string_view, 3> room;
        const std::size_t count = rest_of(row.pieces, row.done, room);
        EXPECT_EQ(Pieces(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(count)), row.rest)
            << row.name;
    }
}

}  // namespace
}  // namespace rotary::net
