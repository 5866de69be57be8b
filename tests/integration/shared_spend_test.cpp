// Several gateways with a ledger each and one Redis: what they spend is one sum, to the nanodollar,
// whatever becomes of the Redis and of them.
#include "served.hpp"

#include "gateway_fixture.hpp"

#include <rotary/control/ledger_file.hpp>
#include <rotary/fleet/spend_words.hpp>

#include <gmock/gmock.h>

#include <support/process.hpp>
#include <support/redis_server.hpp>
#include <support/sanitized.hpp>
#include <support/temp_dir.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// 1,117 tokens in, of which 1,024 cached, and 46 out: 93 * 2,500 + 1,024 * 1,250 + 46 * 10,000.
constexpr std::int64_t kCost = 1'972'500;

std::int64_t today() {
    return std::chrono::floor<std::chrono::days>(wall_now()).time_since_epoch().count();
}

class SharedSpend : public testing::Test {
protected:
    SharedSpend() {
        mock_->respond_with(
            "*", 200, {{"content-type", "application/json"}},
            R"({"usage":{"prompt_tokens":1117,"completion_tokens":46,"total_tokens":1163,)"
            R"("prompt_tokens_details":{"cached_tokens":1024}}})");
        prices_ = dir_.write("p.yaml",
                             "- {provider: \"*\", model: gpt-4o, input: \"2.5\", cached_read: "
                             "\"1.25\", output: 10}\n");
    }

    // A gateway by its number, with the ledger that it had before.
    void start(std::size_t index) {
        if (gateways_.size() <= index) gateways_.resize(index + 1);
        GatewayOptions made = rotating(*mock_, {{"gpt-4o"}});
        made.workers = 1;
        made.process =
            "timeouts: {log_flush: 20ms}\nprices: [" + prices_ +
            "]\nbudgets: {ledger: " + ledger(index) + "}\nstate: {redis: {url: " + redis_.url() +
            ", namespace: test, deadline_ms: " + std::to_string(deadline_.count()) + "}}\n";
        if (!budget_.empty()) {
            made.resources =
                "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: tests}\n"
                "spec: {target: {kind: Consumer, name: tester}, amount: \"" +
                budget_ + "\", period: Total}\n";
        }
        gateways_[index] = std::make_unique<Served>(*mock_, Served::Options{.gateway = made});
    }
    void start_all(std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) start(i);
        for (const auto& gateway : gateways_) {
            ASSERT_TRUE(eventually([&] { return gateway->metric("rotary_redis_up") == 1; }));
        }
    }
    void kill(std::size_t index) {
        gateways_[index]->process().signal(SIGKILL);
        ASSERT_TRUE(gateways_[index]->process().wait(kPatience));
    }
    // So many requests, one after another. How many were answered.
    int drive(std::size_t index, int requests) {
        TestClient client = gateways_[index]->connect();
        int answered = 0;
        for (int i = 0; i < requests; ++i) answered += client.exchange(chat()).status == 200;
        return answered;
    }

    std::string ledger(std::size_t index) const {
        return dir_ / ("ledger-" + std::to_string(index) + ".db");
    }
    std::int64_t written(std::size_t index) const {
        std::int64_t sum = 0;
        try {
            control::LedgerFile file(ledger(index));
            file.read(0, INT32_MAX, [&](const quota::SpendKey&, const quota::Spend& spend) {
                sum += spend.nanos;
            });
        } catch (const std::exception&) {
            return -1;
        }
        return sum;
    }
    std::int64_t ledgers() const {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < gateways_.size(); ++i) sum += written(i);
        return sum;
    }
    // Of the day that it began on, and the next one.
    std::int64_t in_redis() const {
        std::int64_t sum = 0;
        for (const std::int64_t day : {begun_, begun_ + 1}) {
            const std::string total =
                redis_.command({"HGET", fleet::spend_key("test", "USD", day), "t"});
            if (!total.empty()) sum += std::stoll(total);
        }
        return sum;
    }
    std::int64_t spent() const { return static_cast<std::int64_t>(mock_->request_count()) * kCost; }
    // The ledgers, the Redis and the provider say the same.
    void agree() const {
        EXPECT_TRUE(eventually([&] { return ledgers() == spent() && in_redis() == spent(); }))
            << "provider " << spent() << ", ledgers " << ledgers() << ", Redis " << in_redis();
    }
    static ProcessResult rotary_usage(std::vector<std::string> arguments) {
        ProcessOptions start;
        start.command = {ROTARY_BINARY, "usage"};
        start.command.insert(start.command.end(), arguments.begin(), arguments.end());
        return run_process(start);
    }

    const std::int64_t begun_ = today();
    TempDir dir_;
    std::string prices_;
    std::string budget_;
    std::chrono::milliseconds deadline_{20};
    RedisServer redis_;
    std::unique_ptr<mock::MockProvider> mock_ = start_mock();
    std::vector<std::unique_ptr<Served>> gateways_;
};

// A client of each gateway that asks without a pause, until this goes.
class Load {
public:
    explicit Load(const std::vector<std::unique_ptr<Served>>& gateways) {
        for (const auto& gateway : gateways) {
            threads_.emplace_back([this, front = gateway.get()] {
                TestClient client = front->connect();
                while (!stops_) ++(client.exchange(chat()).status == 200 ? answered : failed);
            });
        }
    }
    ~Load() {
        stops_ = true;
        for (std::thread& thread : threads_) thread.join();
    }
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> failed{0};

    void wait_for(std::uint64_t more) const {
        const std::uint64_t end = answered + more;
        EXPECT_TRUE(eventually([&] { return answered >= end; }));
    }

private:
    std::atomic<bool> stops_{false};
    std::vector<std::thread> threads_;
};

TEST_F(SharedSpend, IsOneSumThatEachTells) {
    start_all(2);
    EXPECT_EQ(drive(0, 20), 20);
    EXPECT_EQ(drive(1, 3), 3);
    agree();
    for (const auto& gateway : gateways_) {
        EXPECT_TRUE(eventually([&] {
            return json_at(gateway->admin("/api/v1/status"), "fleet.cost_today_nd") ==
                       std::to_string(23 * kCost) &&
                   gateway->metric("rotary_fleet_cost_today_nanodollars") == 23 * kCost;
        })) << gateway->admin("/api/v1/status");
    }
}

TEST_F(SharedSpend, IsPrintedForTheFleet) {
    start_all(2);
    drive(0, 2);
    drive(1, 1);
    agree();
    const std::string config = gateways_[0]->files().config();
    const ProcessResult table =
        rotary_usage({"--fleet", "-c", config, "--by", "consumer,model,environment"});
    EXPECT_EQ(table.status.code, 0) << table.errors;
    EXPECT_EQ(table.errors, "");
    EXPECT_THAT(
        table.output,
        HasSubstr("\r\ntester,gpt-4o,production,3,0,0,3351,138,3072,0,0,0.0059175,USD\r\n"));
    const ProcessResult focus = rotary_usage({"--fleet", "-c", config, "--format", "focus"});
    EXPECT_EQ(focus.status.code, 0) << focus.errors;
    EXPECT_THAT(focus.output, HasSubstr("\r\n0.0059175,rotary,USD,"));
    EXPECT_THAT(focus.output, HasSubstr("T00:00:00Z,3489,Tokens,")) << "a line is of a whole day";
    const ProcessResult none = rotary_usage({"--fleet", "-c", config, "--since", "2199-01-01"});
    EXPECT_EQ(none.status.code, 0) << none.errors;
    EXPECT_THAT(none.errors, HasSubstr("no replica of test has told of spending on these days"));
    const ProcessResult old = rotary_usage({"--fleet", "-c", config, "--since", "2001-01-01"});
    EXPECT_THAT(old.errors, HasSubstr("keeps 62 days"));
    EXPECT_THAT(old.output, HasSubstr("tester"));
    redis_.kill();
    const ProcessResult away = rotary_usage({"--fleet", "-c", config});
    EXPECT_EQ(away.status.code, 3);
    EXPECT_THAT(away.errors, HasSubstr("the Redis at 127.0.0.1:"));
    EXPECT_EQ(away.output, "");
}

TEST_F(SharedSpend, AgreesBehindAllThatARedisGoesThrough) {
    start_all(3);
    constexpr std::uint64_t kSome = kSanitized ? 20 : 150;
    std::uint64_t failed = 0;
    {
        const Load load(gateways_);
        load.wait_for(kSome);
        redis_.command({"FLUSHALL"});
        redis_.command({"SCRIPT", "FLUSH"});
        load.wait_for(kSome);
        redis_.signal(SIGSTOP);
        const auto frozen = Clock::now();
        EXPECT_TRUE(eventually([&] { return Clock::now() - frozen > 3s; }));
        redis_.signal(SIGCONT);
        load.wait_for(kSome);
        redis_.kill();
        load.wait_for(kSome);
        redis_.start();
        load.wait_for(kSome);
        failed = load.failed;
    }
    EXPECT_EQ(failed, 0u);
    agree();
    std::printf("%llu answers: %lld nanodollars each in ledgers, Redis and by the provider\n",
                static_cast<unsigned long long>(mock_->request_count()),
                static_cast<long long>(in_redis()));
    redis_.command({"FLUSHALL"});  // with none that spends
    agree();
}

TEST_F(SharedSpend, AgreesBehindAReplicaThatIsKilledAndAnEmptyRedis) {
    start_all(2);
    drive(0, 30);
    drive(1, 5);
    ASSERT_TRUE(eventually([&] { return ledgers() == spent(); }));
    kill(0);
    redis_.command({"FLUSHALL"});
    drive(1, 5);
    EXPECT_TRUE(eventually([&] { return in_redis() == written(1); }));
    start(0);
    agree();
    drive(0, 5);
    agree();
    kill(0);
    kill(1);
    redis_.kill();
    redis_.start();
    start_all(2);
    agree();
}

TEST_F(SharedSpend, StaysWithinABudgetOfAll) {
    budget_ = "0.3945";  // 200 answers
    deadline_ = 1s;      // of a loaded machine: one that is passed is a Redis that is away
    constexpr int kMost = 200 + 2 * 3;  // of each of three one in flight, and one not told yet
    start_all(3);
    for (const auto& gateway : gateways_) {
        ASSERT_TRUE(eventually([&] { return gateway->metric("rotary_fleet_replicas") == 3; }));
    }
    std::atomic<int> answered{0};
    in_parallel(gateways_.size(), [&](std::size_t index) { answered += drive(index, 150); });
    std::printf("450 requests at three gateways: %d of 200 answered\n", answered.load());
    EXPECT_LE(answered, kMost);
    EXPECT_GE(answered, 150) << "the rest is with those that had asked for it";
    agree();
    redis_.command({"FLUSHALL"});
    agree();
    kill(2);
    start(2);
    in_parallel(gateways_.size(), [&](std::size_t index) { answered += drive(index, 100); });
    EXPECT_LE(answered, kMost);
    agree();
}

// Each replica tells of its own spend before a request asks: also one that gets no request.
TEST_F(SharedSpend, OfABudgetIsKnownBehindAnEmptyRedisAndARestartOfAll) {
    budget_ = "0.0789";  // 40 answers
    start_all(2);
    EXPECT_EQ(drive(0, 30), 30);
    EXPECT_EQ(drive(1, 5), 5);
    agree();
    kill(0);
    kill(1);
    redis_.kill();
    redis_.start();
    start_all(2);
    agree();
    EXPECT_LE(drive(1, 30), 6) << "what was left, and one above";
    agree();
}

// The same while they run: what was spent long ago is told again with what the ledger has.
TEST_F(SharedSpend, OfABudgetIsKnownBehindAFlush) {
    budget_ = "0.0789";
    start_all(1);
    EXPECT_EQ(drive(0, 30), 30);
    agree();
    kill(0);
    start_all(2);  // the first one has no request from here on, so it has no lease
    redis_.command({"FLUSHALL"});
    agree();
    EXPECT_LE(drive(1, 30), 11);
    agree();
}

TEST_F(SharedSpend, IsToldToItsEndByADrain) {
    start_all(1);
    drive(0, 5);
    gateways_[0]->process().signal(SIGTERM);
    ASSERT_TRUE(gateways_[0]->process().wait(kPatience));
    EXPECT_EQ(in_redis(), 5 * kCost) << "at once: none is left that would tell it";
    EXPECT_EQ(ledgers(), 5 * kCost);
}

}  // namespace
}  // namespace rotary::test
