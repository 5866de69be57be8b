#include <rotary/net/deadline.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rotary::net::DeadlineNode;
using rotary::net::Deadlines;
using rotary::net::SteadyTime;
using std::chrono::steady_clock;

// Generous for a busy machine; the wheel itself adds one tick at most.
constexpr auto kSlack = Deadlines::kTick + 200ms;

struct Fired {
    DeadlineNode* node;
    SteadyTime at;
};

// Runs the wheel until nothing is armed: the tick timer is the context's only work.
class DeadlinesTest : public ::testing::Test {
protected:
    DeadlinesTest() {
        wheel_.on_expired_context = this;
        wheel_.on_expired = [](DeadlineNode& node, void* self) {
            static_cast<DeadlinesTest*>(self)->expired(node);
        };
    }
    void expired(DeadlineNode& node) {
        EXPECT_FALSE(node.armed());
        fired_.push_back({&node, steady_clock::now()});
        if (also_disarm_ != nullptr) wheel_.disarm(*also_disarm_);
        if (also_arm_ != nullptr)
            wheel_.arm(*std::exchange(also_arm_, nullptr), steady_clock::now());
    }

    boost::asio::io_context context_{1};
    Deadlines wheel_{context_};
    std::vector<Fired> fired_;
    DeadlineNode* also_disarm_ = nullptr;
    DeadlineNode* also_arm_ = nullptr;
};

TEST_F(DeadlinesTest, FireNeverEarlyAndSoonAfter) {
    std::deque<DeadlineNode> nodes;
    const SteadyTime start = steady_clock::now();
    for (const auto after : {0us, 1us, 3700us, 9999us, 10000us, 10001us, 25000us, 61234us}) {
        wheel_.arm(nodes.emplace_back(), start + after);
    }
    wheel_.arm(nodes.emplace_back(), start - 5s);
    context_.run();
    ASSERT_EQ(fired_.size(), nodes.size());
    for (const Fired& fired : fired_) {
        EXPECT_GE(fired.at, fired.node->expiry);
        EXPECT_LE(fired.at, std::max(fired.node->expiry, start) + kSlack);
    }
}

// 1024 slots of 10 ms: the hand passes an entry of the next turn without touching it.
TEST_F(DeadlinesTest, OneMoreThanATurnAwayStays) {
    DeadlineNode near;
    DeadlineNode far;
    const SteadyTime soon = steady_clock::now() + 20ms;
    wheel_.arm(near, soon);
    wheel_.arm(far, soon + 1024 * Deadlines::kTick);
    while (fired_.empty()) context_.run_one();
    EXPECT_EQ(fired_.front().node, &near);
    context_.run_for(40ms);
    EXPECT_EQ(fired_.size(), 1U);
    EXPECT_TRUE(far.armed());
    wheel_.disarm(far);
}

TEST_F(DeadlinesTest, DisarmedOneDoesNotFireAndTheTickStops) {
    DeadlineNode node;
    wheel_.arm(node, steady_clock::now() + 10ms);
    wheel_.disarm(node);
    EXPECT_FALSE(node.armed());
    wheel_.disarm(node);
    context_.run();
    EXPECT_TRUE(fired_.empty());
}

TEST_F(DeadlinesTest, NothingRunsWhileNothingIsArmed) {
    EXPECT_EQ(context_.run(), 0U);
    DeadlineNode node;
    wheel_.arm(node, steady_clock::now());
    context_.restart();
    context_.run();
    context_.restart();
    EXPECT_EQ(context_.run(), 0U);
    EXPECT_EQ(fired_.size(), 1U);
}

TEST_F(DeadlinesTest, ArmingAgainMovesIt) {
    DeadlineNode node;
    const SteadyTime start = steady_clock::now();
    wheel_.arm(node, start);
    wheel_.arm(node, start + 40ms);
    context_.run();
    ASSERT_EQ(fired_.size(), 1U);
    EXPECT_GE(fired_.front().at, start + 40ms);
}

TEST_F(DeadlinesTest, CallbackMayDisarmAnotherOfTheSameTick) {
    DeadlineNode first;
    DeadlineNode second;
    const SteadyTime now = steady_clock::now();
    wheel_.arm(first, now);
    wheel_.arm(second, now);
    also_disarm_ = &second;
    context_.run();
    ASSERT_EQ(fired_.size(), 1U);
    EXPECT_EQ(fired_.front().node, &first);
}

TEST_F(DeadlinesTest, CallbackMayArmAnother) {
    DeadlineNode first;
    DeadlineNode second;
    also_arm_ = &second;
    wheel_.arm(first, steady_clock::now());
    context_.run();
    ASSERT_EQ(fired_.size(), 2U);
    EXPECT_EQ(fired_.back().node, &second);
}

TEST_F(DeadlinesTest, StoppedOneLetsTheContextEnd) {
    DeadlineNode node;
    wheel_.arm(node, steady_clock::now() + 1h);
    wheel_.stop();
    context_.run();
    EXPECT_TRUE(fired_.empty());
    wheel_.disarm(node);
}

TEST(Deadlines, MayGoWhileTheirTickIsQueued) {
    boost::asio::io_context context(1);
    DeadlineNode node;
    {
        Deadlines wheel(context);
        wheel.arm(node, steady_clock::now());
        wheel.disarm(node);
    }
    context.run();
}

}  // namespace
