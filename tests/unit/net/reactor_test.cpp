// The parts of the reactor that need no descriptor: events, deadlines, yielding, who runs when.
#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rotary::Task;
using rotary::net::Event;
using rotary::net::Reactor;
using rotary::net::WaitFor;
using rotary::net::Wake;

class ReactorTest : public ::testing::Test {
protected:
    ~ReactorTest() override { reactor_.stop(); }
    // Until nothing is left to do at once.
    void settle() {
        while (context_.poll_one() > 0) {
        }
    }

    boost::asio::io_context context_{1};
    Reactor reactor_{context_};
    std::vector<std::string> story_;
};

Task<void> wait_for_event(Reactor& reactor, Event& event, std::vector<std::string>& story) {
    WaitFor what;
    what.event = &event;
    const Wake wake = co_await reactor.wait(what);
    story.push_back(wake == Wake::ready ? "ready" : "not ready");
}

TEST_F(ReactorTest, EventWakesItsWaiterFromACallback) {
    Event event;
    rotary::spawn(wait_for_event(reactor_, event, story_));
    settle();
    EXPECT_TRUE(story_.empty());
    boost::asio::post(context_, [&] {
        event.set();
        story_.push_back("set");  // the waiter runs after its waker, never inside of it
    });
    settle();
    EXPECT_EQ(story_, (std::vector<std::string>{"set", "ready"}));
}

TEST_F(ReactorTest, EventAlreadySetDoesNotSuspend) {
    Event event;
    event.set();
    rotary::spawn(wait_for_event(reactor_, event, story_));
    EXPECT_EQ(story_, std::vector<std::string>{"ready"});
}

Task<void> sleep(Reactor& reactor, std::chrono::milliseconds time, Wake& wake) {
    WaitFor what;
    what.deadline = reactor.now() + time;
    wake = co_await reactor.wait(what);
    reactor.stop();
}

TEST_F(ReactorTest, WaitForNothingButADeadlineSleeps) {
    Wake wake = Wake::ready;
    const auto start = std::chrono::steady_clock::now();
    rotary::spawn(sleep(reactor_, 30ms, wake));
    context_.run();
    EXPECT_EQ(wake, Wake::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

Task<void> late(Reactor& reactor, Event& event, Wake& wake) {
    WaitFor what;
    what.event = &event;
    what.deadline = reactor.now() - 1ms;
    wake = co_await reactor.wait(what);
}

TEST_F(ReactorTest, PassedDeadlineComesBeforeReadiness) {
    Event event;
    event.set();
    Wake wake = Wake::ready;
    rotary::spawn(late(reactor_, event, wake));
    EXPECT_EQ(wake, Wake::timed_out);
}

Task<void> count_with_yields(Reactor& reactor, const char* name, std::vector<std::string>& story) {
    for (int i = 0; i < 3; ++i) {
        story.push_back(name + std::to_string(i));
        co_await reactor.yield();
    }
}

TEST_F(ReactorTest, YieldLetsTheOthersRun) {
    rotary::spawn(count_with_yields(reactor_, "a", story_));
    rotary::spawn(count_with_yields(reactor_, "b", story_));
    boost::asio::post(context_, [&] { story_.push_back("asio"); });
    settle();
    const auto asio = std::find(story_.begin(), story_.end(), "asio");
    ASSERT_NE(asio, story_.end());
    EXPECT_LT(asio - story_.begin(), 6) << "a handler of Asio's waits for no more than a round";
    story_.erase(asio);
    EXPECT_EQ(story_, (std::vector<std::string>{"a0", "b0", "a1", "b1", "a2", "b2"}));
}

// Has always more to do, in pieces of 1000 bytes, and knows of the others only through its waits.
Task<void> never_dry(Reactor& reactor, const char* name, std::vector<std::string>& story,
                     bool& stop) {
    Event always;
    always.set();
    co_await reactor.yield();
    while (!stop) {
        int pieces = 0;
        for (; !reactor.turn_is_over(); ++pieces) reactor.turn().spend(1000);
        story.push_back(name + std::to_string(pieces));
        WaitFor what;
        what.event = &always;
        co_await reactor.wait(what);
    }
}

TEST_F(ReactorTest, ATurnEndsAfterItsBytesAndTheNextOnesCome) {
    reactor_.turn().set_limits({4000, 1h});
    bool stop = false;
    rotary::spawn(never_dry(reactor_, "a", story_, stop));
    rotary::spawn(never_dry(reactor_, "b", story_, stop));
    while (story_.size() < 6) context_.poll_one();
    story_.resize(6);
    EXPECT_EQ(story_, (std::vector<std::string>{"a4", "b4", "a4", "b4", "a4", "b4"}));
    stop = true;
    settle();
}

TEST_F(ReactorTest, ATurnEndsAfterItsTime) {
    reactor_.turn().set_limits({SIZE_MAX, 1ms});
    bool stop = false;
    rotary::spawn(never_dry(reactor_, "a", story_, stop));
    rotary::spawn(never_dry(reactor_, "b", story_, stop));
    while (story_.size() < 4) context_.poll_one();
    EXPECT_EQ(story_[0][0], 'a');
    EXPECT_EQ(story_[1][0], 'b');
    EXPECT_EQ(story_[2][0], 'a');
    EXPECT_EQ(story_[3][0], 'b');
    stop = true;
    settle();
}

// What has just become ready goes before those that had a turn, and so does a timer.
TEST_F(ReactorTest, WhoBecomesReadyWaitsForOneTurnOnly) {
    reactor_.turn().set_limits({4000, 1h});
    bool stop = false;
    for (const char* name : {"a", "b", "c", "d"}) {
        rotary::spawn(never_dry(reactor_, name, story_, stop));
    }
    Event event;
    rotary::spawn(wait_for_event(reactor_, event, story_));
    bool fired = false;
    boost::asio::steady_timer timer(context_, 1ms);
    timer.async_wait([&](const boost::system::error_code&) { fired = true; });
    while (!fired) context_.poll_one();
    const std::size_t before = story_.size();
    event.set();
    const auto ready = [&] { return std::find(story_.begin(), story_.end(), "ready"); };
    while (ready() == story_.end()) context_.poll_one();
    EXPECT_EQ(ready() - story_.begin(), static_cast<std::ptrdiff_t>(before));
    stop = true;
    settle();
}

TEST_F(ReactorTest, OneThatYieldsCanBeToldThatItsTimeIsOver) {
    reactor_.turn().set_limits({1, 1h});
    Event always;
    always.set();
    Wake wake = Wake::ready;
    bool done = false;
    const auto waits = [](Reactor& reactor, Event& event, Wake& woken, bool& ended) -> Task<void> {
        co_await reactor.yield();
        reactor.turn().spend(10);
        WaitFor what;
        what.event = &event;
        what.deadline = reactor.now();
        woken = co_await reactor.wait(what);
        ended = true;
    };
    rotary::spawn(waits(reactor_, always, wake, done));
    settle();
    EXPECT_TRUE(done);
    EXPECT_EQ(wake, Wake::timed_out);
}

// Two that wake each other for ever would show a resume inside a resume as a deep stack.
Task<void> ping(Reactor& reactor, Event& mine, Event& other, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        WaitFor what;
        what.event = &mine;
        co_await reactor.wait(what);
        mine.reset();
        other.set();
    }
}

TEST_F(ReactorTest, WakingEachOtherDoesNotNest) {
    Event left;
    Event right;
    constexpr int kRounds = 200'000;
    rotary::spawn(ping(reactor_, left, right, kRounds));
    rotary::spawn(ping(reactor_, right, left, kRounds));
    left.set();
    settle();
    EXPECT_TRUE(left.is_set()) << "the last word of the second one";
}

struct Owned {
    struct promise_type {
        Owned get_return_object() {
            return Owned{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept {}
    };
    std::coroutine_handle<promise_type> frame;
};

Owned owned(Reactor& reactor, Event& event, bool& reached) {
    WaitFor what;
    what.event = &event;
    what.deadline = reactor.now() + 1h;
    co_await reactor.wait(what);
    reached = true;
}

struct Death {
    const char* name;
    bool woken;  // destroyed when already queued to run
};
class ReactorDeath : public ::testing::TestWithParam<Death> {};

TEST_P(ReactorDeath, FrameDestroyedWhileItWaitsIsForgotten) {
    boost::asio::io_context context(1);
    Reactor reactor(context);
    Event event;
    bool reached = false;
    const Owned waiting = owned(reactor, event, reached);
    if (GetParam().woken) event.set();
    waiting.frame.destroy();
    event.set();
    context.poll();
    reactor.stop();
    context.run();
    EXPECT_FALSE(reached);
}

INSTANTIATE_TEST_SUITE_P(Cases, ReactorDeath,
                         ::testing::Values(Death{"Asleep", false}, Death{"Woken", true}),
                         [](const auto& row) { return row.param.name; });

TEST(Reactor, MayGoBeforeItsContextRunsAgain) {
    boost::asio::io_context context(1);
    Event event;
    {
        Reactor reactor(context);
        bool reached = false;
        const Owned waiting = owned(reactor, event, reached);
        event.set();  // posts a run that will find the reactor gone
        waiting.frame.destroy();
    }
    context.run();
}

TEST(Reactor, StopLetsTheContextEnd) {
    boost::asio::io_context context(1);
    Reactor reactor(context);
    boost::asio::post(context, [&] { reactor.stop(); });
    context.run();
    EXPECT_EQ(reactor.turns(), 0U);
}

}  // namespace
