#include "config/prices/read_prices.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

struct Read {
    std::vector<PriceEntry> prices;
    std::vector<Finding> findings;
};

Read read_list(const std::string& text) {
    Read read;
    std::string unread;
    const Environment environment = variables();
    FileReading reading{"p.yaml", "", environment, read.findings};
    for (const Document& document : parse_yaml("p.yaml", text, read.findings, unread)) {
        read_price_list(reading, document.root, read.prices);
    }
    return read;
}

Read read_litellm(const std::string& text) {
    Read read;
    read_litellm_prices("p.json", text, read.prices, read.findings);
    return read;
}

Picos rate(const PriceEntry& entry, Rate which) {
    return entry.rates[static_cast<std::size_t>(which)].value_or(-1);
}

const PriceEntry* entry_of(const Read& read, std::string_view provider, std::string_view model) {
    const auto found = std::ranges::find_if(read.prices, [&](const PriceEntry& entry) {
        return entry.provider == provider && entry.model == model;
    });
    return found == read.prices.end() ? nullptr : &*found;
}

TEST(PriceLists, AreReadAsTheyAreDocumented) {
    const Read read = read_list(R"(
- {provider: OpenAI, model: gpt-4o-mini, per: 1M, input: "0.15", cached_read: "0.075",
   output: "0.60"}
- provider: Anthropic
  model: claude-sonnet-4-5*
  per: 1K
  input: "3"
  output: 15
  cache_write: "3.75"
  cache_write_long: "6"
  tiers: [{above_input: 300000, input: "9"}, {above_input: 200000, input: "6", output: "22.50"}]
  from: 2026-10-01
- {provider: "*", model: "*", per_request: "0.01", per_image: "0.04", per_second: "0.0001",
   per_web_search: "0.025", per: 1, audio_in: "0.000000000001"}
)");
    EXPECT_EQ(to_text(read.findings), "");
    ASSERT_EQ(read.prices.size(), 3u);
    const PriceEntry& mini = read.prices[0];
    EXPECT_EQ(rate(mini, Rate::input), 150'000);
    EXPECT_EQ(rate(mini, Rate::cached_read), 75'000);
    EXPECT_EQ(rate(mini, Rate::output), 600'000);
    EXPECT_EQ(rate(mini, Rate::cache_write), -1) << "it is not stated";
    EXPECT_FALSE(mini.is_prefix);
    EXPECT_FALSE(mini.from);
    const PriceEntry& claude = read.prices[1];
    EXPECT_TRUE(claude.is_prefix);
    EXPECT_EQ(claude.model, "claude-sonnet-4-5");
    EXPECT_EQ(rate(claude, Rate::output), 15'000'000'000);
    ASSERT_EQ(claude.tiers.size(), 2u);
    EXPECT_EQ(claude.tiers[0].above_input, 200'000u) << "the highest is the last";
    EXPECT_EQ(claude.from, std::chrono::sys_days(std::chrono::October / 1 / 2026));
    const PriceEntry& any = read.prices[2];
    EXPECT_EQ(any.provider, "*");
    EXPECT_EQ(any.model, "");
    EXPECT_EQ(rate(any, Rate::request), 10'000'000'000);
    EXPECT_EQ(rate(any, Rate::second), 100'000'000);
    EXPECT_EQ(rate(any, Rate::audio_in), 1);
}

TEST(PriceLists, NamesEveryMistakeAtItsPlace) {
    struct Row {
        const char* name;
        const char* text;
        const char* finding;
    };
    const Row rows[] = {
        {"no list", "a: 1", "p.yaml:1:1: error: expected a list of prices"},
        {"no mapping", "- 5", "p.yaml:1:3: error: [0]: expected a mapping"},
        {"no provider", "- {model: m, input: 1}", "error: [0].provider: "},
        {"no model", "- {provider: A, input: 1}", "error: [0].model: "},
        {"no rate", "- {provider: A, model: m}", "error: [0]: states no rate"},
        {"a star within", "- {provider: A, model: a*b, input: 1}", "[0].model: may have a '*'"},
        {"negative", "- {provider: A, model: m, input: -1}", "[0].input: must be a decimal"},
        {"a word", "- {provider: A, model: m, input: free}", "[0].input: must be a decimal"},
        {"too fine", "- {provider: A, model: m, input: 0.0000001}", "too many decimals"},
        {"the finest", "- {provider: A, model: m, input: 0.000001}", ""},
        {"too dear", "- {provider: A, model: m, per: 1, input: 1000.1}", "is above 1000 for one"},
        {"the dearest", "- {provider: A, model: m, per: 1, input: 1000}", ""},
        {"another per", "- {provider: A, model: m, per: 2M, input: 1}", "[0].per: "},
        {"no date", "- {provider: A, model: m, input: 1, from: soon}", "[0].from: must be a date"},
        {"no day", "- {provider: A, model: m, input: 1, from: 2026-02-30}", "[0].from: must be"},
        {"an unknown key", "- {provider: A, model: m, inputs: 1, input: 1}", "inputs"},
        {"a tier without its number", "- {provider: A, model: m, input: 1, tiers: [{input: 2}]}",
         "[0].tiers[0].above_input: "},
        {"a tier of nothing", "- {provider: A, model: m, input: 1, tiers: [{above_input: 0}]}",
         "[0].tiers[0].above_input: "},
        {"two tiers alike",
         "- {provider: A, model: m, input: 1, tiers: [{above_input: 5}, {above_input: 5}]}",
         "[0].tiers: two of them"},
        {"services", "- {provider: A, model: m, input: 1, service: {batch: 0.5, priority: 2}}", ""},
        {"the dearest", "- {provider: A, model: m, input: 1, service: {flex: 100}}", ""},
        {"a dearer one", "- {provider: A, model: m, input: 1, service: {flex: 100.000001}}",
         "[0].service.flex: must be a multiple of the price from 0 to 100"},
        {"a negative one", "- {provider: A, model: m, input: 1, service: {flex: -1}}",
         "[0].service.flex: must be a multiple"},
        {"a word", "- {provider: A, model: m, input: 1, service: {flex: half}}",
         "[0].service.flex: must be a multiple"},
        {"too fine", "- {provider: A, model: m, input: 1, service: {flex: 0.0000001}}",
         "[0].service.flex: must be a multiple"},
        {"an unknown service", "- {provider: A, model: m, input: 1, service: {fast: 2}}", "fast"},
        {"a list", "- {provider: A, model: m, input: 1, service: {flex: [1]}}",
         "[0].service.flex: "},
        {"rates of its own", "- {provider: A, model: m, input: 1, service: {flex: {input: 2}}}",
         ""},
        {"no rate of its own", "- {provider: A, model: m, input: 1, service: {flex: {}}}",
         "[0].service.flex: states no rate"},
        {"such a rate that is none",
         "- {provider: A, model: m, input: 1, service: {flex: {input: x}}}",
         "[0].service.flex.input: must be a decimal"},
        {"rates of its own beside tiers",
         "- {provider: A, model: m, input: 1, tiers: [{above_input: 5, input: 2}], service: {flex: "
         "{input: 2}}}",
         "[0].service.flex: must be a multiple"},
    };
    for (const Row& row : rows) {
        const std::string text = to_text(read_list(row.text).findings);
        if (row.finding[0] == '\0') {
            EXPECT_EQ(text, "") << row.name;
        } else {
            EXPECT_NE(text.find(row.finding), text.npos) << row.name << ": " << text;
        }
    }
}

TEST(PriceLists, KnowServices) {
    const Read read = read_list(
        "- {provider: A, model: m, per: 1K, input: 1, service: {batch: 0.5, priority: {input: "
        "1.67}}}");
    EXPECT_EQ(to_text(read.findings), "");
    ASSERT_EQ(read.prices.size(), 1u);
    const auto& [batch, flex, priority] = read.prices[0].services;
    EXPECT_TRUE(batch.is_stated && batch.is_multiple);
    EXPECT_EQ(batch.millionths, 500'000);
    EXPECT_FALSE(flex.is_stated);
    EXPECT_TRUE(priority.is_stated && !priority.is_multiple);
    EXPECT_EQ(priority.rates[0], 1'670'000'000);
}

// An excerpt of the real file: every field that is read, beside many that are not.
TEST(PriceLists, TakesLitellmsAsItIs) {
    const std::string path =
        std::string(ROTARY_SOURCE_DIR) + "/tests/data/prices/litellm_excerpt.json";
    const Read read = read_litellm(read_text(path));
    EXPECT_EQ(to_text(read.findings), "");
    EXPECT_EQ(entry_of(read, "one of the providers", "sample_spec"), nullptr);

    const PriceEntry* mini = entry_of(read, "openai", "gpt-4o-mini");
    ASSERT_NE(mini, nullptr);
    EXPECT_EQ(rate(*mini, Rate::input), 150'000) << "not the batches' nor the priority's";
    EXPECT_EQ(rate(*mini, Rate::cached_read), 75'000);
    EXPECT_EQ(rate(*mini, Rate::output), 600'000);
    EXPECT_EQ(rate(*mini, Rate::web_search), 25'000'000'000);

    const PriceEntry* claude = entry_of(read, "anthropic", "claude-sonnet-4-5");
    ASSERT_NE(claude, nullptr);
    EXPECT_EQ(rate(*claude, Rate::cache_write), 3'750'000);
    EXPECT_EQ(rate(*claude, Rate::cache_write_long), 6'000'000);

    const PriceEntry* gemini = entry_of(read, "gemini", "gemini-2.5-pro");
    ASSERT_NE(gemini, nullptr) << "its name has its provider's before it";
    ASSERT_EQ(gemini->tiers.size(), 1u);
    EXPECT_EQ(gemini->tiers[0].above_input, 200'000u);
    EXPECT_EQ(gemini->tiers[0].rates[0], 2'500'000);
    EXPECT_EQ(rate(*gemini, Rate::input), 1'250'000);
    EXPECT_NE(entry_of(read, "azure", "gpt-4o"), nullptr);
}

TEST(PriceLists, SaysWhatOfLitellmsItCouldNotRead) {
    struct Row {
        const char* name;
        const char* text;
        std::size_t prices;
        const char* finding;
    };
    const Row rows[] = {
        {"no JSON", "[", 0, "p.json:1:1: error: this is no JSON: a '{' is missing"},
        {"no end", "{\n\"m\": {\"input_cost_per_token\": 1", 1,
         "p.json:2:1: error: m: this is no JSON: a ',' is missing"},
        {"a negative price", "{\"m\":\n{\"input_cost_per_token\": -1e-6}}", 0,
         "p.json:2:1: warning: m.input_cost_per_token: \"-1e-6\" is no price: it is not counted"},
        {"a price beyond all bounds", "{\"m\": {\"input_cost_per_token\": 1001}}", 0,
         "is no price"},
        {"a text for a price", "{\"m\": {\"input_cost_per_token\": \"1\"}}", 0, ""},
        {"nothing to count", "{\"m\": {\"mode\": \"chat\"}}", 0, ""},
        {"free", "{\"m\": {\"input_cost_per_token\": 0}}", 1, ""},
        {"no provider", "{\"m\": {\"output_cost_per_token\": 0.5}}", 1, ""},
    };
    for (const Row& row : rows) {
        const Read read = read_litellm(row.text);
        const std::string text = to_text(read.findings);
        EXPECT_EQ(read.prices.size(), row.prices) << row.name;
        EXPECT_NE(text.find(row.finding), text.npos) << row.name << ": " << text;
        EXPECT_EQ(text.empty(), row.finding[0] == '\0') << row.name << ": " << text;
    }
}

}  // namespace
}  // namespace rotary::config
