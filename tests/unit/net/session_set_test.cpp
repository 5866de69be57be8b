// Which session makes room, which a drain wakes, and who gives a place back: on pairs of sockets.
#include <rotary/base/task.hpp>
#include <rotary/net/session_set.hpp>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace rotary::net {
namespace {

// A client's connection: our end in the reactor, the client's a plain descriptor.
class Line {
public:
    explicit Line(Reactor& reactor) : Line(reactor, pair()) {}
    ~Line() { ::close(theirs_); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    void say() const { static_cast<void>(::send(theirs_, "G", 1, MSG_NOSIGNAL)); }
    void hang_up() const { ::shutdown(theirs_, SHUT_WR); }
    Descriptor& ours() { return ours_; }

private:
    static std::array<int, 2> pair() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data())) {
            throw std::runtime_error("no pair");
        }
        return ends;
    }
    Line(Reactor& reactor, std::array<int, 2> ends) : ours_(reactor, ends[0]), theirs_(ends[1]) {}

    Descriptor ours_;
    int theirs_;
};

Task<void> wait_for_client(Reactor& reactor, Descriptor& client, std::optional<Wake>& woken) {
    WaitFor what;
    what.read = &client;
    const Wake wake = co_await reactor.wait(what);
    woken = wake;
}

class SessionSetTest : public testing::Test {
protected:
    ~SessionSetTest() override { reactor_.stop(); }
    void settle() {
        while (reactor_.run_once({})) {
        }
    }
    Line& line() {
        lines_.emplace_back(reactor_);
        settle();
        return lines_.back();
    }
    // Idle, and for longer than those that go idle from here on.
    void go_idle(SessionSet::Node& node) const {
        node.enter_idle();
        const SteadyTime since = reactor_.now();
        while (reactor_.now() <= since) {
        }
    }

    Reactor reactor_;
    std::deque<Line> lines_;
};

TEST_F(SessionSetTest, TheOneThatHasBeenIdleForLongestMakesRoom) {
    ConnectionLimit limit(3);
    SessionSet set(reactor_, &limit);
    ASSERT_TRUE(set.admit() && set.admit() && set.admit());
    SessionSet::Node first(set, line().ours());
    SessionSet::Node second(set, line().ours());
    SessionSet::Node busy(set, line().ours());
    go_idle(second);
    go_idle(first);
    EXPECT_TRUE(set.evict_longest_idle());
    EXPECT_TRUE(second.evicted());
    EXPECT_FALSE(first.evicted());
    EXPECT_EQ(limit.open(), 3U) << "the place has another";
    EXPECT_TRUE(set.evict_longest_idle());
    EXPECT_TRUE(first.evicted());
    EXPECT_FALSE(set.evict_longest_idle()) << "the last one is busy";
    EXPECT_FALSE(busy.evicted());
}

TEST_F(SessionSetTest, OneThatWasBusyInBetweenGoesBehindTheOthers) {
    SessionSet set(reactor_);
    SessionSet::Node first(set, line().ours());
    SessionSet::Node second(set, line().ours());
    go_idle(first);
    go_idle(second);
    first.leave_idle();
    go_idle(first);
    EXPECT_TRUE(set.evict_longest_idle());
    EXPECT_TRUE(second.evicted());
    EXPECT_FALSE(first.evicted());
}

TEST_F(SessionSetTest, OneWhoseClientHasJustSpokenIsSpared) {
    SessionSet set(reactor_);
    Line& speaking = line();
    Line& silent = line();
    SessionSet::Node spoke(set, speaking.ours());
    SessionSet::Node kept_silent(set, silent.ours());
    go_idle(spoke);
    go_idle(kept_silent);
    speaking.say();  // the reactor has yet to see it
    EXPECT_TRUE(set.evict_longest_idle());
    EXPECT_FALSE(spoke.evicted());
    EXPECT_TRUE(kept_silent.evicted());
}

TEST_F(SessionSetTest, AnEndIsNoWord) {
    SessionSet set(reactor_);
    Line& leaving = line();
    SessionSet::Node node(set, leaving.ours());
    go_idle(node);
    leaving.hang_up();
    EXPECT_TRUE(set.evict_longest_idle());
    EXPECT_TRUE(node.evicted());
}

TEST_F(SessionSetTest, OfTwoSetsTheOneWithTheOldestGivesWay) {
    ConnectionLimit limit(10);
    SessionSet one(reactor_, &limit);
    SessionSet other(reactor_, &limit);
    EXPECT_EQ(limit.longest_idle(), nullptr);
    SessionSet::Node older(one, line().ours());
    SessionSet::Node newer(other, line().ours());
    go_idle(older);
    EXPECT_EQ(other.idle_since(), SteadyTime::max());
    go_idle(newer);
    EXPECT_EQ(limit.longest_idle(), &one);
    EXPECT_FALSE(other.evict_longest_idle()) << "an older one waits elsewhere";
    EXPECT_FALSE(newer.evicted());
    EXPECT_TRUE(one.evict_longest_idle());
    EXPECT_EQ(limit.longest_idle(), &other);
    EXPECT_TRUE(other.evict_longest_idle());
    EXPECT_EQ(limit.longest_idle(), nullptr);
}

TEST_F(SessionSetTest, ASetThatIsGoneHasNone) {
    ConnectionLimit limit(10);
    {
        SessionSet set(reactor_, &limit);
        SessionSet::Node node(set, line().ours());
        go_idle(node);
        EXPECT_EQ(limit.longest_idle(), &set);
    }
    EXPECT_EQ(limit.longest_idle(), nullptr);
}

TEST_F(SessionSetTest, APlaceIsGivenBackOnce) {
    ConnectionLimit limit(2);
    SessionSet set(reactor_, &limit);
    ASSERT_TRUE(set.admit() && set.admit());
    {
        SessionSet::Node stays(set, line().ours());
        SessionSet::Node goes(set, line().ours());
        EXPECT_FALSE(set.admit());
        go_idle(goes);
        ASSERT_TRUE(set.evict_longest_idle());
        EXPECT_EQ(set.size(), 2U) << "it has yet to end";
    }
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(limit.open(), 1U) << "one place is its successor's";
}

TEST(ConnectionLimit, ThatIsLoweredEndsNoneAndLetsNoneIn) {
    ConnectionLimit limit(2);
    EXPECT_TRUE(limit.take());
    EXPECT_TRUE(limit.take());
    EXPECT_FALSE(limit.take());
    limit.set_most(1);
    EXPECT_EQ(limit.open(), 2U);
    limit.give();
    EXPECT_FALSE(limit.take());
    limit.give();
    EXPECT_TRUE(limit.take());
    limit.set_most(2);
    EXPECT_TRUE(limit.take());
}

TEST_F(SessionSetTest, ADrainWakesTheIdleThenTheFreshThenAll) {
    enum Kind { idle, fresh, busy };
    SessionSet set(reactor_);
    std::array<std::optional<Wake>, 3> woken;
    std::vector<std::unique_ptr<SessionSet::Node>> nodes;
    for (const Kind kind : {idle, fresh, busy}) {
        Line& client = line();
        nodes.push_back(std::make_unique<SessionSet::Node>(set, client.ours()));
        nodes.back()->fresh = kind == fresh;
        if (kind != busy) go_idle(*nodes.back());
        spawn(wait_for_client(reactor_, client.ours(), woken.at(kind)));
    }
    const auto awake = [&] {
        settle();
        return std::array{woken[idle].has_value(), woken[fresh].has_value(),
                          woken[busy].has_value()};
    };
    EXPECT_EQ(awake(), (std::array{false, false, false}));
    set.drain();
    EXPECT_TRUE(set.draining());
    EXPECT_EQ(awake(), (std::array{true, false, false}));
    EXPECT_FALSE(set.fresh_time_is_over());
    set.end_fresh();
    EXPECT_TRUE(set.fresh_time_is_over());
    EXPECT_EQ(awake(), (std::array{true, true, false}));
    set.cancel_all();
    EXPECT_EQ(awake(), (std::array{true, true, true}));
    for (const auto& wake : woken) EXPECT_EQ(wake, Wake::cancelled);
}

TEST_F(SessionSetTest, TellsOnceThatItIsEmpty) {
    SessionSet set(reactor_);
    int told = 0;
    auto node = std::make_unique<SessionSet::Node>(set, line().ours());
    set.on_empty([&] { ++told; });
    node.reset();
    EXPECT_EQ(told, 0) << "it does not drain";
    node = std::make_unique<SessionSet::Node>(set, line().ours());
    set.drain();
    EXPECT_EQ(told, 0);
    node.reset();
    EXPECT_EQ(told, 1);
    set.drain();
    EXPECT_EQ(told, 1);
    set.on_empty([&] { ++told; });
    EXPECT_EQ(told, 2) << "at once when it is empty already";
}

}  // namespace
}  // namespace rotary::net
