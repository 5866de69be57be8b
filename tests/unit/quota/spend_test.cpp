#include <rotary/quota/spend.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

SpendKey key(std::string_view consumer, std::string_view model = "m", std::int64_t hour = 1) {
    SpendKey made;
    made.quarter_hour = hour;
    made.names = {consumer, "api", "production", "OpenAI", model, "b"};
    return made;
}

Spend spend(std::uint64_t input, Nanos nanos) {
    llm::Usage usage;
    usage.input = input;
    usage.source = llm::UsageSource::told;
    return Spend::of(usage, nanos);
}

// "HOUR CONSUMER MODEL" to the nanodollars.
std::map<std::string, Nanos> sums(const SpendTable& table) {
    std::map<std::string, Nanos> all;
    table.each([&](const SpendKey& one, const Spend& spent) {
        std::string name = std::to_string(one.quarter_hour);
        name.append(" ").append(one.names[0]).append(" ").append(one.names[4]);
        EXPECT_TRUE(all.emplace(name, spent.nanos).second) << name << " is there twice";
    });
    return all;
}

using Sums = std::map<std::string, Nanos>;
constexpr std::size_t kMost = 1000;

TEST(Spend, TellsWhatIsNotExact) {
    llm::Usage usage;
    usage.source = llm::UsageSource::estimated;
    const Spend made = Spend::of(usage, std::nullopt);
    EXPECT_EQ(made.requests, 1u);
    EXPECT_EQ(made.unpriced, 1u);
    EXPECT_EQ(made.estimated, 1u);
    EXPECT_EQ(spend(1, 0).unpriced, 0u) << "what is free has a price";
    EXPECT_EQ(spend(1, 0).estimated, 0u);
}

TEST(Spend, AddsUpEveryCount) {
    llm::Usage one;
    one.input = 1;
    one.output = 2;
    one.cached_read = 3;
    one.cache_write = 4;
    one.cache_write_long = 5;
    one.audio_in = 6;
    one.image_in = 7;
    one.reasoning = 8;
    one.audio_out = 9;
    one.milliseconds = 10;
    one.images = 11;
    one.web_searches = 12;
    Spend sum = Spend::of(one, 5);
    sum += Spend::of(one, 7);
    EXPECT_EQ(sum.nanos, 12);
    EXPECT_EQ(sum.requests, 2u);
    EXPECT_EQ(sum.usage.input, 2u);
    EXPECT_EQ(sum.usage.output, 4u);
    EXPECT_EQ(sum.usage.cached_read, 6u);
    EXPECT_EQ(sum.usage.cache_write, 8u);
    EXPECT_EQ(sum.usage.cache_write_long, 10u);
    EXPECT_EQ(sum.usage.audio_in, 12u);
    EXPECT_EQ(sum.usage.image_in, 14u);
    EXPECT_EQ(sum.usage.reasoning, 16u);
    EXPECT_EQ(sum.usage.audio_out, 18u);
    EXPECT_EQ(sum.usage.milliseconds, 20u);
    EXPECT_EQ(sum.usage.images, 22u);
    EXPECT_EQ(sum.usage.web_searches, 24u);
    sum += Spend::of(one, INT64_MAX);
    EXPECT_EQ(sum.nanos, INT64_MAX) << "it does not wrap";
}

TEST(Spend, HoursAreOfUtc) {
    EXPECT_EQ(SpendKey::quarter_hour_of(WallTime(0s)), 0);
    EXPECT_EQ(SpendKey::quarter_hour_of(WallTime(899s)), 0);
    EXPECT_EQ(SpendKey::quarter_hour_of(WallTime(900s)), 1);
    EXPECT_EQ(SpendKey::quarter_hour_of(WallTime(-1s)), -1);
}

TEST(SpendTable, SumsByKey) {
    SpendTable table;
    EXPECT_TRUE(table.add(key("a"), spend(1, 5), kMost));
    EXPECT_TRUE(table.add(key("a"), spend(1, 6), kMost));
    EXPECT_TRUE(table.add(key("a", "n"), spend(1, 7), kMost));
    EXPECT_TRUE(table.add(key("a", "m", 2), spend(1, 8), kMost));
    EXPECT_TRUE(table.add(key(""), spend(1, 9), kMost));
    EXPECT_EQ(sums(table), (Sums{{"1 a m", 11}, {"1 a n", 7}, {"2 a m", 8}, {"1  m", 9}}));
    table.clear();
    EXPECT_TRUE(table.empty());
    table.add(key("b"), spend(1, 1), kMost);
    EXPECT_EQ(sums(table), (Sums{{"1 b m", 1}}));
}

// Names that read alike when they stand side by side are others.
TEST(SpendTable, KnowsWhereANameEnds) {
    SpendTable table;
    SpendKey one = key("ab");
    one.names[1] = "c";
    SpendKey other = key("a");
    other.names[1] = "bc";
    table.add(one, spend(1, 1), kMost);
    table.add(other, spend(1, 2), kMost);
    EXPECT_EQ(table.size(), 2u);
    EXPECT_EQ(sums(table), (Sums{{"1 ab m", 1}, {"1 a m", 2}}));
}

TEST(SpendTable, CutsLongNames) {
    SpendTable table;
    table.add(key(std::string(100'000, 'x')), spend(1, 1), kMost);
    table.each([](const SpendKey& one, const Spend&) {
        EXPECT_EQ(one.names[0].size(), SpendTable::kLongestName);
        EXPECT_EQ(one.names[1], "api");
    });
}

TEST(SpendTable, LosesNoSumForWantOfRoom) {
    SpendTable table;
    constexpr std::size_t kFew = 8;
    std::size_t crowded = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string consumer = "c" + std::to_string(i);
        const std::string model = "m" + std::to_string(i % 3);
        if (!table.add(key(consumer, model), spend(1, 1), kFew)) ++crowded;
    }
    EXPECT_EQ(crowded, 1000 - kFew);
    EXPECT_LE(table.size(), kFew + kFew / 8 + 1);
    const Sums all = sums(table);
    Nanos sum = 0;
    for (const auto& [name, nanos] : all) sum += nanos;
    EXPECT_EQ(sum, 1000);
    EXPECT_EQ(all.at("1 c0 m0"), 1);
    EXPECT_TRUE(all.contains("1 (others) (others)"));
    EXPECT_TRUE(table.add(key("c0", "m0"), spend(1, 1), kFew)) << "known ones keep their sums";
}

TEST(SpendTable, AddsUpTables) {
    SpendTable all;
    SpendTable one;
    for (int i = 0; i < 300; ++i) one.add(key(std::to_string(i)), spend(1, i), kMost);
    EXPECT_EQ(all.add_all(one, kMost), 0u);
    EXPECT_EQ(all.add_all(one, kMost), 0u);
    EXPECT_EQ(all.size(), 300u);
    EXPECT_EQ(sums(all).at("1 299 m"), 598);
    EXPECT_EQ(SpendTable().add_all(one, 100), 200u);
}

TEST(SpendOutbox, HandsOverOnceAndGathersWhileNothingIsTaken) {
    SpendOutbox outbox;
    SpendTable taken;
    EXPECT_FALSE(outbox.hand_over()) << "there is nothing";
    EXPECT_TRUE(outbox.add(key("a"), spend(1, 1), kMost));
    EXPECT_FALSE(outbox.add(key("a"), spend(1, 2), kMost)) << "a hand-over is due already";
    EXPECT_TRUE(outbox.hand_over());
    EXPECT_TRUE(outbox.add(key("a"), spend(1, 4), kMost));
    EXPECT_TRUE(outbox.hand_over()) << "the first is not taken yet";
    outbox.add(key("b"), spend(1, 8), kMost);
    outbox.take(taken);
    EXPECT_EQ(sums(taken), (Sums{{"1 a m", 3}}));
    taken.clear();
    EXPECT_TRUE(outbox.hand_over());
    outbox.take(taken);
    EXPECT_EQ(sums(taken), (Sums{{"1 a m", 4}, {"1 b m", 8}}));
    taken.clear();
    outbox.take(taken);
    EXPECT_TRUE(taken.empty());
}

TEST(SpendOutbox, LosesNothingBetweenTwoThreads) {
    SpendOutbox outbox;
    std::atomic<bool> is_done{false};
    constexpr int kAdds = 20'000;
    std::thread worker([&] {
        for (int i = 0; i < kAdds; ++i) {
            outbox.add(key(std::to_string(i % 17)), spend(1, 1), kMost);
            if (i % 5 == 0) outbox.hand_over();
        }
        is_done = true;
    });
    SpendTable all;
    SpendTable taken;
    while (!is_done) {
        outbox.take(taken);
        all.add_all(taken, kMost);
        taken.clear();
    }
    worker.join();
    for (int i = 0; i < 2; ++i) {
        outbox.take(taken);
        all.add_all(taken, kMost);
        taken.clear();
        outbox.hand_over();
    }
    Nanos sum = 0;
    for (const auto& [name, nanos] : sums(all)) sum += nanos;
    EXPECT_EQ(sum, kAdds);
}

}  // namespace
}  // namespace rotary::quota
