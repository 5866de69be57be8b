// Which address a dial tries next, for how long, and which failure counts in the end.
#include "net/dial_plan.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::net {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000s};

Addresses some(std::size_t count) {
    Addresses addresses;
    for (std::size_t i = 0; i < count; ++i) {
        const auto last = static_cast<unsigned char>(i + 1);
        addresses.emplace_back(boost::asio::ip::address_v4({192, 0, 2, last}), std::uint16_t{0});
    }
    return addresses;
}

const Fault kRefused = Fault::upstream(FaultKind::upstream_connect_failed, "connection refused");
const Fault kSilent = Fault::upstream(FaultKind::upstream_timeout, "connect timed out");
const Fault kOurWant{FaultKind::overloaded, Origin::internal, Retry::next_entry,
                     "out of local ports"};
const Fault kClientGone = Fault::client(FaultKind::client_gone, "client hung up");
const Fault kDraining = Fault::internal(FaultKind::draining, "connecting cancelled");

TEST(DialPlan, TriesTheAddressesInTheirOrderAtThePort) {
    const Addresses addresses = some(3);
    DialPlan plan(addresses, 443, kStart + 30s);
    std::vector<std::string> tried;
    while (const auto next = plan.next(kStart)) {
        EXPECT_EQ(next->address.port(), 443);
        tried.push_back(next->address.address().to_string());
        plan.failed(kRefused, kStart);
    }
    EXPECT_EQ(tried, (std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"}));
    EXPECT_FALSE(plan.next(kStart));
}

TEST(DialPlan, LeavesTimeForThoseBehind) {
    struct Row {
        const char* name;
        std::size_t addresses;
        std::chrono::milliseconds budget;
        std::vector<std::chrono::milliseconds> ends;  // of each try, each used up
    };
    const Row rows[] = {
        {"one has all of it", 1, 5000ms, {5000ms}},
        {"two share it", 2, 5000ms, {2500ms, 5000ms}},
        {"three share it", 3, 6000ms, {2000ms, 4000ms, 6000ms}},
        {"a second is the least for one", 3, 2100ms, {1000ms, 2000ms, 2100ms}},
        {"of less than a second the first has all", 3, 800ms, {800ms}},
        {"no time", 2, 0ms, {0ms}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Addresses addresses = some(row.addresses);
        DialPlan plan(addresses, 1, kStart + row.budget);
        SteadyTime now = kStart;
        std::vector<std::chrono::milliseconds> ends;
        while (const auto next = plan.next(now)) {
            now = next->deadline;
            ends.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - kStart));
            plan.failed(kSilent, now);
        }
        EXPECT_EQ(ends, row.ends);
    }
}

TEST(DialPlan, TimeThatIsLeftOverIsTheOthers) {
    const Addresses addresses = some(3);
    DialPlan plan(addresses, 1, kStart + 9s);
    EXPECT_EQ(plan.next(kStart)->deadline, kStart + 3s);
    plan.failed(kRefused, kStart);
    EXPECT_EQ(plan.next(kStart)->deadline, kStart + 4500ms);
    plan.failed(kRefused, kStart + 1s);
    EXPECT_EQ(plan.next(kStart + 1s)->deadline, kStart + 9s);
}

TEST(DialPlan, BlamesWhoIsToBlame) {
    struct Row {
        const char* name;
        std::vector<Fault> faults;
        const char* counts;
        std::size_t tries;
    };
    const Row rows[] = {
        {"the only one", {kRefused}, "connection refused", 1},
        {"the last of the provider's", {kRefused, kSilent}, "connect timed out", 2},
        {"the last of them, the other way", {kSilent, kRefused}, "connection refused", 2},
        {"ours alone", {kOurWant, kOurWant}, "out of local ports", 2},
        {"the provider's before ours", {kOurWant, kRefused}, "connection refused", 2},
        {"the provider's, ours behind it", {kRefused, kOurWant}, "connection refused", 2},
        {"of three the provider's last", {kRefused, kOurWant, kSilent}, "connect timed out", 3},
        {"a client that goes ends it", {kRefused, kClientGone, kRefused}, "client hung up", 2},
        {"so does a drain", {kDraining, kRefused}, "connecting cancelled", 1},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Addresses addresses = some(row.faults.size());
        DialPlan plan(addresses, 1, kStart + 30s);
        std::size_t tries = 0;
        while (plan.next(kStart)) plan.failed(row.faults.at(tries++), kStart);
        EXPECT_EQ(tries, row.tries);
        EXPECT_STREQ(plan.fault().detail, row.counts);
    }
}

TEST(DialPlan, EndsWithItsTime) {
    const Addresses addresses = some(3);
    DialPlan plan(addresses, 1, kStart + 5s);
    ASSERT_TRUE(plan.next(kStart));
    plan.failed(kRefused, kStart + 5s - 1ns);
    ASSERT_TRUE(plan.next(kStart + 5s - 1ns));
    plan.failed(kSilent, kStart + 5s);
    EXPECT_FALSE(plan.next(kStart + 5s));
    EXPECT_EQ(plan.fault().kind, FaultKind::upstream_timeout);
}

}  // namespace
}  // namespace rotary::net
