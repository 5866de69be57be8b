// What answers cost: in the log, the metrics and the ledger, and what `rotary usage` makes of it.
#include "served.hpp"

#include "gateway_fixture.hpp"

#include <support/process.hpp>
#include <support/sanitized.hpp>
#include <support/temp_dir.hpp>

#include <rotary/control/ledger_file.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace rotary::test {
namespace {

const mock::HeaderList kJson{{"content-type", "application/json"}};
constexpr const char* kPrices =
    "- {provider: \"*\", model: gpt-4o, input: \"2.5\", cached_read: \"1.25\", output: 10}\n";

// 1,117 tokens in, of which 1,024 cached, and 46 out: 93 * 2,500 + 1,024 * 1,250 + 46 * 10,000.
constexpr std::int64_t kCost = 1'972'500;
constexpr const char* kUsage =
    R"({"usage":{"prompt_tokens":1117,"completion_tokens":46,"total_tokens":1163,)"
    R"("prompt_tokens_details":{"cached_tokens":1024}}})";
// A mock that tells what it used, a price list and a ledger.
class Money : public testing::Test {
protected:
    Money() : mock_(start_mock()) { mock_->respond_with("*", 200, kJson, kUsage); }

    GatewayOptions options(const std::string& prices = kPrices) const {
        GatewayOptions made = rotating(*mock_, {{"gpt-4o"}});
        made.process = "timeouts: {log_flush: 20ms}\nprices: [" + dir_.write("p.yaml", prices) +
                       "]\nbudgets: {ledger: " + ledger() + "}\n";
        return made;
    }
    std::string ledger() const { return dir_ / "ledger.db"; }

    // What the ledger says of all requests so far; nothing while it can't be read.
    quota::Spend spent() const {
        quota::Spend sum;
        try {
            control::LedgerFile file(ledger());
            file.read(0, INT32_MAX, [&](const quota::SpendKey& key, const quota::Spend& spend) {
                sum += spend;
                EXPECT_EQ(key.names[0], "tester");
                EXPECT_EQ(key.names[4], "gpt-4o");
            });
        } catch (const std::exception&) {
            return {};
        }
        return sum;
    }
    static double metric_of_cost(const Gateway& gateway) {
        return sum_of(gateway.admin("/metrics"), "rotary_cost_nanodollars_total",
                      "env=\"production\",model=\"gpt-4o\",backend=\"backend-0\"");
    }
    bool comes_to(std::uint64_t requests) const {
        return eventually([&] { return spent().requests == requests; });
    }
    static ProcessResult rotary_usage(std::vector<std::string> arguments) {
        ProcessOptions start;
        start.command = {ROTARY_BINARY, "usage"};
        start.command.insert(start.command.end(), arguments.begin(), arguments.end());
        return run_process(start);
    }

    TempDir dir_;
    std::unique_ptr<mock::MockProvider> mock_;
};

TEST_F(Money, IsTheSameInTheLogTheMetricsAndTheLedger) {
    const Gateway gateway(options());
    constexpr std::size_t kRequests = 40;
    in_parallel(4, [&](std::size_t) {
        TestClient client = gateway.connect();
        for (std::size_t i = 0; i < kRequests / 4; ++i) {
            EXPECT_EQ(client.exchange(chat()).status, 200U);
        }
    });
    ASSERT_TRUE(comes_to(kRequests));
    const quota::Spend sum = spent();
    EXPECT_EQ(sum.nanos, kRequests * kCost);
    EXPECT_EQ(sum.usage.input, kRequests * 1117);
    EXPECT_EQ(sum.usage.output, kRequests * 46);
    EXPECT_EQ(sum.usage.cached_read, kRequests * 1024);
    EXPECT_EQ(sum.unpriced, 0u);
    EXPECT_EQ(sum.estimated, 0u);
    EXPECT_EQ(metric_of_cost(gateway), static_cast<double>(kRequests * kCost));
    const std::string cost = "\"cost_nd\":" + std::to_string(kCost);
    EXPECT_TRUE(eventually([&] {
        const std::string log = gateway.access_log();
        std::size_t lines = 0;
        for (std::size_t at = log.find(cost); at != log.npos; at = log.find(cost, at + 1)) ++lines;
        return lines == kRequests;
    })) << gateway.access_log();
    EXPECT_EQ(gateway.metric("rotary_ledger_failures_total"), 0);
    EXPECT_EQ(gateway.metric("rotary_ledger_waiting"), 0);
}

TEST_F(Money, IsNotSpentByWhatIsRefused) {
    mock_->respond_with("*", 400, kJson, R"({"error":{"message":"no"}})");
    Gateway gateway(options());
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat()).status, 400U);
    gateway.stop();
    EXPECT_EQ(spent().requests, 0u);
    EXPECT_EQ(gateway.access_log().find("cost_nd"), std::string::npos);
}

// A stream tells what it used when it is asked to, which it is where there is a price.
TEST_F(Money, IsKnownOfStreamsToo) {
    const auto mock = start_mock();
    GatewayOptions made = options();
    made.backends = {backend_of(*mock, "Bearer key-0")};
    const Gateway gateway(made);
    TestClient client = gateway.connect();
    const Response response =
        client.exchange(chat(R"({"model":"x","stream":true,"messages":[{"content":"hi"}]})"));
    EXPECT_EQ(response.body.find("\"choices\":[]"), std::string::npos);
    ASSERT_TRUE(comes_to(1));
    EXPECT_EQ(spent().estimated, 0u);
    EXPECT_GT(spent().nanos, 0);
    EXPECT_EQ(metric_of_cost(gateway), static_cast<double>(spent().nanos));
}

TEST_F(Money, FollowsItsPriceListAtAReload) {
    Gateway gateway(options());
    TestClient client = gateway.connect();
    client.exchange(chat());
    dir_.write("p.yaml", "- {provider: \"*\", model: gpt-4o, per_request: \"0.000000001\"}\n");
    ASSERT_TRUE(gateway.server().reload().ok);
    client.exchange(chat());
    ASSERT_TRUE(comes_to(2));
    EXPECT_EQ(spent().nanos, kCost + 1);
    dir_.write("p.yaml", "- {provider: \"*\", model: gpt-4o, input: much}\n");
    EXPECT_FALSE(gateway.server().reload().ok) << "the old prices stay";
    client.exchange(chat());
    ASSERT_TRUE(comes_to(3));
    EXPECT_EQ(spent().nanos, kCost + 2);
}

// Spent, told, and not forgotten by a restart.
TEST_F(Money, OfABudgetEndsWithIt) {
    GatewayOptions made = options();
    made.resources =
        "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: tests}\nspec: "
        "{target: {kind: Consumer, name: tester}, amount: \"0.003\", period: Total}\n";
    {
        const Gateway gateway(made);
        TestClient client = gateway.connect();
        EXPECT_EQ(client.exchange(chat()).status, 200U);
        EXPECT_EQ(client.exchange(chat()).status, 200U) << "something was left";
        const Response refused = client.exchange(chat());
        EXPECT_EQ(refused.status, 429U);
        EXPECT_NE(refused.body.find("cost_budget_exceeded"), std::string::npos) << refused.body;
        EXPECT_NE(refused.body.find("Budget of 0.003 USD"), std::string::npos) << refused.body;
        EXPECT_NE(refused.body.find("(used 0.003945 USD)"), std::string::npos) << refused.body;
        EXPECT_EQ(refused.header("x-should-retry"), "false");
        const std::string limits = gateway.admin("/api/v1/limits");
        EXPECT_NE(limits.find("\"used\":3945000"), std::string::npos) << limits;
        ASSERT_TRUE(comes_to(2));
    }
    const Gateway again(made);
    TestClient client = again.connect();
    EXPECT_EQ(client.exchange(chat()).status, 429U);
    EXPECT_EQ(mock_->request_count(), 2U);
}

// The client chooses its model there, and pays for it all the same.
TEST_F(Money, OfARouteWithoutARotationIsSpentToo) {
    GatewayOptions made = options();
    made.sandbox = std::move(made.production);
    made.production.clear();
    made.resources =
        "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: tests}\nspec: "
        "{target: {kind: Consumer, name: tester}, amount: \"0.0025\", soft: \"80%\", period: "
        "Total}\n";
    const Gateway gateway(made);
    TestClient client = gateway.connect();
    const Request request = chat(R"({"model":"gpt-4o","messages":[{"content":"hi"}]})");
    const Response first = client.exchange(request);
    EXPECT_EQ(first.status, 200U);
    EXPECT_FALSE(first.header("x-rotary-limit-soft").empty()) << "with what it may cost";
    EXPECT_EQ(client.exchange(request).status, 200U) << "something was left";
    const Response refused = client.exchange(request);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_NE(refused.body.find("cost_budget_exceeded"), std::string::npos) << refused.body;
    ASSERT_TRUE(comes_to(2));
    EXPECT_EQ(spent().nanos, 2 * kCost);
    EXPECT_EQ(sum_of(gateway.admin("/metrics"), "rotary_cost_nanodollars_total",
                     "model=\"\",backend=\"backend-0\""),
              static_cast<double>(2 * kCost));
    EXPECT_TRUE(eventually([&] {
        return gateway.access_log().find("\"cost_nd\":" + std::to_string(kCost)) !=
               std::string::npos;
    }));
}

// Its stream is asked to tell what it used, of which the client sees nothing.
TEST_F(Money, OfAStreamWithoutARotationIsTold) {
    const auto mock = start_mock();
    GatewayOptions made = options();
    made.backends = {backend_of(*mock)};
    made.sandbox = std::move(made.production);
    made.production.clear();
    const Gateway gateway(made);
    TestClient client = gateway.connect();
    const Response response =
        client.exchange(chat(R"({"model":"gpt-4o","stream":true,"messages":[{"content":"hi"}]})"));
    EXPECT_EQ(response.body.find("\"choices\":[]"), std::string::npos);
    ASSERT_TRUE(comes_to(1));
    EXPECT_EQ(spent().estimated, 0u);
    EXPECT_GT(spent().nanos, 0);
    EXPECT_NE(mock->requests().front().body.find("include_usage"), std::string::npos);
}

TEST_F(Money, OfAModelWithoutAPriceMayBeRefused) {
    GatewayOptions made = options("- {provider: \"*\", model: another, input: 1}\n");
    made.process.replace(made.process.find("budgets: {"), 10, "budgets: {unpriced: refuse, ");
    Gateway gateway(made);
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat()).status, 200U) << "no budget applies";
    made.resources =
        "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: tests}\nspec: "
        "{target: {kind: Consumer, name: tester}, amount: \"5\", period: Total}\n";
    gateway.files().write(made);
    ASSERT_TRUE(gateway.server().reload().ok);
    const Response refused = client.exchange(chat());
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(json_at(refused.body, "error.code"), "model_not_allowed") << refused.body;
    EXPECT_EQ(mock_->request_count(), 1U);
}

TEST_F(Money, OfAModelWithoutAPriceIsUnknown) {
    const Gateway gateway(options("- {provider: \"*\", model: another, input: 1}\n"));
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat()).status, 200U);
    ASSERT_TRUE(comes_to(1));
    EXPECT_EQ(spent().unpriced, 1u);
    EXPECT_EQ(gateway.metric("rotary_cost_unpriced_total{model=\"gpt-4o\",backend=\"backend-0\"}"),
              1);
}

// An answer names its model where the request does not.
TEST_F(Money, OfAModelThatOnlyTheAnswerNamesIsSpent) {
    GatewayOptions made = options();
    made.sandbox = std::move(made.production);
    made.production.clear();
    const Gateway gateway(made);
    TestClient client = gateway.connect();
    const std::string answer = R"({"model":"gpt-4o-2024-08-06",)" + std::string(kUsage).substr(1);
    mock_->respond_with("*", 200, kJson, answer);
    EXPECT_EQ(client.exchange(chat(R"({"messages":[{"content":"hi"}]})")).body, answer);
    ASSERT_TRUE(comes_to(1));
    EXPECT_EQ(spent().nanos, kCost);
    EXPECT_TRUE(eventually([&] {
        const std::string log = gateway.access_log();
        return log.find(R"("gen_ai.response.model":"gpt-4o-2024-08-06")") != log.npos &&
               log.find("\"cost_nd\":" + std::to_string(kCost)) != log.npos;
    })) << gateway.access_log();
}

// The same in a header, where its AIProvider says so.
TEST_F(Money, OfAModelThatAHeaderOfTheAnswerNamesIsSpent) {
    GatewayOptions made = options();
    made.sandbox = std::move(made.production);
    made.production.clear();
    Gateway gateway(made);
    std::ifstream file(gateway.files().dir() / "apis/api.yaml");
    std::string resources{std::istreambuf_iterator<char>(file), {}};
    const std::string body = "responseModel: {in: Body, value: model}";
    ASSERT_NE(resources.find(body), std::string::npos);
    resources.replace(resources.find(body), body.size(),
                      "responseModel: {in: Header, value: x-served-by}");
    gateway.files().dir().write("apis/api.yaml", resources);
    ASSERT_TRUE(gateway.server().reload().ok);
    TestClient client = gateway.connect();
    mock_->respond_with("*", 200, {{"content-type", "application/json"}, {"X-Served-By", "gpt-4o"}},
                        std::string(kUsage));
    EXPECT_EQ(client.exchange(chat(R"({"messages":[{"content":"hi"}]})")).status, 200U);
    ASSERT_TRUE(comes_to(1));
    EXPECT_EQ(spent().nanos, kCost);
}

// What a provider says of its service chooses the price, of whole answers and of streams.
TEST_F(Money, OfAnotherServiceIsItsPrice) {
    const Gateway gateway(options(
        "- {provider: \"*\", model: gpt-4o, input: \"2.5\", cached_read: \"1.25\", output: 10, "
        "service: {flex: \"0.5\", priority: 2}}\n"));
    TestClient client = gateway.connect();
    const std::string usage(kUsage);
    const std::string flex = usage.substr(0, usage.size() - 1) + R"(,"service_tier":"flex"})";
    const std::string priority = R"({"service_tier":"priority",)" + usage.substr(1);
    std::int64_t cost = kCost;
    client.exchange(chat());
    mock_->respond_with("*", 200, kJson, flex);
    client.exchange(chat());
    cost += kCost / 2;
    mock_->respond_with("*", 200, kJson, priority);
    client.exchange(chat());
    cost += kCost * 2;
    mock_->respond_with("*", 200, {{"content-type", "text/event-stream"}},
                        "data: " + flex + "\n\ndata: [DONE]\n\n");
    client.exchange(chat(R"({"model":"x","stream":true,"messages":[{"content":"hi"}]})"));
    cost += kCost / 2;
    ASSERT_TRUE(comes_to(4));
    EXPECT_EQ(spent().nanos, cost);
}

TEST_F(Money, ALedgerThatCantBeWrittenHoldsNothingUp) {
    GatewayOptions made = options();
    made.process.replace(made.process.find(ledger()), ledger().size(), dir_ / "in/ledger.db");
    Gateway gateway(made);
    TestClient client = gateway.connect();
    EXPECT_EQ(client.exchange(chat()).status, 200U);
    EXPECT_TRUE(eventually([&] { return gateway.metric("rotary_ledger_failures_total") > 0; }));
    EXPECT_EQ(gateway.metric("rotary_ledger_waiting"), 1);
    EXPECT_EQ(client.exchange(chat()).status, 200U);
    dir_.write("in/other", "");
    EXPECT_TRUE(eventually([&] {
        return gateway.metric("rotary_ledger_waiting") == 0 &&
               gateway.metric("rotary_ledger_writes_total") > 0;
    }));
}

TEST_F(Money, OfAProcessThatIsKilledIsWhole) {
    Served served(*mock_, {.gateway = options()});
    TestClient client = served.connect();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(client.exchange(chat()).status, 200U);
    ASSERT_TRUE(comes_to(20));
    served.process().signal(SIGKILL);
    EXPECT_EQ(spent().nanos, 20 * kCost);
    Served again(*mock_, {.gateway = options()});
    TestClient other = again.connect();
    EXPECT_EQ(other.exchange(chat()).status, 200U);
    ASSERT_TRUE(comes_to(21));
    EXPECT_EQ(spent().nanos, 21 * kCost);
}

// Killed while answers come, all of what was spent is there but for the last moments.
TEST_F(Money, OfAProcessThatIsKilledUnderLoadIsWholeAndHardlyBehind) {
    using Clock = std::chrono::steady_clock;
    Served served(*mock_, {.gateway = options()});
    std::vector<std::vector<Clock::time_point>> answered(4);
    std::atomic<std::uint64_t> answers{0};
    Clock::time_point killed;
    in_parallel(answered.size() + 1, [&](std::size_t number) {
        if (number == answered.size()) {
            constexpr std::uint64_t kEnough = kSanitized ? 100 : 1000;
            while (answers < kEnough) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            killed = Clock::now();
            served.process().signal(SIGKILL);
            return;
        }
        TestClient client = served.connect();
        try {
            while (client.exchange(chat()).status == 200U) {
                answered[number].push_back(Clock::now());
                ++answers;
            }
        } catch (const ClientError&) {  // it was killed
        }
    });
    const quota::Spend sum = spent();
    EXPECT_EQ(sum.nanos, static_cast<std::int64_t>(sum.requests) * kCost) << "each is whole";
    EXPECT_EQ(sum.usage.input, sum.requests * 1117);
    EXPECT_LE(sum.requests, answers + answered.size()) << "nothing is there twice";
    // How far behind: when the last one that is there was answered, were they written in order.
    std::vector<Clock::time_point> all;
    for (const auto& of_client : answered)
        all.insert(all.end(), of_client.begin(), of_client.end());
    std::sort(all.begin(), all.end());
    std::size_t due = 0;  // a machine that is slow has longer turns: the net is wide
    while (due < all.size() && all[due] + std::chrono::seconds(kSanitized ? 20 : 3) < killed) ++due;
    EXPECT_GE(sum.requests, due);
    const bool is_last = sum.requests >= all.size();
    const auto behind =
        is_last ? Clock::duration{} : killed - all[static_cast<std::size_t>(sum.requests)];
    RecordProperty(
        "behind_ms",
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(behind).count()));
}

TEST_F(Money, IsWrittenToItsEndByADrain) {
    Gateway gateway(options());
    TestClient client = gateway.connect();
    for (int i = 0; i < 5; ++i) client.exchange(chat());
    client.close();
    gateway.stop();
    EXPECT_EQ(spent().nanos, 5 * kCost);
}

TEST_F(Money, IsPrintedFromTheLedger) {
    Gateway gateway(options());
    TestClient client = gateway.connect();
    for (int i = 0; i < 2; ++i) client.exchange(chat());
    ASSERT_TRUE(comes_to(2));
    const ProcessResult by_model =
        rotary_usage({"-c", gateway.files().config(), "--by", "consumer,model,environment"});
    EXPECT_EQ(by_model.status.code, 0) << by_model.errors;
    EXPECT_THAT(
        by_model.output,
        testing::HasSubstr("\r\ntester,gpt-4o,production,2,0,0,2234,92,2048,0,0,0.003945,USD\r\n"));
    const ProcessResult focus = rotary_usage({"--ledger", ledger(), "--format", "focus"});
    EXPECT_EQ(focus.status.code, 0) << focus.errors;
    EXPECT_THAT(focus.output, testing::HasSubstr("\r\n0.003945,rotary,USD,"));
    EXPECT_THAT(focus.output, testing::HasSubstr("/gpt-4o,tester,"));
    const ProcessResult future = rotary_usage({"--ledger", ledger(), "--since", "2199-01-01"});
    EXPECT_EQ(future.status.code, 0) << future.errors;
    EXPECT_EQ(future.output.find("tester"), std::string::npos);
}

TEST_F(Money, IsNotPrintedFromWhatIsNoLedger) {
    struct Row {
        const char* name;
        std::vector<std::string> arguments;
        int code;
        const char* said;
    };
    const std::string text = dir_.write("text", std::string(5000, 'x'));
    const std::string none = dir_.write("rotary.yaml", "listeners: [{plaintext: true}]\n");
    const Row rows[] = {
        {"nothing named", {}, 2, "either --config or --ledger"},
        {"both named", {"-c", none, "--ledger", text}, 2, "either --config or --ledger"},
        {"no such file", {"--ledger", dir_ / "no.db"}, 3, "no.db"},
        {"no database", {"--ledger", text}, 3, "text"},
        {"no ledger configured", {"-c", none}, 1, "budgets.ledger names no file"},
        {"no such column", {"--ledger", text, "--by", "team"}, 2, "there is no \"team\""},
        {"columns of FOCUS", {"--ledger", text, "--format", "focus", "--by", "day"}, 2, "--by is"},
        {"no date", {"--ledger", text, "--since", "today"}, 2, "take a date"},
        {"a fleet of one ledger", {"--ledger", text, "--fleet"}, 2, "--fleet is of the replicas"},
        {"a fleet by the hour", {"-c", none, "--fleet", "--by", "hour"}, 2, "kept by the day"},
        {"no fleet", {"-c", none, "--fleet"}, 1, "state.redis.url names no Redis"},
        {"no such format", {"--ledger", text, "--format", "xml"}, 2, "xml"},
    };
    for (const Row& row : rows) {
        const ProcessResult result = rotary_usage(row.arguments);
        EXPECT_EQ(result.status.code, row.code) << row.name << ": " << result.errors;
        EXPECT_THAT(result.errors, testing::HasSubstr(row.said)) << row.name;
        EXPECT_EQ(result.output, "") << row.name;
    }
}

}  // namespace
}  // namespace rotary::test
