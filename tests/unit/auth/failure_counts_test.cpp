#include <rotary/auth/failure_counts.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace rotary::auth {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart = SteadyTime(1h);

TEST(FailureCountsTest, OneMoreThanTheMostInAMinuteIsOneTooMany) {
    FailureCounts counts;
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + i * 10s), kStart + i * 10s) << i;
    }
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 30s), kStart + 60s) << "the fourth";
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 60s - 1ns), kStart + 60s);
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 60s), kStart + 60s) << "a new minute's first";
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 61s), kStart + 61s);
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 62s), kStart + 62s);
    EXPECT_EQ(counts.fail("10.0.0.1", 3, kStart + 63s), kStart + 120s);
}

TEST(FailureCountsTest, ASuccessForgetsThem) {
    FailureCounts counts;
    counts.succeed("10.0.0.1");
    EXPECT_EQ(counts.fail("10.0.0.1", 1, kStart), kStart);
    counts.succeed("10.0.0.2");
    EXPECT_EQ(counts.fail("10.0.0.1", 1, kStart), kStart + 60s);
    counts.succeed("10.0.0.1");
    EXPECT_EQ(counts.size(), 0U);
    EXPECT_EQ(counts.fail("10.0.0.1", 1, kStart + 1s), kStart + 1s);
}

TEST(FailureCountsTest, WhichAddressesCountAsOne) {
    struct Row {
        const char* name;
        const char* first;
        const char* second;
        bool is_one;
    };
    const Row rows[] = {
        {"the same", "10.0.0.1", "10.0.0.1", true},
        {"another", "10.0.0.1", "10.0.0.2", false},
        {"IPv4 by a socket of both", "10.0.0.1", "::ffff:10.0.0.1", true},
        {"hosts of one network of IPv6", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
        {"two networks of IPv6", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"IPv6 whose half is an IPv4 address", "10.0.0.1", "0:0:a00:1::", false},
    };
    for (const Row& row : rows) {
        FailureCounts counts;
        counts.fail(row.first, 1, kStart);
        const bool is_one = counts.fail(row.second, 1, kStart) > kStart;
        EXPECT_EQ(is_one, row.is_one) << row.name;
    }
}

TEST(FailureCountsTest, MoreAddressesThanHaveRoomForgetEachOtherAndNotTheWorst) {
    FailureCounts counts;
    for (int i = 0; i < 50; ++i) counts.fail("192.0.2.1", 10, kStart);
    for (int i = 0; i < 100'000; ++i) {
        const std::string address = "10." + std::to_string(i >> 16) + '.' +
                                    std::to_string(i >> 8 & 255) + '.' + std::to_string(i & 255);
        ASSERT_EQ(counts.fail(address, 10, kStart), kStart);
    }
    EXPECT_LE(counts.size(), 4096U);
    EXPECT_EQ(counts.fail("192.0.2.1", 10, kStart), kStart + 60s);
    counts.fail("10.0.0.1", 10, kStart + 2min);
    EXPECT_LE(counts.size(), 4096U);
}

TEST(FailureCountsTest, OfNoneNoneIsAllowed) {
    FailureCounts counts;
    EXPECT_EQ(counts.fail("10.0.0.1", 0, kStart), kStart + 60s);
}

}  // namespace
}  // namespace rotary::auth
