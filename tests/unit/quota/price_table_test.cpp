#include <rotary/quota/price_table.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

constexpr auto kToday = std::chrono::sys_days(std::chrono::November / 29 / 2026);

config::PriceEntry entry(const std::string& provider, const std::string& model, Nanos nanos) {
    config::PriceEntry made;
    made.provider = provider;
    made.model = model;
    made.is_prefix = model.ends_with('*');
    if (made.is_prefix) made.model.pop_back();
    made.rates[0] = nanos * 1000;
    return made;
}

Nanos cost_of_one(const Price* price) {
    llm::Usage one;
    one.input = 1;
    return price == nullptr ? -1 : price->cost(one);
}

// What one token costs; -1: there is no price. A model that a client names has the same one.
Nanos cost(const PriceTable& table, std::string_view provider, std::string_view model,
           WallTime now = kToday) {
    const Nanos cost = cost_of_one(table.find(provider, model).at(now));
    EXPECT_EQ(cost_of_one(table.of(provider).find(model, now).price), cost) << model;
    return cost;
}

TEST(PriceTable, FindsTheClosestName) {
    const PriceTable table({
        entry("OpenAI", "gpt-4o", 1),
        entry("OpenAI", "gpt-4o*", 2),
        entry("OpenAI", "gpt-*", 3),
        entry("OpenAI", "gpt-4o-2024-05-13", 4),
        entry("*", "llama*", 5),
        entry("*", "gpt-5", 6),
        entry("azure", "gpt-4o", 7),
        entry("bedrock_converse", "anthropic.claude", 8),
        entry("Own Farm", "*", 9),
    });
    struct Row {
        const char* name;
        const char* provider;
        const char* model;
        Nanos cost;
    };
    const Row rows[] = {
        {"exact", "OpenAI", "gpt-4o", 1},
        {"without case", "openai", "gpt-4o", 1},
        {"exact before its undated name", "OpenAI", "gpt-4o-2024-05-13", 4},
        {"without a date", "OpenAI", "gpt-4o-2024-08-06", 1},
        {"without a short date", "OpenAI", "gpt-4o-20240806", 1},
        {"without a date behind an at", "OpenAI", "gpt-4o@20240806", 1},
        {"no date", "OpenAI", "gpt-4o-2024-08-xx", 2},
        {"the longest prefix", "OpenAI", "gpt-4o-mini", 2},
        {"a shorter prefix", "OpenAI", "gpt-3.5", 3},
        {"its own prefix before any provider's exact name", "OpenAI", "gpt-5", 3},
        {"any provider", "Groq", "llama-4", 5},
        {"any provider, exact", "Groq", "gpt-5", 6},
        {"no such model", "OpenAI", "o1", -1},
        {"models have their case", "OpenAI", "GPT-4o", -1},
        {"no such provider", "Groq", "gpt-4o", -1},
        {"no provider's name at all", "", "llama-4", 5},
        {"APK's name", "AzureOpenAI", "gpt-4o", 7},
        {"another of APK's", "AWSBedrock", "anthropic.claude", 8},
        {"punctuation", "own-farm", "anything", 9},
        {"an empty model", "OpenAI", "", -1},
        {"no model, a price for all", "own farm", "", 9},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(cost(table, row.provider, row.model), row.cost) << row.name;
    }
    EXPECT_TRUE(table.find("OpenAI", "o1").empty());
    EXPECT_FALSE(table.find("OpenAI", "gpt-4o").empty());
}

TEST(PriceTable, LaterListsGoBeforeEarlierOnes) {
    const PriceTable table({entry("A", "m", 1), entry("a", "m", 2)});
    EXPECT_EQ(cost(table, "A", "m"), 2);
}

TEST(PriceTable, TakesTheNewestThatIsNotInTheFuture) {
    auto next = entry("A", "m", 3);
    next.from = kToday + std::chrono::days(1);
    auto now = entry("A", "m", 2);
    now.from = kToday;
    auto future = entry("A", "new", 7);
    future.from = kToday + std::chrono::days(1);
    const PriceTable table({next, now, entry("A", "m", 1), future, entry("A", "n*", 6)});
    EXPECT_EQ(cost(table, "A", "m", kToday - 1s), 1);
    EXPECT_EQ(cost(table, "A", "m", kToday), 2);
    EXPECT_EQ(cost(table, "A", "m", kToday + 24h - 1s), 2);
    EXPECT_EQ(cost(table, "A", "m", kToday + 24h), 3);
    EXPECT_EQ(cost(table, "A", "new", kToday), 6) << "until then the prefix holds";
    EXPECT_EQ(cost(table, "A", "new", kToday + 24h), 7);
}

TEST(PriceTable, TellsWhatItsListsCallAModel) {
    const PriceTable table(
        {entry("OpenAI", "gpt-4o", 1), entry("OpenAI", "gpt-4*", 2), entry("*", "*", 3)});
    const ProviderPrices prices = table.of("openai");
    EXPECT_EQ(prices.find("gpt-4o-2024-08-06", kToday).name, "gpt-4o");
    EXPECT_EQ(prices.find("gpt-4-turbo", kToday).name, "gpt-4*");
    EXPECT_EQ(prices.find("what a client likes", kToday).name, "*");
    EXPECT_EQ(ProviderPrices().find("gpt-4o", kToday).price, nullptr);
}

// However many prefixes are near misses.
TEST(PriceTable, FindsTheLongestOfManyPrefixes) {
    std::vector<config::PriceEntry> entries;
    for (Nanos i = 1; i <= 200; ++i) {
        entries.push_back(entry("p", std::string(static_cast<std::size_t>(i), 'a') + "b*", i));
    }
    entries.push_back(entry("p", "aaa*", 1000));
    const PriceTable table(entries);
    EXPECT_EQ(cost(table, "p", std::string(77, 'a') + "bc"), 77);
    EXPECT_EQ(cost(table, "p", std::string(77, 'a') + "c"), 1000);
    EXPECT_EQ(cost(table, "p", std::string(300, 'a')), 1000);
    EXPECT_EQ(cost(table, "p", "aac"), -1);
}

}  // namespace
}  // namespace rotary::quota
