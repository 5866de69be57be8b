#include <rotary/proxy/spend_record.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

class Recorded : public testing::Test {
protected:
    Recorded() {
        request_.rotate({"m0@a"});
        request_.route().provider = "OpenAI";
        ask();
    }
    void ask() { request_.admit_and_scan("POST /chat/1.0/x", "", "{}"); }
    void use(llm::UsageSource source) {
        Outcome& outcome = request_.exchange.outcome;
        outcome.usage.input = 7;
        outcome.usage.source = source;
        outcome.cost = 9;
        record_.record(request_.exchange, {});
    }
    std::vector<std::array<std::string, quota::SpendKey::kNames>> taken() {
        quota::SpendTable table;
        outbox_.hand_over();
        outbox_.take(table);
        std::vector<std::array<std::string, quota::SpendKey::kNames>> all;
        table.each([&](const quota::SpendKey& key, const quota::Spend& spend) {
            auto& names = all.emplace_back();
            for (std::size_t i = 0; i < names.size(); ++i) names[i] = key.names[i];
            EXPECT_EQ(key.quarter_hour,
                      quota::SpendKey::quarter_hour_of(request_.exchange.request.started_wall));
            sum_ += spend;
        });
        return all;
    }

    OneRequest request_;
    quota::SpendOutbox outbox_;
    int due_ = 0;
    SpendRecord record_{outbox_, [this] { ++due_; }};
    quota::Spend sum_;
};

TEST_F(Recorded, IsByCallerAndEntry) {
    request_.choose();
    request_.exchange.match.consumer = "team-a";
    use(llm::UsageSource::told);
    use(llm::UsageSource::told);
    EXPECT_EQ(due_, 1) << "one hand-over is enough";
    const auto all = taken();
    ASSERT_EQ(all.size(), 1u);
    const std::array<std::string, 6> expected{"team-a", "chat", "production", "OpenAI", "m0", "a"};
    EXPECT_EQ(all.front(), expected);
    EXPECT_EQ(sum_.requests, 2u);
    EXPECT_EQ(sum_.usage.input, 14u);
    EXPECT_EQ(sum_.nanos, 18);
    use(llm::UsageSource::estimated);
    EXPECT_EQ(due_, 2);
}

// usage.charge_failed: each try in a sum of its own.
TEST_F(Recorded, HasTheTriesThatFailedToo) {
    request_.choose();
    FailedTry failed;
    failed.choice = request_.exchange.tries.choice;
    failed.usage.input = 5;
    failed.usage.source = llm::UsageSource::estimated;
    failed.cost = 4;
    request_.exchange.quotas.failed = {failed, failed};
    use(llm::UsageSource::none);
    EXPECT_EQ(taken().size(), 1u);
    EXPECT_EQ(sum_.requests, 2u);
    EXPECT_EQ(sum_.estimated, 2u);
    EXPECT_EQ(sum_.usage.input, 10u);
    EXPECT_EQ(sum_.nanos, 8);
}

TEST_F(Recorded, IsNothingWhereNothingWasUsed) {
    request_.choose();
    use(llm::UsageSource::none);
    EXPECT_EQ(due_, 0);
    EXPECT_TRUE(taken().empty());
}

TEST_F(Recorded, IsNothingForWhatMetNoBackend) {
    use(llm::UsageSource::estimated);
    EXPECT_TRUE(taken().empty());
}

}  // namespace
}  // namespace rotary::proxy
