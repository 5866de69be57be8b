// What an answer costs: in its outcome and in the counters.
#include "proxy/charge.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

// A list of m0, which costs 2 nanodollars a token in and 3 out, and m1, which no price list has.
class Charge : public testing::Test {
protected:
    void ask(std::size_t entry, bool has_prices = true) {
        request_.rotate({"m0@a", "m1@a"});
        config::PriceEntry price;
        price.provider = "*";
        price.model = "m0";
        price.rates[static_cast<std::size_t>(config::Rate::input)] = 2'000;
        price.rates[static_cast<std::size_t>(config::Rate::output)] = 3'000;
        if (has_prices) {
            request_.snapshot->prices =
                std::make_shared<quota::PriceTable>(std::vector<config::PriceEntry>{price});
            for (routing::Entry& one : request_.snapshot->lists.front().entries) {
                one.price = request_.snapshot->prices->find("", one.model);
            }
        }
        request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
        request_.choose(entry);
    }
    void use(std::uint64_t input, std::uint64_t output, llm::UsageSource source) {
        llm::Usage& usage = request_.exchange.outcome.usage;
        usage.input = input;
        usage.output = output;
        usage.source = source;
        charge(request_.context, request_.exchange);
    }
    const CostSeries& series(std::size_t entry) {
        return request_.context.wiring->entries.at(0).at(entry).cost;
    }
    std::uint64_t value(metrics::SeriesId id) { return request_.registry.value(id); }
    std::optional<std::int64_t> cost() { return request_.exchange.outcome.cost; }

    OneRequest request_;
};

TEST_F(Charge, IsByTheEntrysPrice) {
    ask(0);
    use(10, 5, llm::UsageSource::told);
    EXPECT_EQ(cost(), 35);
    EXPECT_EQ(value(series(0).nanos), 35u);
    EXPECT_EQ(value(series(0).unpriced), 0u);
    EXPECT_EQ(value(series(1).nanos), 0u);
}

TEST_F(Charge, HoldsForEstimatesToo) {
    ask(0);
    use(10, 5, llm::UsageSource::estimated);
    EXPECT_EQ(cost(), 35);
}

TEST_F(Charge, IsNoneWhereNothingWasUsed) {
    ask(0);
    use(0, 0, llm::UsageSource::none);
    EXPECT_FALSE(cost());
    EXPECT_EQ(value(series(0).unpriced), 0u);
}

TEST_F(Charge, OfAModelWithoutAPriceIsCountedAsUnknown) {
    ask(1);
    use(10, 5, llm::UsageSource::told);
    EXPECT_FALSE(cost());
    EXPECT_EQ(value(series(1).unpriced), 1u);
    EXPECT_EQ(value(series(1).nanos), 0u);
}

// The second one's price is by what its answer says that it is.
TEST_F(Charge, IsByTheModelThatAnsweredWhereTheOneAskedHasNoPrice) {
    struct Row {
        const char* name;
        std::size_t entry;
        std::string answered;
        std::optional<std::int64_t> cost;
    };
    const std::vector<Row> rows{
        {"one with a price", 1, "m0", 35},
        {"of a date", 1, "m0-2026-10-01", 35},
        {"one without", 1, "m2", std::nullopt},
        {"none", 1, "", std::nullopt},
        {"too long a name", 1, "m0" + std::string(llm::kMostModelBytes, '0'), std::nullopt},
        {"what was asked goes before", 0, "m1", 35},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        ask(row.entry);
        request_.route().prices = request_.snapshot->prices->of("");
        EXPECT_EQ(needs_response_model(request_.exchange), row.entry == 1);
        request_.exchange.keep_response_model(row.answered);
        use(10, 5, llm::UsageSource::told);
        EXPECT_EQ(cost(), row.cost);
        EXPECT_TRUE(request_.exchange.content.asked.name.empty()) << "the entry is what is told";
    }
    request_.snapshot->prices.reset();
    EXPECT_FALSE(needs_response_model(request_.exchange)) << "the entry names it";
}

TEST_F(Charge, OfNoEntryIsByTheModelThatAnswered) {
    ask(0);
    request_.route().prices = request_.snapshot->prices->of("");
    request_.exchange.tries.choice.entry = Choice::kNone;
    EXPECT_TRUE(needs_response_model(request_.exchange));
    request_.exchange.keep_response_model("m0");
    use(10, 5, llm::UsageSource::told);
    EXPECT_EQ(cost(), 35);
    EXPECT_EQ(request_.exchange.content.asked.name, "m0") << "which the ledger has";
    request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_EQ(request_.exchange.response_model(), "");
}

TEST_F(Charge, IsNotAskedForWithoutPriceLists) {
    ask(0, false);
    use(10, 5, llm::UsageSource::told);
    EXPECT_FALSE(cost());
    EXPECT_EQ(request_.registry.scrape().find("rotary_cost_"), std::string::npos);
}

TEST_F(Charge, OfTriesThatFailedIsTheirEntries) {
    ask(0);
    FailedTry failed;
    failed.choice = request_.exchange.tries.choice;
    failed.usage.input = 7;
    request_.exchange.quotas.failed = {failed};
    request_.exchange.tries.choice.entry = 1;
    use(10, 5, llm::UsageSource::told);
    EXPECT_EQ(request_.exchange.quotas.failed.front().cost, 14);
    EXPECT_EQ(value(series(0).nanos), 14u);
    EXPECT_FALSE(cost()) << "the one that answered has no price";
    request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_TRUE(request_.exchange.quotas.failed.empty());
}

TEST_F(Charge, BelongsToOneExchange) {
    ask(0);
    use(10, 5, llm::UsageSource::told);
    request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_FALSE(cost());
    EXPECT_EQ(request_.exchange.outcome.usage, llm::Usage{});
}

}  // namespace
}  // namespace rotary::proxy
