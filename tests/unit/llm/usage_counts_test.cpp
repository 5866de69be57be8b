#include <rotary/llm/usage_counts.hpp>

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace rotary::llm {
namespace {

using Said = std::vector<std::pair<Count, std::uint64_t>>;

Usage told(Usage usage) {
    usage.source = UsageSource::told;
    return usage;
}

TEST(UsageOf, AddsWhatIsOutsideAndOnlyThat) {
    struct Row {
        const char* name;
        Said said;
        Usage expected;
    };
    using enum Count;
    const std::vector<Row> rows{
        {"nothing", {}, {}},
        {"a total alone is nothing", {{total, 9}}, {}},
        {"details alone are nothing", {{cached, 9}, {reasoning, 2}}, {}},
        {"zeros are told", {{prompt, 0}, {completion, 0}}, told({})},
        {"embeddings", {{prompt, 8}, {total, 8}}, told({.input = 8})},
        {"chat", {{prompt, 8}, {completion, 3}, {total, 11}}, told({.input = 8, .output = 3})},
        {"a total that is too small",
         {{prompt, 8}, {completion, 3}, {total, 2}},
         told({.input = 8, .output = 3})},
        {"what was thought shows in the total alone",
         {{prompt, 7}, {completion, 12}, {total, 402}},
         told({.input = 7, .output = 395, .reasoning = 383})},
        {"a total without a prompt says nothing of thoughts",
         {{completion, 3}, {total, 50}},
         told({.output = 3})},
        {"thoughts beside the completion, told twice",
         {{prompt, 32}, {completion, 9}, {total, 135}, {reasoning, 94}},
         told({.input = 32, .output = 103, .reasoning = 94})},
        {"a cache inside the prompt",
         {{prompt, 100}, {completion, 1}, {cached, 60}, {cache_hit, 60}, {cache_read, 60}},
         told({.input = 100, .output = 1, .cached_read = 60})},
        {"Anthropic's caches are outside",
         {{input, 3}, {cache_creation, 12304}, {cache_read, 5}, {output, 550}},
         told({.input = 12312, .output = 550, .cached_read = 5, .cache_write = 12304})},
        {"and of those that last, a part",
         {{input, 3}, {cache_creation, 10}, {cache_creation_long, 4}, {output, 1}},
         told({.input = 13, .output = 1, .cache_write = 6, .cache_write_long = 4})},
        {"what lasts is no more than what was written",
         {{input, 3}, {cache_creation, 10}, {cache_creation_long, 99}, {output, 1}},
         told({.input = 13, .output = 1, .cache_write_long = 10})},
        {"a part is no more than its whole",
         {{prompt, 5},
          {completion, 2},
          {cached, 50},
          {reasoning, 9},
          {audio_in, 7},
          {audio_out, 8}},
         told({.input = 5,
               .output = 2,
               .cached_read = 5,
               .audio_in = 5,
               .reasoning = 2,
               .audio_out = 2})},
        {"seconds of sound", {{milliseconds, 9500}}, told({.milliseconds = 9500})},
        {"pictures", {{images, 3}}, told({.images = 3})},
        {"named places go before",
         {{prompt, 5},
          {completion, 2},
          {named_prompt, 50},
          {named_completion, 20},
          {named_total, 75}},
         told({.input = 50, .output = 25, .reasoning = 5})},
        {"one named place", {{named_completion, 20}}, told({.output = 20})},
        {"the largest there are",
         {{input, kMostTokens},
          {cache_creation, kMostTokens},
          {cache_read, kMostTokens},
          {output, kMostTokens}},
         told({.input = 3 * kMostTokens,
               .output = kMostTokens,
               .cached_read = kMostTokens,
               .cache_write = kMostTokens})},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        UsageCounts counts;
        for (const auto& [count, value] : row.said) counts.set(count, value);
        EXPECT_TRUE(usage_of(counts) == row.expected);
    }
}

TEST(UsageCounts, WhatIsSaidAgainReplaces) {
    UsageCounts counts;
    counts.set(Count::output, 3);
    counts.set(Count::output, 15);
    EXPECT_EQ(usage_of(counts).output, 15u);
    counts.erase(Count::output);
    EXPECT_FALSE(counts.any());
}

}  // namespace
}  // namespace rotary::llm
