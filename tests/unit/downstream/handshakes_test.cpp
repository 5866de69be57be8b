#include <rotary/downstream/handshakes.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace rotary::downstream {
namespace {

// The labels of a metric: those who watch it know them.
TEST(HandshakeEnd, EachHasANameOfItsOwn) {
    struct Row {
        HandshakeEnd end;
        std::string_view name;
    };
    const Row rows[] = {
        {HandshakeEnd::closed, "closed"},
        {HandshakeEnd::timeout, "timeout"},
        {HandshakeEnd::plain_http, "plain_http"},
        {HandshakeEnd::refused, "refused"},
    };
    std::set<std::string_view> names;
    for (const Row& row : rows) {
        EXPECT_EQ(to_string(row.end), row.name);
        names.insert(to_string(row.end));
    }
    EXPECT_EQ(names.size(), kHandshakeEnds);
}

}  // namespace
}  // namespace rotary::downstream
