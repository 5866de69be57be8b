// What requests without a rotation ask for, and what that costs.
#include "proxy/asked_model.hpp"

#include "proxy/admit.hpp"
#include "proxy/charge.hpp"
#include "proxy/limits.hpp"
#include "proxy/select.hpp"
#include "proxy/usage_ask.hpp"

#include <rotary/proxy/spend_record.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using Place = config::ValueLocation::In;

constexpr const char* kMultipart =
    "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm0\r\n--b--\r\n";

// A rule over Backend a, where m0 costs 2 nanodollars a token and each m5 something else.
class AskedModel : public testing::Test {
protected:
    AskedModel() {
        std::vector<config::PriceEntry> prices(2);
        prices[0].provider = prices[1].provider = "*";
        prices[0].model = "m0";
        prices[0].rates.front() = 2'000;
        prices[1].model = "m5";
        prices[1].is_prefix = true;
        prices[1].rates.front() = 5'000;
        request_.snapshot->prices = std::make_shared<quota::PriceTable>(prices);
        request_.route().prices = request_.snapshot->prices->of("OpenAI");
        request_.route().counts_tokens = true;
        stands({Place::body, "model", {}});
    }
    void stands(const config::ValueLocation& location) {
        routing::Placed placed = routing::model_place(location);
        ASSERT_EQ(placed.error, "");
        request_.route().asked_model =
            std::make_shared<routing::ModelPlace>(std::move(placed.place));
    }
    void limit(std::int64_t amount = 1'000'000) {
        quota::Limit limit;
        limit.policy = "budget";
        limit.what = quota::What::cost;
        limit.amount = amount;
        limit.family = std::make_shared<quota::Family>("family");
        request_.route().quotas.costs = {0};
        request_.snapshot->limits = {std::move(limit)};
    }
    // Steps 3 and 4.
    Result<void> ask(const std::string& body, const std::string& headers = "",
                     const std::string& line = "POST /chat/1.0/chat/completions") {
        request_.ask(line, headers, body);
        const auto admitted = admit(request_.context, request_.exchange);
        if (!admitted) return admitted;
        return read_asked_model(request_.context, request_.exchange);
    }
    Result<void> reserve() { return reserve_tokens(request_.context, request_.exchange); }
    FaultKind kind(const Result<void>& step) { return step ? FaultKind::none : step.error().kind; }
    std::string asked() const { return std::string(request_.exchange.content.asked.name); }
    void use(std::uint64_t input) {
        request_.exchange.outcome.usage.input = input;
        request_.exchange.outcome.usage.source = llm::UsageSource::told;
        charge(request_.context, request_.exchange);
    }

    OneRequest request_;
};

TEST_F(AskedModel, IsReadFromBodies) {
    struct Row {
        const char* name;
        const char* type;
        std::string body;
        const char* asked;
        FaultKind with_budget;
    };
    const FaultKind none = FaultKind::none;
    const std::vector<Row> rows{
        {"JSON", "application/json", R"({"n":1,"model":"m0"})", "m0", none},
        {"a prefix", "application/json", R"({"model":"m5-large"})", "m5*", none},
        {"no type", "", R"({"model":"m0"})", "m0", none},
        {"JSON by another name", "text/plain", R"( {"model":"m0"})", "m0", none},
        {"JSON that curl calls a form", "application/x-www-form-urlencoded", R"({"model":"m0"})",
         "m0", none},
        {"escapes", "application/json", R"({"mod\u0065l":"\u006D\u0030"})", "m0", none},
        {"escapes that mean nothing here", "application/json", R"({"model":"m5\n\"\u00e9\\"})",
         "m5*", none},
        {"a dated name", "application/json", R"({"model":"m0-2026-01-01"})", "m0", none},
        {"a form", "application/x-www-form-urlencoded", "a=b&model=%6d0", "m0", none},
        {"multipart", "multipart/form-data; boundary=b", kMultipart, "m0", none},
        {"no price", "application/json", R"({"model":"gpt-4o"})", "", none},
        {"no model", "application/json", "{}", "", none},
        {"no string", "application/json", R"({"model":["m0"]})", "", none},
        {"no text", "audio/wav", "RIFF", "", none},
        {"two models", "application/json", R"({"model":"x","model":"m0"})", "",
         FaultKind::duplicate_model},
        {"what only some parsers read", "application/json", R"({"model":"m0","n":NaN})", "",
         FaultKind::invalid_json},
        {"multipart that some parsers read", "multipart/form-data; boundary=b", "--b\nx", "",
         FaultKind::bad_request},
    };
    for (const bool is_budgeted : {false, true}) {
        if (is_budgeted) limit();
        for (const Row& row : rows) {
            const std::string type(row.type);
            const auto read = ask(row.body, type.empty() ? "" : "content-type: " + type + "\n");
            EXPECT_EQ(kind(read), is_budgeted ? row.with_budget : none) << row.name;
            EXPECT_EQ(asked(), row.asked) << row.name;
        }
    }
}

TEST_F(AskedModel, IsReadWhereverItStands) {
    struct Row {
        const char* name;
        config::ValueLocation location;
        const char* line;
        const char* header;
        const char* body;
        const char* asked;
    };
    const Row rows[] = {
        {"a header",
         {Place::header, "x-model", {}},
         "POST /chat/1.0/x",
         "x-model: m0\n",
         R"({"model":"m5"})",
         "m0"},
        {"no header", {Place::header, "x-model", {}}, "POST /chat/1.0/x", "", "{}", ""},
        {"a parameter", {Place::query, "m", {}}, "POST /chat/1.0/x?a=b&m=m%30", "", "{}", "m0"},
        {"the path",
         {Place::path, "/models/([^/:]+)", {}},
         "POST /chat/1.0/models/m5%2Dx:go",
         "",
         "{}",
         "m5*"},
        {"deep in the body",
         {Place::body, "$.input.model", {}},
         "POST /chat/1.0/x",
         "",
         R"({"model":"m5","input":{"model":"m0"}})",
         "m0"},
    };
    for (const Row& row : rows) {
        stands(row.location);
        EXPECT_TRUE(ask(row.body, row.header, row.line)) << row.name;
        EXPECT_EQ(asked(), row.asked) << row.name;
    }
}

TEST_F(AskedModel, OfAnEncodedBodyIsNotKnown) {
    EXPECT_TRUE(ask("xxx", "content-encoding: gzip\n"));
    EXPECT_EQ(asked(), "");
    limit();
    EXPECT_EQ(kind(ask("xxx", "content-encoding: gzip\n")),
              FaultKind::unsupported_content_encoding);
}

TEST_F(AskedModel, IsPaidFor) {
    EXPECT_TRUE(ask(R"({"model":"m5-large"})"));
    request_.choose();
    use(10);
    EXPECT_EQ(request_.exchange.outcome.cost, 50);
    const CostSeries& series = request_.context.wiring->upstreams[0].cost;
    EXPECT_EQ(request_.registry.value(series.nanos), 50u);
    EXPECT_EQ(request_.registry.value(series.unpriced), 0u);
    quota::SpendOutbox outbox;
    SpendRecord(outbox, [] {}).record(request_.exchange, {});
    quota::SpendTable sums;
    outbox.hand_over();
    outbox.take(sums);
    sums.each([](const quota::SpendKey& key, const quota::Spend& spend) {
        EXPECT_EQ(key.names[4], "m5*") << "of these names there are few";
        EXPECT_EQ(spend.nanos, 50);
    });
    EXPECT_EQ(sums.size(), 1u);
}

TEST_F(AskedModel, WithoutAPriceIsCounted) {
    EXPECT_TRUE(ask(R"({"model":"gpt-4o"})"));
    request_.choose();
    use(10);
    EXPECT_FALSE(request_.exchange.outcome.cost);
    const CostSeries& series = request_.context.wiring->upstreams[0].cost;
    EXPECT_EQ(request_.registry.value(series.unpriced), 1u);
}

TEST_F(AskedModel, IsBoundByBudgets) {
    limit(100);
    ASSERT_TRUE(ask(R"({"model":"m0","messages":[{"content":"hello there"}]})"));
    ASSERT_TRUE(reserve());
    EXPECT_GT(request_.exchange.quotas.estimate[quota::What::cost], 0);
    request_.choose();
    use(50);
    settle_limits(request_.context, request_.exchange);
    ASSERT_TRUE(ask(R"({"model":"m0"})"));
    EXPECT_EQ(kind(reserve()), FaultKind::cost_budget_exceeded);
}

TEST_F(AskedModel, WithoutAPriceMayBeRefused) {
    struct Row {
        const char* name;
        const char* line;
        const char* body;
        FaultKind expected;
    };
    const Row rows[] = {
        {"a price", "POST /chat/1.0/x", R"({"model":"m0"})", FaultKind::none},
        {"no price", "POST /chat/1.0/x", R"({"model":"gpt"})", FaultKind::model_not_allowed},
        {"no model", "POST /chat/1.0/x", "{}", FaultKind::model_not_allowed},
        {"nothing that could name one", "GET /chat/1.0/models", "", FaultKind::none},
    };
    limit();
    for (const bool refuses : {false, true}) {
        request_.snapshot->config.budgets.refuses_unpriced = refuses;
        for (const bool is_budgeted : {false, true}) {
            request_.exchange.quotas.clear();
            request_.route().quotas.costs.resize(is_budgeted ? 1 : 0);
            for (const Row& row : rows) {
                ASSERT_TRUE(ask(row.body, "", row.line)) << row.name;
                EXPECT_EQ(kind(reserve()), refuses && is_budgeted ? row.expected : FaultKind::none)
                    << row.name;
                EXPECT_EQ(request_.exchange.quotas.held.size() == 0,
                          !is_budgeted || (refuses && row.expected != FaultKind::none))
                    << row.name << ": a refused request holds nothing";
            }
        }
    }
}

// The entries of a list are asked for their prices one by one.
TEST_F(AskedModel, OfAListMayBePassedOver) {
    request_.rotate({"m0@a", "free@a", "m1@a"});
    routing::EntryList& list = request_.snapshot->lists.front();
    list.entries[0].price = request_.snapshot->prices->find("", "m0");
    request_.snapshot->by_backend.resize(1);
    request_.snapshot->config.budgets.refuses_unpriced = true;
    limit();
    for (int i = 0; i < 6; ++i) {
        request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
        ASSERT_TRUE(reserve());
        ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
        EXPECT_EQ(request_.exchange.entry()->model, "m0");
        EXPECT_EQ(request_.exchange.tries.attempts, 1u);
    }
    list.entries[0].price = {};
    request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_EQ(kind(reserve()), FaultKind::model_not_allowed) << "none has a price";
    request_.snapshot->config.budgets.refuses_unpriced = false;
    request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_TRUE(reserve());
}

TEST_F(AskedModel, OfAListThatIsOutIsTheClients) {
    request_.rotate({"m0@a"});
    request_.route().backends = {0};
    request_.snapshot->config.routing.on_all_suspended = config::OnAllSuspended::passthrough;
    request_.snapshot->by_backend.resize(1);
    request_.admit_and_scan("POST /chat/1.0/x", "", R"({"model":"m5-x"})");
    request_.state(0).suspend(request_.reactor.now(), std::chrono::minutes(1),
                              rotation::SuspendReason::rate_limited, {});
    ASSERT_TRUE(select(request_.context, request_.exchange, Next::nowhere));
    ASSERT_EQ(request_.exchange.entry(), nullptr);
    EXPECT_EQ(asked(), "m5*");
    use(10);
    EXPECT_EQ(request_.exchange.outcome.cost, 50);
}

TEST_F(AskedModel, OfAStreamIsAskedForItsUsage) {
    ASSERT_TRUE(ask(R"({"model":"m0","stream":true})"));
    plan_usage_ask(request_.context, request_.exchange);
    EXPECT_TRUE(request_.exchange.content.usage_ask);
}

}  // namespace
}  // namespace rotary::proxy
