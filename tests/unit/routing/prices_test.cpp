// What price lists mean to the entries of a snapshot.
#include <rotary/routing/snapshot.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

config::PriceEntry price(const std::string& provider, const std::string& model) {
    config::PriceEntry made;
    made.provider = provider;
    made.model = model;
    made.is_prefix = model.ends_with('*');
    if (made.is_prefix) made.model.pop_back();
    made.rates.front() = 1'000;
    return made;
}

struct Compiled {
    std::shared_ptr<const Snapshot> snapshot;
    std::string findings;
};

// The configuration that is shipped, whose provider is OpenAI.
Compiled compiled(std::vector<config::PriceEntry> prices) {
    config::Loaded loaded =
        config::load(std::string(ROTARY_SOURCE_DIR) + "/config/rotary.yaml", config::variables());
    loaded.prices = std::move(prices);
    SharedState shared;
    std::vector<config::Finding> findings;
    Compiled made{compile(loaded, shared, findings), {}};
    made.findings = config::to_text(findings);
    return made;
}

TEST(EntryPrices, AreFoundByProviderAndModel) {
    const Compiled made =
        compiled({price("openai", "gpt-4o"), price("openai", "gpt-*"), price("*", "o1*"),
                  price("*", "text-*"), price("*", "whisper-*")});
    ASSERT_TRUE(made.snapshot);
    std::size_t entries = 0;
    for (const EntryList& list : made.snapshot->lists) {
        for (const Entry& entry : list.entries) {
            EXPECT_NE(entry.price.at(WallTime{}), nullptr) << entry.id;
            ++entries;
        }
    }
    EXPECT_GT(entries, 0u);
    for (const Route& route : made.snapshot->routes) {
        EXPECT_TRUE(route.counts_tokens) << "streams must be asked for their usage";
    }
    EXPECT_EQ(made.findings.find("no price list"), std::string::npos) << made.findings;
}

TEST(EntryPrices, ThatAreMissingAreAWarningAtTheModel) {
    const Compiled made = compiled({price("Anthropic", "*")});
    ASSERT_TRUE(made.snapshot);
    for (const EntryList& list : made.snapshot->lists) {
        for (const Entry& entry : list.entries) EXPECT_TRUE(entry.price.empty()) << entry.id;
    }
    EXPECT_NE(made.findings.find("warning: "), std::string::npos);
    EXPECT_NE(made.findings.find("no price list has the model \"gpt-4o\" of provider \"OpenAI\""),
              std::string::npos)
        << made.findings;
}

TEST(EntryPrices, AreNotAskedForWithoutPriceLists) {
    const Compiled made = compiled({});
    ASSERT_TRUE(made.snapshot);
    EXPECT_EQ(made.snapshot->prices, nullptr);
    for (const Route& route : made.snapshot->routes) EXPECT_FALSE(route.counts_tokens);
    EXPECT_EQ(made.findings.find("price"), std::string::npos) << made.findings;
}

}  // namespace
}  // namespace rotary::routing
