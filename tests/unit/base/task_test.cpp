#include <rotary/base/task.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <string>
#include <utility>
#include <vector>

namespace {

using rotary::Task;

// Suspends its awaiter until somebody opens it.
struct Gate {
    std::coroutine_handle<> waiting;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) noexcept { waiting = awaiter; }
    void await_resume() const noexcept {}
    void open() { std::exchange(waiting, nullptr).resume(); }
};

struct Traced {
    explicit Traced(int& count) : count_(count) { ++count_; }
    Traced(const Traced&) = delete;
    Traced& operator=(const Traced&) = delete;
    ~Traced() { --count_; }
    int& count_;
};

Task<int> answer(int value) { co_return value; }

Task<std::string> late_answer(Gate& gate, std::string value) {
    co_await gate;
    co_return value;
}

Task<void> sum(int rounds, long& total) {
    for (int i = 0; i < rounds; ++i) total += co_await answer(1);
}

TEST(Task, DoesNothingUntilItIsAwaited) {
    long total = 0;
    { const Task<void> task = sum(1, total); }
    EXPECT_EQ(total, 0);
}

TEST(Task, SpawnRunsToItsEndWhenNothingWaits) {
    long total = 0;
    rotary::spawn(sum(3, total));
    EXPECT_EQ(total, 3);
}

// With symmetric transfers that are no tail calls, each round would leave its frames on the stack.
TEST(Task, LoopOverTasksThatEndAtOnceDoesNotDeepenTheStack) {
    long total = 0;
    rotary::spawn(sum(1'000'000, total));
    EXPECT_EQ(total, 1'000'000);
}

Task<void> collect(Gate& gate, std::vector<std::string>& story) {
    story.push_back("before");
    const std::string got = co_await late_answer(gate, "a string too long to fit in itself");
    story.push_back(got);
}

TEST(Task, GoesOnWhereItWaited) {
    Gate gate;
    std::vector<std::string> story;
    rotary::spawn(collect(gate, story));
    EXPECT_EQ(story, std::vector<std::string>{"before"});
    gate.open();
    EXPECT_EQ(story, (std::vector<std::string>{"before", "a string too long to fit in itself"}));
}

Task<void> hold(Gate& gate, int& alive) {
    const Traced traced(alive);
    co_await gate;
}

Task<void> hold_deeper(Gate& gate, int& alive) {
    const Traced traced(alive);
    co_await hold(gate, alive);
}

// Starts a task by hand, as an owner that may drop it would.
struct Started {
    struct promise_type {
        Started get_return_object() {
            return Started{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept {}
    };
    std::coroutine_handle<promise_type> frame;
};

Started start(Task<void> task) { co_await task; }

TEST(Task, DestroyingAWaitingTaskEndsWhatItAwaits) {
    Gate gate;
    int alive = 0;
    const Started started = start(hold_deeper(gate, alive));
    EXPECT_EQ(alive, 2);
    started.frame.destroy();
    EXPECT_EQ(alive, 0);
}

TEST(Task, EndsAreSeenFromTheInsideOut) {
    Gate gate;
    int alive = 0;
    rotary::spawn(hold_deeper(gate, alive));
    EXPECT_EQ(alive, 2);
    gate.open();
    EXPECT_EQ(alive, 0);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(Frames, AreRecycledBySizeClass) {
    struct Row {
        const char* name;
        std::size_t released;
        std::size_t wanted;
        bool same;
    };
    const std::vector<Row> rows = {
        {"the same size", 200, 200, true},
        {"the same class of 64 bytes", 193, 256, true},
        {"the next class", 256, 257, false},
        {"the largest kept", 4096, 4096, true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        void* first = rotary::allocate_frame(row.released);
        rotary::release_frame(first, row.released);
        void* second = rotary::allocate_frame(row.wanted);
        EXPECT_EQ(first == second, row.same);
        rotary::release_frame(second, row.wanted);
    }
}
#endif

TEST(Frames, OfAnySizeAreUsable) {
    for (const std::size_t bytes : {1UL, 64UL, 4096UL, 4097UL, 100'000UL}) {
        char* frame = static_cast<char*>(rotary::allocate_frame(bytes));
        frame[0] = 'x';
        frame[bytes - 1] = 'y';
        rotary::release_frame(frame, bytes);
    }
}

}  // namespace
