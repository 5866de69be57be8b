#include "control/health_count.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

namespace rotary::control {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr SteadyTime kStart{1000s};

HealthTarget target_of(unsigned unhealthy_threshold, unsigned healthy_threshold) {
    HealthTarget target;
    target.backend = "b";
    target.host = "127.0.0.1";
    target.port = 9;
    target.interval = 10s;
    target.unhealthy_threshold = unhealthy_threshold;
    target.healthy_threshold = healthy_threshold;
    target.state = std::make_shared<rotation::BackendState>();
    return target;
}

struct CountRow {
    const char* name;
    unsigned unhealthy_threshold;
    unsigned healthy_threshold;
    bool healthy;          // at the start
    std::string checks;    // '+' passed, '-' failed
    std::string becoming;  // after each: 'u' up, 'd' down, '.' as it was
};

void PrintTo(const CountRow& row, std::ostream* out) { *out << row.name; }

class HealthCountTest : public testing::TestWithParam<CountRow> {};

TEST_P(HealthCountTest, TurnsWhenEnoughInARowSaySo) {
    const CountRow& row = GetParam();
    HealthCount count(target_of(row.unhealthy_threshold, row.healthy_threshold));
    bool healthy = row.healthy;
    std::string becoming;
    for (const char check : row.checks) {
        const HealthTurn turn = check == '+' ? count.passed(healthy) : count.failed(healthy);
        becoming.push_back(turn == HealthTurn::up ? 'u' : turn == HealthTurn::down ? 'd' : '.');
        if (turn != HealthTurn::none) healthy = turn == HealthTurn::up;
    }
    EXPECT_EQ(becoming, row.becoming);
}

INSTANTIATE_TEST_SUITE_P(
    Counts, HealthCountTest,
    testing::Values(CountRow{"fine for good", 2, 2, true, "+++++", "....."},
                    CountRow{"one failure is none", 2, 2, true, "-+-+-", "....."},
                    CountRow{"the second in a row takes it out", 2, 2, true, "+--", "..d"},
                    CountRow{"and no further one", 2, 2, true, "------", ".d...."},
                    CountRow{"back after two", 2, 2, true, "--++", ".d.u"},
                    CountRow{"a failure between counts anew", 2, 2, true, "--+-++", ".d...u"},
                    CountRow{"one is enough", 1, 1, true, "-+-+", "dudu"},
                    CountRow{"three to take out", 3, 1, true, "--+---+", ".....du"},
                    CountRow{"three to bring back", 1, 3, true, "-++-+++", "d.....u"},
                    CountRow{"out at the start, as a reload found it", 2, 2, false, "++", ".u"},
                    CountRow{"out at the start and failing", 2, 2, false, "---", "..."},
                    CountRow{"passes before it was out do not count", 1, 2, true, "++-+", "..d."}),
    [](const auto& row) { return "Row" + std::to_string(row.index); });

TEST(HealthCount, SaysHowManyFailedInARow) {
    HealthCount count(target_of(2, 2));
    EXPECT_EQ(count.failures(), 0U);
    count.failed(true);
    count.failed(true);
    EXPECT_EQ(count.failures(), 2U);
    count.passed(false);
    EXPECT_EQ(count.failures(), 0U);
}

TEST(HealthTimes, TheNextCheckBeginsAnIntervalAfterTheLast) {
    struct Row {
        const char* name;
        SteadyTime::duration took;
        SteadyTime::duration next;
    };
    const Row rows[] = {{"at once", 0s, 10s},
                        {"some seconds", 3s, 10s},
                        {"as long as the interval", 10s, 10s},
                        {"longer: no check is made up for", 27s, 27s}};
    for (const Row& row : rows) {
        EXPECT_EQ(next_check(kStart, 10s, kStart + row.took), kStart + row.next) << row.name;
    }
}

TEST(HealthTimes, EachAddressHasItsShareOfWhatIsLeft) {
    struct Row {
        const char* name;
        SteadyTime::duration left;
        std::size_t addresses;
        SteadyTime::duration share;
    };
    const Row rows[] = {{"the only one has all", 1000ms, 1, 1000ms},
                        {"four share", 1000ms, 4, 250ms},
                        {"the last of them has the rest", 700ms, 1, 700ms},
                        {"no address", 1000ms, 0, 0ms},
                        {"no time", 0ms, 3, 0ms},
                        {"too late", -5ms, 3, 0ms}};
    for (const Row& row : rows) {
        EXPECT_EQ(share_of_time(kStart + row.left, kStart, row.addresses), row.share) << row.name;
    }
}

TEST(HealthTimes, EntriesMayBeBackWhenEnoughChecksHaveHadTheirTime) {
    EXPECT_EQ(expected_back(target_of(2, 1), kStart), kStart + 10s);
    EXPECT_EQ(expected_back(target_of(2, 3), kStart), kStart + 30s);
}

TEST(HealthErrors, WhatThisProcessLacksSaysNothingOfTheBackend) {
    struct Row {
        int error;
        bool ours;
    };
    const Row rows[] = {{EMFILE, true},
                        {ENFILE, true},
                        {ENOBUFS, true},
                        {ENOMEM, true},
                        {EADDRNOTAVAIL, true},
                        {ECONNREFUSED, false},
                        {EHOSTUNREACH, false},
                        {ETIMEDOUT, false},
                        {ENETUNREACH, false},
                        {ECONNRESET, false},
                        {0, false}};
    for (const Row& row : rows) {
        const boost::system::error_code error(row.error, boost::system::system_category());
        EXPECT_EQ(is_our_want(error), row.ours) << error.message();
    }
}

TEST(HealthTarget, IsTheSameCheckWhileNothingOfItChanges) {
    const HealthTarget one = target_of(2, 2);
    EXPECT_TRUE(same_check(one, one));
    HealthTarget other = one;
    other.entries.push_back(std::make_shared<rotation::EntryState>());
    EXPECT_TRUE(same_check(one, other)) << "entries come and go without a new check";
    const std::vector<void (*)(HealthTarget&)> changes = {
        [](HealthTarget& target) { target.backend = "other"; },
        [](HealthTarget& target) { target.host = "127.0.0.2"; },
        [](HealthTarget& target) { target.port = 10; },
        [](HealthTarget& target) { target.interval = 11s; },
        [](HealthTarget& target) { target.timeout = 2s; },
        [](HealthTarget& target) { target.unhealthy_threshold = 3; },
        [](HealthTarget& target) { target.healthy_threshold = 3; },
        [](HealthTarget& target) { target.state = std::make_shared<rotation::BackendState>(); }};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        other = one;
        changes[i](other);
        EXPECT_FALSE(same_check(one, other)) << "change " << i;
    }
}

TEST(HealthTarget, IsWhatTheSnapshotSaysOfEachBackend) {
    routing::Snapshot snapshot;
    for (const char* name : {"checked", "unchecked"}) {
        routing::Backend& backend = snapshot.backends.emplace_back();
        backend.name = name;
        backend.host = std::string(name) + ".example.com";
        backend.port = 443;
        backend.state = std::make_shared<rotation::BackendState>();
        snapshot.by_backend.push_back({std::make_shared<rotation::EntryState>()});
    }
    config::HealthCheck& check = snapshot.backends[0].health_check.emplace();
    check.interval = 7s;
    check.timeout = 3s;
    check.unhealthy_threshold = 4;
    check.healthy_threshold = 5;
    const std::vector<HealthTarget> targets = health_targets(snapshot);
    ASSERT_EQ(targets.size(), 2U);
    EXPECT_EQ(targets[0].backend, "checked");
    EXPECT_EQ(targets[0].host, "checked.example.com");
    EXPECT_EQ(targets[0].port, 443U);
    EXPECT_EQ(targets[0].interval, 7s);
    EXPECT_EQ(targets[0].timeout, 3s);
    EXPECT_EQ(targets[0].unhealthy_threshold, 4U);
    EXPECT_EQ(targets[0].healthy_threshold, 5U);
    EXPECT_EQ(targets[0].state, snapshot.backends[0].state);
    EXPECT_EQ(targets[0].entries, snapshot.by_backend[0]);
    EXPECT_EQ(targets[1].interval, 0ms) << "no check";
    EXPECT_EQ(targets[1].entries, snapshot.by_backend[1]) << "they must be told too";
}

// What a reload does to entries without any check being made: the loop never runs.
class HealthReload : public testing::Test {
protected:
    HealthTarget with_entry(HealthTarget target) const {
        target.entries = {entry_};
        return target;
    }
    bool out() const { return entry_->standing(kStart) != rotation::Standing::active; }

    boost::asio::io_context context_{1};
    Logger log_{LogLevel::error};
    net::Resolver resolver_;
    HealthChecker checker_{context_, log_, resolver_};
    std::shared_ptr<rotation::EntryState> entry_ = std::make_shared<rotation::EntryState>();
};

TEST_F(HealthReload, NewEntriesStandAsTheirBackendDoes) {
    const HealthTarget target = target_of(2, 2);
    checker_.set_targets({with_entry(target)});
    EXPECT_FALSE(out());
    target.state->set_healthy(false);
    checker_.set_targets({with_entry(target)});
    EXPECT_TRUE(out());
    EXPECT_EQ(entry_->reason(), rotation::SuspendReason::unhealthy);
}

TEST_F(HealthReload, WithoutACheckABackendIsHealthyAgain) {
    HealthTarget target = target_of(2, 2);
    target.state->set_healthy(false);
    checker_.set_targets({with_entry(target)});
    ASSERT_TRUE(out());
    target.interval = 0ms;
    checker_.set_targets({with_entry(target)});
    EXPECT_FALSE(out());
    EXPECT_TRUE(target.state->healthy());
}

TEST_F(HealthReload, AfterTheEndNothingIsChanged) {
    const HealthTarget target = target_of(2, 2);
    target.state->set_healthy(false);
    checker_.stop();
    checker_.set_targets({with_entry(target)});
    EXPECT_FALSE(out());
}

}  // namespace
}  // namespace rotary::control
