#include <rotary/upstream/upstream_pool.hpp>

#include <gtest/gtest.h>

#include <support/running.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rotary::upstream {
namespace {

using namespace std::chrono_literals;
using rotation::BackendLimits;

class UpstreamPoolTest : public testing::Test {
protected:
    ~UpstreamPoolTest() override {
        pool_.clear();
        test::settle(reactor_);  // what watches over idle connections ends
        for (const int fd : peers_) {
            if (fd >= 0) ::close(fd);
        }
    }

    std::size_t hold(const std::string& key, const BackendLimits& limits = {}) {
        return pool_.hold(key, state_, limits);
    }
    static BackendLimits connections(std::size_t most) {
        BackendLimits limits;
        limits.connections = most;
        return limits;
    }

    // A place of the bucket with a connection on it, whose other end is the test's.
    UpstreamConnection dialled(std::size_t bucket) {
        UpstreamConnection connection = pool_.take(bucket, now());
        EXPECT_TRUE(connection.has_place());
        EXPECT_FALSE(connection) << "a place for a new one";
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            throw std::runtime_error("there is no socket pair");
        }
        peers_.push_back(ends[1]);
        connection.open(
            std::make_unique<net::Stream>(reactor_, buffers_, ends[0], net::Stream::Role{}));
        test::settle(reactor_);
        return connection;
    }
    void hang_up(std::size_t peer) {
        ::close(peers_[peer]);
        peers_[peer] = -1;
        test::settle(reactor_);
    }
    static net::SteadyTime now() { return std::chrono::steady_clock::now(); }

    BufferPool buffers_{BufferPool::Limits{}};
    net::Reactor reactor_;
    std::shared_ptr<rotation::BackendState> state_ = std::make_shared<rotation::BackendState>();
    UpstreamPool pool_{reactor_, {}};
    std::vector<int> peers_;  // the other ends, in order
};

TEST_F(UpstreamPoolTest, EqualKeysShareABucket) {
    const std::size_t a = hold("a");
    const std::size_t b = hold("b");
    EXPECT_NE(a, b);
    EXPECT_EQ(hold("a"), a);
    EXPECT_EQ(pool_.buckets(), 2U);
}

TEST_F(UpstreamPoolTest, ABucketStaysAsLongAsItIsHeld) {
    const std::size_t a = hold("a");
    hold("a");
    pool_.release(a);
    EXPECT_EQ(pool_.buckets(), 1U);
    EXPECT_NE(hold("b"), a) << "an exchange may still be counting on it";
    EXPECT_EQ(hold("a"), a);
}

// A configuration with other Backends each time must not make the pool grow.
TEST_F(UpstreamPoolTest, PlacesOfWhatIsGoneAreUsedAgain) {
    const std::size_t kept = hold("kept");
    std::size_t last = hold("backend 0");
    for (int i = 1; i < 1000; ++i) {
        const std::size_t next = hold("backend " + std::to_string(i));
        pool_.release(last);
        last = next;
        EXPECT_LT(next, 3U);
        EXPECT_NE(next, kept);
        EXPECT_EQ(pool_.buckets(), 2U);
    }
    pool_.release(last);
    EXPECT_EQ(state_.use_count(), 2) << "a place that is free keeps nothing alive";
}

// --- places -------------------------------------------------------------------------------------

TEST_F(UpstreamPoolTest, PlacesAreCountedExactly) {
    const std::size_t a = hold("a", connections(2));
    UpstreamConnection first = pool_.take(a, now());
    UpstreamConnection second = pool_.take(a, now());
    EXPECT_TRUE(first.has_place());
    EXPECT_TRUE(second.has_place());
    EXPECT_FALSE(pool_.take(a, now()).has_place());
    EXPECT_EQ(state_->connections(), 2U);
    UpstreamConnection moved = std::move(first);
    EXPECT_EQ(state_->connections(), 2U) << "moving one makes no second";
    moved.reset();
    moved.reset();
    EXPECT_EQ(state_->connections(), 1U) << "given back once";
    second = pool_.take(a, now());
    EXPECT_EQ(state_->connections(), 1U) << "what it stood for before is given back";
    EXPECT_TRUE(second.has_place());
}

TEST_F(UpstreamPoolTest, RequestsAreCountedWhereTheyAreBounded) {
    struct Row {
        const char* name;
        std::size_t most;
        bool second;
        std::size_t counted;
    };
    const Row rows[] = {
        {"one", 1, false, 1},
        {"two", 2, true, 2},
        {"any", BackendLimits::kNone, true, 0},
    };
    for (const Row& row : rows) {
        BackendLimits limits;
        limits.requests = row.most;
        const std::size_t bucket = hold(row.name, limits);
        UpstreamConnection first = pool_.take(bucket, now());
        UpstreamConnection second = pool_.take(bucket, now());
        EXPECT_TRUE(first.begin_use()) << row.name;
        EXPECT_TRUE(first.begin_use()) << row.name << ": it is one request all the same";
        EXPECT_EQ(second.begin_use(), row.second) << row.name;
        EXPECT_EQ(state_->requests(), row.counted) << row.name;
        first.reset();
        EXPECT_TRUE(second.begin_use()) << row.name;
        second.reset();
        EXPECT_EQ(state_->requests(), 0U) << row.name;
    }
}

// --- waiting ------------------------------------------------------------------------------------

TEST_F(UpstreamPoolTest, FirstComeFirstServed) {
    const std::size_t a = hold("a", connections(1));
    UpstreamConnection busy = pool_.take(a, now());
    UpstreamPool::Waiter first(pool_, a);
    UpstreamPool::Waiter second(pool_, a);
    ASSERT_TRUE(first.admitted());
    ASSERT_TRUE(second.admitted());
    EXPECT_EQ(state_->pending(), 2U);
    EXPECT_FALSE(first.look().has_place());
    busy.reset();
    EXPECT_TRUE(first.event().is_set());
    EXPECT_FALSE(second.event().is_set());
    EXPECT_FALSE(second.look().has_place());
    busy = first.look();
    EXPECT_TRUE(busy.has_place());
    EXPECT_EQ(state_->pending(), 1U);
    EXPECT_EQ(state_->connections(), 1U) << "the place was handed on, not given back";
    busy.reset();
    EXPECT_TRUE(second.event().is_set());
}

TEST_F(UpstreamPoolTest, WhoGoesLeavesTheOthersTheirOrder) {
    for (const std::vector<std::size_t>& gone :
         {std::vector<std::size_t>{0}, {1}, {2}, {0, 1}, {2, 1}, {1, 2}, {0, 2}}) {
        const std::size_t a = hold("a", connections(1));
        UpstreamConnection busy = pool_.take(a, now());
        std::vector<std::unique_ptr<UpstreamPool::Waiter>> waiters;
        for (int i = 0; i < 3; ++i) {
            waiters.push_back(std::make_unique<UpstreamPool::Waiter>(pool_, a));
        }
        for (const std::size_t i : gone) waiters[i].reset();
        EXPECT_EQ(state_->pending(), 3 - gone.size());
        for (const auto& waiter : waiters) {
            if (!waiter) continue;
            busy.reset();
            EXPECT_TRUE(waiter->event().is_set());
            busy = waiter->look();
            EXPECT_TRUE(busy.has_place());
        }
        EXPECT_EQ(state_->pending(), 0U);
    }
}

TEST_F(UpstreamPoolTest, WhatCameToWhoWentIsTheNextOnes) {
    const std::size_t a = hold("a", connections(1));
    UpstreamConnection busy = pool_.take(a, now());
    auto first = std::make_unique<UpstreamPool::Waiter>(pool_, a);
    UpstreamPool::Waiter second(pool_, a);
    busy.reset();
    first.reset();
    EXPECT_TRUE(second.event().is_set());
    EXPECT_TRUE(second.look().has_place());
    EXPECT_EQ(state_->connections(), 0U) << "and given back for anybody behind the last one";
}

TEST_F(UpstreamPoolTest, OnlySoManyWait) {
    BackendLimits limits = connections(1);
    limits.pending = 1;
    const std::size_t a = hold("a", limits);
    UpstreamConnection busy = pool_.take(a, now());
    auto first = std::make_unique<UpstreamPool::Waiter>(pool_, a);
    EXPECT_TRUE(first->admitted());
    {
        UpstreamPool::Waiter refused(pool_, a);
        EXPECT_FALSE(refused.admitted());
    }
    EXPECT_EQ(state_->pending(), 1U) << "one that was not let in does not leave";
    first.reset();
    EXPECT_TRUE(UpstreamPool::Waiter(pool_, a).admitted());
}

TEST_F(UpstreamPoolTest, ALoweredLimitHandsNothingOn) {
    const std::size_t a = hold("a", connections(2));
    UpstreamConnection one = pool_.take(a, now());
    UpstreamConnection two = pool_.take(a, now());
    UpstreamPool::Waiter waiter(pool_, a);
    EXPECT_EQ(hold("a", connections(1)), a);
    one.reset();
    EXPECT_FALSE(waiter.event().is_set());
    EXPECT_FALSE(waiter.look().has_place()) << "one is open, and one may be";
    two.reset();
    EXPECT_TRUE(waiter.look().has_place());
}

// --- two workers --------------------------------------------------------------------------------

TEST_F(UpstreamPoolTest, APlaceThatBecameFreeElsewhereIsFound) {
    UpstreamPool other(reactor_, {});
    const std::size_t there = other.hold("a", state_, connections(1));
    const std::size_t here = hold("a", connections(1));
    UpstreamConnection busy = other.take(there, now());
    UpstreamPool::Waiter first(pool_, here);
    UpstreamPool::Waiter second(pool_, here);
    busy.reset();
    EXPECT_FALSE(first.event().is_set()) << "another worker can't wake it";
    EXPECT_FALSE(second.look().has_place()) << "it is not its turn";
    EXPECT_FALSE(pool_.take(here, now()).has_place()) << "not past those who wait";
    EXPECT_TRUE(first.look().has_place());
}

// A worker whose requests always wait for a place must not keep a Backend to itself.
TEST_F(UpstreamPoolTest, WorkersTakeTurns) {
    struct Row {
        const char* name;
        std::chrono::milliseconds turn;
        bool stays;  // with the worker that has the place
    };
    for (const Row& row : {Row{"its turn", 1h, true}, Row{"its turn is over", 0ms, false}}) {
        UpstreamPool::Limits limits;
        limits.turn = row.turn;
        UpstreamPool mine(reactor_, limits);
        UpstreamPool other(reactor_, limits);
        const auto state = std::make_shared<rotation::BackendState>();
        const std::size_t here = mine.hold("a", state, connections(1));
        const std::size_t there = other.hold("a", state, connections(1));
        UpstreamConnection busy = mine.take(here, now());
        UpstreamPool::Waiter waits_here(mine, here);
        UpstreamPool::Waiter waits_there(other, there);
        busy.reset();
        EXPECT_EQ(waits_here.event().is_set(), row.stays) << row.name;
        UpstreamConnection at_mine = waits_here.look();
        EXPECT_EQ(at_mine.has_place(), row.stays) << row.name;
        EXPECT_EQ(waits_there.look().has_place(), !row.stays) << row.name;
    }
}

// --- idle connections ---------------------------------------------------------------------------

TEST_F(UpstreamPoolTest, TheWarmestGoesFirst) {
    const std::size_t a = hold("a");
    UpstreamConnection first = dialled(a);
    UpstreamConnection second = dialled(a);
    const net::Stream* const warmest = &*second;
    pool_.put(a, std::move(first), now());
    pool_.put(a, std::move(second), now());
    EXPECT_EQ(pool_.idle(), 2U);
    const UpstreamConnection taken = pool_.take(a, now());
    ASSERT_TRUE(taken);
    EXPECT_EQ(&*taken, warmest);
    EXPECT_EQ(pool_.idle(), 1U);
    EXPECT_EQ(state_->connections(), 2U) << "an idle one has its place";
    EXPECT_FALSE(pool_.take(hold("b"), now())) << "it is for its own Backend";
}

TEST_F(UpstreamPoolTest, WhatIsDeadOrTooOldIsNotUsed) {
    struct Row {
        const char* name;
        void (*happens)(int peer);
        std::chrono::milliseconds age;
        bool used;
    };
    const auto nothing = [](int) {};
    const auto ends = [](int peer) { ::shutdown(peer, SHUT_WR); };
    const auto speaks = [](int peer) { EXPECT_EQ(::send(peer, "x", 1, MSG_NOSIGNAL), 1); };
    const Row rows[] = {
        {"quiet", nothing, 0ms, true},
        {"nearly too old", nothing, 3'999ms, true},
        {"too old", nothing, 4'000ms, false},
        {"its provider ended it", ends, 0ms, false},
        {"its provider said what nobody asked for", speaks, 0ms, false},
    };
    for (const Row& row : rows) {
        for (const bool by_sweep : {true, false}) {
            const std::size_t bucket = hold(row.name);
            const net::SteadyTime begun = now();
            pool_.put(bucket, dialled(bucket), begun);
            ASSERT_EQ(pool_.idle(), 1U) << row.name;
            row.happens(peers_.back());
            test::settle(reactor_);
            if (by_sweep) {
                pool_.sweep(begun + row.age);
                EXPECT_EQ(pool_.idle(), row.used ? 1U : 0U) << row.name;
                EXPECT_EQ(state_->idle(), row.used ? 1U : 0U) << row.name;
            }
            const UpstreamConnection taken = pool_.take(bucket, begun + row.age);
            EXPECT_TRUE(taken.has_place()) << row.name;
            EXPECT_EQ(static_cast<bool>(taken), row.used) << row.name;
            EXPECT_EQ(state_->connections(), 1U) << row.name;
            pool_.sweep(begun);
        }
    }
}

TEST_F(UpstreamPoolTest, WhatIsNotWantedIsNotKept) {
    struct Row {
        const char* name;
        std::function<void()> before;
        bool kept;
    };
    const Row rows[] = {
        {"as it is", [] {}, true},
        {"none may be idle",
         [this] {
             pool_.set_limits({0, 4s, 1s});
         },
         false},
        {"too many are open", [this] { hold("too many are open", connections(0)); }, false},
        {"another worker's request waits", [this] { state_->enter_pending(9); }, false},
        {"its provider has ended it", [this] { hang_up(peers_.size() - 1); }, false},
    };
    for (const Row& row : rows) {
        pool_.set_limits({});
        const std::size_t bucket = hold(row.name);
        UpstreamConnection connection = dialled(bucket);
        row.before();
        pool_.put(bucket, std::move(connection), now());
        EXPECT_EQ(pool_.idle(), row.kept ? 1U : 0U) << row.name;
        pool_.close_idle();
        EXPECT_EQ(state_->connections(), 0U) << row.name;
        if (state_->pending() > 0) state_->leave_pending();
    }
}

TEST_F(UpstreamPoolTest, AWaiterGetsTheConnectionItself) {
    const std::size_t a = hold("a", connections(1));
    UpstreamConnection busy = dialled(a);
    const net::Stream* const stream = &*busy;
    UpstreamPool::Waiter waiter(pool_, a);
    pool_.put(a, std::move(busy), now());
    EXPECT_EQ(pool_.idle(), 0U);
    const UpstreamConnection got = waiter.look();
    ASSERT_TRUE(got);
    EXPECT_EQ(&*got, stream);
}

TEST_F(UpstreamPoolTest, AConnectionThatCameTooLateIsKept) {
    const std::size_t a = hold("a", connections(1));
    UpstreamConnection busy = dialled(a);
    const net::Stream* const stream = &*busy;
    auto waiter = std::make_unique<UpstreamPool::Waiter>(pool_, a);
    pool_.put(a, std::move(busy), now());
    waiter.reset();
    EXPECT_EQ(pool_.idle(), 1U);
    const UpstreamConnection taken = pool_.take(a, now());
    ASSERT_TRUE(taken);
    EXPECT_EQ(&*taken, stream);
}

// Idle connections at the limit keep others waiting: the longest idle one goes.
TEST_F(UpstreamPoolTest, IdleOnesMakeRoomForOthers) {
    const std::size_t a = hold("a", connections(2));
    UpstreamConnection first = dialled(a);
    UpstreamConnection second = dialled(a);
    const net::Stream* const warmest = &*second;
    pool_.put(a, std::move(first), now());
    pool_.put(a, std::move(second), now());
    ASSERT_TRUE(state_->enter_pending(9));
    pool_.sweep(now());
    EXPECT_EQ(pool_.idle(), 1U);
    EXPECT_EQ(state_->connections(), 1U);
    state_->leave_pending();
    const UpstreamConnection taken = pool_.take(a, now());
    ASSERT_TRUE(taken);
    EXPECT_EQ(&*taken, warmest);
}

TEST_F(UpstreamPoolTest, BehindTheEndNothingIsKept) {
    const std::size_t a = hold("a");
    UpstreamConnection late = dialled(a);
    pool_.put(a, dialled(a), now());
    pool_.clear();
    EXPECT_EQ(pool_.idle(), 0U);
    EXPECT_EQ(state_->idle(), 0U);
    pool_.put(a, std::move(late), now());
    EXPECT_EQ(pool_.idle(), 0U);
    EXPECT_EQ(state_->connections(), 0U);
}

TEST_F(UpstreamPoolTest, ABucketThatIsGivenUpClosesItsConnections) {
    const std::size_t a = hold("a");
    pool_.put(a, dialled(a), now());
    pool_.release(a);
    EXPECT_EQ(pool_.idle(), 0U);
    EXPECT_EQ(state_->connections(), 0U);
}

}  // namespace
}  // namespace rotary::upstream
