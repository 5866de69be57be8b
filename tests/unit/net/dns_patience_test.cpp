#include "net/dns_patience.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace rotary::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr SteadyTime kNow{1000s};

TEST(DnsPatience, LetsTheLastTryOfOneServerEndInTime) {
    struct Row {
        const char* name;
        milliseconds patience;
        milliseconds first;
    };
    const Row rows[] = {
        {"the default", 5000ms, 714ms},
        {"shares that are whole", 7000ms, 1000ms},
        {"next to nothing", 3ms, 1ms},
        {"nothing", 0ms, 1ms},
        {"an hour", 1h, 514285ms},
        {"more than c-ares can count", 24h * 365, milliseconds(1 << 24)},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        milliseconds each = first_try(row.patience);
        EXPECT_EQ(each, row.first);
        milliseconds all{0};
        for (int i = 0; i < kDnsTries; ++i, each *= 2) all += each;
        if (row.patience >= 7ms) {
            EXPECT_LE(all, row.patience);
        }
    }
}

TEST(DnsPatience, SleepsUntilSomethingMustBeDone) {
    struct Row {
        const char* name;
        SteadyTime::duration deadline;
        std::optional<timeval> next;
        int wait;
    };
    const Row rows[] = {
        {"the deadline alone", 250ms, {}, 250},
        {"a part of a millisecond is a whole one", 250ms + 1ns, {}, 251},
        {"a deadline that is over", -5ms, {}, 0},
        {"now", 0ms, {}, 0},
        {"c-ares before it", 250ms, timeval{0, 100'000}, 101},
        {"c-ares behind it", 250ms, timeval{1, 0}, 250},
        {"c-ares in seconds", 1h, timeval{2, 500'999}, 2501},
        {"c-ares at once", 250ms, timeval{0, 0}, 1},
        {"both over", -1ms, timeval{0, 0}, 0},
    };
    for (const Row& row : rows) {
        const timeval* const next = row.next ? &*row.next : nullptr;
        EXPECT_EQ(wait_until(kNow + row.deadline, next, kNow), row.wait) << row.name;
    }
}

}  // namespace
}  // namespace rotary::net
