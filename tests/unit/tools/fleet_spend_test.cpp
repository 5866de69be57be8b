#include "tools/fleet_spend.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace rotary::tools {
namespace {

TEST(FleetSpend, IsAskedForOfTheDaysThatAreKept) {
    constexpr std::int64_t kToday = 1000;
    constexpr std::int64_t kKept = 62;
    struct Row {
        const char* name;
        Days asked;
        Days kept;
    };
    const Row rows[] = {
        {"all", {-1'000'000, 1'000'000}, {939, 1001}},
        {"the first that is kept", {939, 939}, {939, 939}},
        {"the one before", {938, 938}, {939, 938}},
        {"today", {1000, 1000}, {1000, 1000}},
        {"tomorrow, by a replica's clock", {1001, 1001}, {1001, 1001}},
        {"later", {1002, 1003}, {1002, 1001}},
    };
    for (const Row& row : rows) {
        const Days kept = kept_of(row.asked, kToday, kKept);
        EXPECT_EQ(kept.first, row.kept.first) << row.name;
        EXPECT_EQ(kept.last, row.kept.last) << row.name;
    }
    EXPECT_EQ(kept_of({0, 2000}, kToday, 1).first, kToday);
}

}  // namespace
}  // namespace rotary::tools
