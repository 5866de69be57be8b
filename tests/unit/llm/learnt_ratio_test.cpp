#include <rotary/llm/learnt_ratio.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace rotary::llm {
namespace {

constexpr std::uint32_t kByte = LearntRatio::kByte;

void learn(LearntRatio& ratio, unsigned times, std::uint64_t bytes, std::uint64_t tokens) {
    for (unsigned i = 0; i < times; ++i) ratio.learn(bytes, tokens);
}

TEST(LearntRatio, SixteenAnswersMakeOne) {
    LearntRatio ratio;
    learn(ratio, 15, 4000, 1000);
    EXPECT_EQ(ratio.ratio(), 0u);
    learn(ratio, 1, 4000, 1000);
    EXPECT_EQ(ratio.ratio(), 4 * kByte);
}

TEST(LearntRatio, TheFirstOnesCountAlike) {
    LearntRatio ratio;
    learn(ratio, 8, 2000, 1000);
    learn(ratio, 8, 4000, 1000);
    EXPECT_NEAR(ratio.ratio(), 3 * kByte, 16);
}

TEST(LearntRatio, FollowsWhatChanges) {
    LearntRatio ratio;
    learn(ratio, 16, 2000, 1000);
    ratio.learn(4000, 1000);
    EXPECT_EQ(ratio.ratio(), 2 * kByte + 2 * kByte / 16);
    learn(ratio, 200, 4000, 1000);
    EXPECT_NEAR(ratio.ratio(), 4 * kByte, 16);
}

TEST(LearntRatio, StaysWithinWhatTextsHave) {
    struct Row {
        const char* name;
        std::uint64_t bytes;
        std::uint64_t tokens;
        std::uint32_t ratio;
    };
    for (const Row& row : {
             Row{"a history that the provider keeps", 1000, 100000, LearntRatio::kLeast},
             Row{"one token", 1000000, 1, LearntRatio::kMost},
             Row{"as many tokens as there can be", 4096, UINT64_MAX, LearntRatio::kLeast},
             Row{"as many bytes as there can be", UINT64_MAX, 1, LearntRatio::kMost},
             Row{"short", LearntRatio::kLeastBytes - 1, 100, 0},
             Row{"no token", 1000, 0, 0},
         }) {
        LearntRatio ratio;
        learn(ratio, 16, row.bytes, row.tokens);
        EXPECT_EQ(ratio.ratio(), row.ratio) << row.name;
    }
}

}  // namespace
}  // namespace rotary::llm
