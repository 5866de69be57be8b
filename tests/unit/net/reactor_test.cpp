// The parts of the reactor that need no descriptor: events, deadlines, yielding, mail, who runs
// when.
#include <rotary/base/task.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/net/timer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rotary::Task;
using rotary::net::DeadlineNode;
using rotary::net::Event;
using rotary::net::Reactor;
using rotary::net::SteadyTime;
using rotary::net::WaitFor;
using rotary::net::Wake;

class ReactorTest : public ::testing::Test {
protected:
    // Until nothing is left to do at once.
    void settle() {
        while (reactor_.run_once({})) {
        }
    }

    Reactor reactor_;
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
    reactor_.post([&] {
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
    reactor_.run();
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
    reactor_.post([&] { story_.push_back("mail"); });
    settle();
    const auto mail = std::find(story_.begin(), story_.end(), "mail");
    ASSERT_NE(mail, story_.end());
    EXPECT_LT(mail - story_.begin(), 6) << "mail waits for no more than a round";
    story_.erase(mail);
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
    while (story_.size() < 6) reactor_.run_once({});
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
    while (story_.size() < 4) reactor_.run_once({});
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
    rotary::net::Timer timer(reactor_);
    timer.start(1ms, [&] { fired = true; });
    while (!fired) reactor_.run_once({});
    const std::size_t before = story_.size();
    event.set();
    const auto ready = [&] { return std::find(story_.begin(), story_.end(), "ready"); };
    while (ready() == story_.end()) reactor_.run_once({});
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
    Reactor reactor;
    Event event;
    bool reached = false;
    const Owned waiting = owned(reactor, event, reached);
    if (GetParam().woken) event.set();
    waiting.frame.destroy();
    event.set();
    while (reactor.run_once({})) {
    }
    EXPECT_FALSE(reached);
}

INSTANTIATE_TEST_SUITE_P(Cases, ReactorDeath,
                         ::testing::Values(Death{"Asleep", false}, Death{"Woken", true}),
                         [](const auto& row) { return row.param.name; });

// --- deadlines ----------------------------------------------------------------------------------

struct Due : DeadlineNode {
    explicit Due(std::vector<Due*>& fires) : fired(fires) {
        on_due = [](DeadlineNode& node) {
            Due& self = static_cast<Due&>(node);
            EXPECT_FALSE(self.armed());
            self.at = std::chrono::steady_clock::now();
            self.fired.push_back(&self);
            if (self.also) self.also();
        };
    }
    std::vector<Due*>& fired;
    SteadyTime at;
    std::function<void()> also;
};

class ReactorDeadlines : public ReactorTest {
protected:
    ~ReactorDeadlines() override {
        for (Due& due : dues_) reactor_.disarm(due);
    }
    Due& due() { return dues_.emplace_back(fired_); }
    void run_until_fired(std::size_t count) {
        while (fired_.size() < count) reactor_.run_once(10s);
    }
    std::vector<Due*> fired_;
    std::deque<Due> dues_;
};

TEST_F(ReactorDeadlines, FireNeverEarly) {
    const SteadyTime start = reactor_.now();
    for (const auto after : {0us, 1us, 3700us, 9999us, 10000us, 10001us, 25000us, 61234us}) {
        reactor_.arm(due(), start + after);
    }
    reactor_.arm(due(), start - 5s);
    run_until_fired(dues_.size());
    for (const Due& one : dues_) EXPECT_GE(one.at, one.expiry);
    EXPECT_EQ(fired_.back(), &dues_[7]) << "the last one by time";
}

TEST_F(ReactorDeadlines, ADisarmedOneDoesNotFire) {
    reactor_.arm(due(), reactor_.now() + 10ms);
    reactor_.disarm(dues_[0]);
    reactor_.disarm(dues_[0]);
    reactor_.arm(due(), reactor_.now() + 30ms);
    run_until_fired(1);
    EXPECT_EQ(fired_, std::vector<Due*>{&dues_[1]});
}

TEST_F(ReactorDeadlines, ArmingAgainMovesOne) {
    const SteadyTime start = reactor_.now();
    reactor_.arm(due(), start);
    reactor_.arm(dues_[0], start + 40ms);
    run_until_fired(1);
    EXPECT_GE(dues_[0].at, start + 40ms);
}

TEST_F(ReactorDeadlines, OneMayDisarmAnotherOfItsTick) {
    const SteadyTime now = reactor_.now();
    reactor_.arm(due(), now);
    reactor_.arm(due(), now);
    dues_[0].also = [&] { reactor_.disarm(dues_[1]); };
    run_until_fired(1);
    settle();
    EXPECT_EQ(fired_, std::vector<Due*>{&dues_[0]});
}

TEST_F(ReactorDeadlines, OneMayArmAnother) {
    due().also = [&] { reactor_.arm(dues_[1], reactor_.now()); };
    due();
    reactor_.arm(dues_[0], reactor_.now());
    run_until_fired(2);
    EXPECT_EQ(fired_.back(), &dues_[1]);
}

// Nothing is armed, so no round ends before its time.
TEST_F(ReactorDeadlines, ARoundWithNothingToDoWaits) {
    const SteadyTime start = reactor_.exact_now();
    EXPECT_FALSE(reactor_.run_once(20ms));
    EXPECT_GE(reactor_.exact_now() - start, 20ms);
    EXPECT_EQ(reactor_.rounds(), 0U);
}

TEST_F(ReactorDeadlines, ATimerFiresOnceAndMayBeStartedByItsCallback) {
    rotary::net::Timer timer(reactor_);
    int calls = 0;
    const std::function<void()> call = [&] {
        if (++calls < 3) timer.start(1ms, call);
    };
    timer.start(1ms, call);
    while (calls < 3) reactor_.run_once(10s);
    EXPECT_FALSE(reactor_.run_once(30ms));
    EXPECT_EQ(calls, 3);
}

TEST_F(ReactorDeadlines, ATimerThatIsCancelledOrGoneDoesNotFire) {
    int calls = 0;
    rotary::net::Timer cancelled(reactor_);
    cancelled.start(1ms, [&] { ++calls; });
    cancelled.cancel();
    {
        rotary::net::Timer gone(reactor_);
        gone.start(1ms, [&] { ++calls; });
    }
    EXPECT_FALSE(reactor_.run_once(30ms));
    EXPECT_EQ(calls, 0);
}

// --- mail ---------------------------------------------------------------------------------------

TEST_F(ReactorTest, MailOfAnotherThreadWakesTheLoop) {
    bool came = false;
    std::thread sender([&] { reactor_.post([&] { came = true; }); });
    while (!came) reactor_.run_once(10s);
    sender.join();
}

TEST_F(ReactorTest, MailIsReadInTheOrderItCameAndMailOfMailLater) {
    reactor_.post([&] {
        story_.push_back("first");
        reactor_.post([&] { story_.push_back("answer"); });
    });
    reactor_.post([&] { story_.push_back("second"); });
    EXPECT_TRUE(reactor_.run_once({}));
    EXPECT_EQ(story_, (std::vector<std::string>{"first", "second"}));
    EXPECT_TRUE(reactor_.run_once({}));
    EXPECT_EQ(story_.back(), "answer");
    EXPECT_FALSE(reactor_.run_once({}));
}

// None is lost between a box that is being emptied and one that fills again.
TEST_F(ReactorTest, MailOfManyThreadsAllComes) {
    constexpr int kEach = 20'000;
    std::vector<int> next(4);
    std::vector<std::thread> senders;
    for (std::size_t i = 0; i < next.size(); ++i) {
        senders.emplace_back([&, i] {
            for (int piece = 0; piece < kEach; ++piece) {
                reactor_.post([&, i, piece] { next[i] = next[i] == piece ? piece + 1 : -1; });
            }
        });
    }
    const std::vector<int> all(next.size(), kEach);
    while (next != all && std::count(next.begin(), next.end(), -1) == 0) {
        ASSERT_TRUE(reactor_.run_once(60s));
    }
    for (std::thread& sender : senders) sender.join();
    EXPECT_EQ(next, all);
}

TEST(Reactor, DropsTheMailThatNoRoundRead) {
    const auto held = std::make_shared<int>();
    {
        Reactor reactor;
        reactor.post([held] { FAIL() << "no round ran"; });
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Reactor, RunsUntilItIsStopped) {
    Reactor reactor;
    int rounds = 0;
    const std::function<void()> again = [&] {
        if (++rounds == 3) return reactor.stop();
        reactor.post(again);
    };
    reactor.post(again);
    reactor.run();
    EXPECT_EQ(rounds, 3);
    EXPECT_EQ(reactor.rounds(), 3U);
}

}  // namespace
