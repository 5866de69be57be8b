// Spans between the workers and who sends them.
#include <rotary/base/span_queue.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary {
namespace {

SpanQueue::Batch batch(std::string text, std::uint64_t spans = 1) {
    return {std::move(text), spans};
}

TEST(SpanQueue, GivesBackWhatItTookInOrder) {
    SpanQueue queue;
    queue.set_max_bytes(100);
    auto first = batch("{1},{2}", 2);
    EXPECT_TRUE(queue.submit(first));
    EXPECT_TRUE(first.text.empty());
    EXPECT_EQ(first.spans, 0U);
    auto second = batch("{3}");
    EXPECT_TRUE(queue.submit(second));
    EXPECT_EQ(queue.bytes(), 10U);
    const auto taken = queue.take(100);
    EXPECT_EQ(taken.text, "{1},{2},{3}");
    EXPECT_EQ(taken.spans, 3U);
    EXPECT_EQ(queue.bytes(), 0U);
    EXPECT_EQ(queue.take(100).spans, 0U);
}

TEST(SpanQueue, TakesWholeBatchesUpToABound) {
    SpanQueue queue;
    queue.set_max_bytes(100);
    for (const char* text : {"{aaaaaaaa}", "{bb}", "{cc}"}) {
        auto one = batch(text);
        queue.submit(one);
    }
    EXPECT_EQ(queue.take(5).text, "{aaaaaaaa}") << "one is taken, however large";
    EXPECT_EQ(queue.take(8).text, "{bb}");
    EXPECT_EQ(queue.take(9).text, "{cc}");
}

TEST(SpanQueue, DropsAndCountsWhatFindsNoRoom) {
    SpanQueue queue;
    queue.set_max_bytes(10);
    auto fits = batch("{1234567}");
    EXPECT_TRUE(queue.submit(fits));
    auto late = batch("{8}", 7);
    EXPECT_FALSE(queue.submit(late));
    EXPECT_EQ(late.spans, 0U) << "the worker goes on with an empty one";
    EXPECT_EQ(queue.dropped(), 7U);
    queue.take(10);
    auto again = batch("{9}");
    EXPECT_TRUE(queue.submit(again));
    auto nothing = SpanQueue::Batch{};
    EXPECT_TRUE(queue.submit(nothing));
    EXPECT_EQ(queue.dropped(), 7U);
}

}  // namespace
}  // namespace rotary
