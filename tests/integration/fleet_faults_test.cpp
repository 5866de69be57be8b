// Two gateways on one Redis, clients of both, and each thing that may happen to a Redis meanwhile.
#include "gateway_fixture.hpp"
#include "paced_client.hpp"

#include <support/faulty_provider.hpp>
#include <support/redis_server.hpp>
#include <support/sanitized.hpp>
#include <support/temp_dir.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr const char* kMoody = "chat-api/production/moody@backend-0";
constexpr std::size_t kSmall = 400;  // requests of the small limit
constexpr std::size_t kWide = 10'000;
constexpr std::size_t kInput = 10;  // tokens of each answer
constexpr std::size_t kOutput = 5;
// A bucket: 30 ms, of which 20 are the deadline.
constexpr const char* kLongestWait = kSanitized ? "le=\"0.1\"" : "le=\"0.03\"";
constexpr const char* kAnswer =
    R"({"id":"1","object":"chat.completion","model":"any","choices":[{"index":0,"message":)"
    R"({"role":"assistant","content":"hi"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})";

// Of a day, so that no test is in two windows: a limit that nothing reaches, a small one, and one
// for each value of a header, so that a request of a new one has to wait for a lease; limits of
// tokens, and a budget.
std::string shared_limits() {
    const auto requests = [](const char* name, const std::string& what, std::size_t most) {
        return std::string("---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\n") +
               "metadata: {name: " + name + "}\nspec:\n  default: {" + what +
               "requestsPerUnit: " + std::to_string(most) + ", unit: Day}}\n";
    };
    return requests("wide", "api: {", kWide) +
           "  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}\n" +
           requests("small", "custom: {key: \"header:X-Small\", value: \"yes\", ", kSmall) +
           requests("each", "custom: {key: \"header:X-Each\", ", 1000) +
           "---\nkind: AIRateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\n"
           "metadata: {name: tokens}\nspec:\n  default: {tokenCount: {requestTokenCount: "
           "1000000000, responseTokenCount: 1000000000, totalTokenCount: 1000000000, unit: Day}}\n"
           "  targetRef: {group: dp.wso2.com, kind: Backend, name: backend-0}\n"
           "---\nkind: Budget\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: money}\n"
           "spec: {target: {kind: Consumer, name: tester}, amount: \"1000000\", period: Total}\n";
}

void wait_until(Clock::time_point time) {
    ASSERT_TRUE(eventually([&] { return Clock::now() > time; }));
}

// The fleet, its Redis and its clients.
class Fleet {
public:
    explicit Fleet(bool has_sentinel) {
        if (has_sentinel) watch_master();
        redis.command(
            {"ACL", "SETUSER", "gateway", "on", ">first", "allkeys", "allchannels", "+@all"});
        password("first");
        prices_ = dir_.write("p.yaml",
                             "- {provider: \"*\", model: \"*\", input: \"2.5\", output: \"10\"}\n");
        provider.set_planner([this](const ProviderRequest& request) { return plan(request); });
        for (std::size_t i = 0; i < 2; ++i) start(i);
    }

    void start(std::size_t index) {
        GatewayOptions options;
        options.backends = {provider.backend("Bearer " + std::to_string(index))};
        options.production = {{"moody"}, {"well"}};
        options.sandbox = {{"small"}};
        options.provider = "{in: Header, value: x-model}";
        const std::string place =
            sentinel ? "redis://gateway@127.0.0.1, sentinels: [\"127.0.0.1:" +
                           std::to_string(sentinel->port()) + "\"], master_name: mine"
                     : "redis://gateway@127.0.0.1:" + std::to_string(redis.port());
        options.process = "prices: [" + prices_ + "]\nstate: {redis: {url: " + place +
                          ", namespace: test, password_file: " + password_file_ + "}}\n";
        options.resources = shared_limits();
        gateways.push_back(std::make_unique<Gateway>(options));
    }
    void password(const std::string& text) {
        password_file_ = dir_.write("redis.password", text + "\n");
    }

    bool wait_for_link(const char* state) const {
        return eventually(
            [&] {
                return std::all_of(gateways.begin(), gateways.end(), [&](const auto& gateway) {
                    return json_at(gateway->admin("/api/v1/status"), "fleet.state") == state;
                });
            },
            30s);
    }
    bool wait_until_moody_is(bool out) const {
        return eventually([&] {
            return std::all_of(gateways.begin(), gateways.end(), [&](const auto& gateway) {
                return (entry_field(*gateway, "moody", "state") != "active") == out;
            });
        });
    }
    double sum(const std::string& name, const std::string& with = "") const {
        double all = 0;
        for (const auto& gateway : gateways) all += sum_of(gateway->admin("/metrics"), name, with);
        return all;
    }
    // Whether Redis has a limit of which all replicas together have that much.
    bool has_limit_of(std::size_t least, std::size_t most) const {
        const RedisServer& master = is_promoted ? *follower : redis;
        std::istringstream lines(
            master.command({"EVAL",
                            "local all = {} "
                            "for i, key in ipairs(redis.call('KEYS', ARGV[1])) do "
                            "all[i] = redis.call('HGET', key, 't') end return all",
                            "0", "{rotary:test}:w:*"}));
        for (std::size_t taken = 0; lines >> taken;) {
            if (least <= taken && taken <= most) return true;
        }
        return false;
    }

    RedisServer redis;
    std::unique_ptr<RedisServer> follower;
    std::unique_ptr<RedisServer> sentinel;
    FaultyProvider provider;
    std::atomic<bool> refuses{false};  // requests for "moody"
    std::vector<std::unique_ptr<Gateway>> gateways;
    bool is_promoted = false;

private:
    ProviderPlan plan(const ProviderRequest& request) const {
        ProviderPlan plan;
        ProviderAnswer answer;
        answer.body = kAnswer;
        if (refuses && request.header("x-model") == "moody") {
            answer.status = 429;
            answer.body = R"({"error":{"message":"Too fast.","code":"rate_limit_exceeded"}})";
        }
        plan.answer = answer;
        return plan;
    }
    void watch_master() {
        const std::string port = std::to_string(redis.port());
        RedisOptions following;
        following.arguments = {"--replicaof", "127.0.0.1", port};
        follower = std::make_unique<RedisServer>(following);
        follower->command(
            {"ACL", "SETUSER", "gateway", "on", ">first", "allkeys", "allchannels", "+@all"});
        ASSERT_TRUE(follower->wait_for_link());
        RedisOptions watching;
        watching.sentinel = true;
        watching.settings = "sentinel monitor mine 127.0.0.1 " + port +
                            " 1\nsentinel down-after-milliseconds mine 300\n"
                            "sentinel failover-timeout mine 2000\n";
        sentinel = std::make_unique<RedisServer>(watching);
        ASSERT_TRUE(eventually([&] {
            const std::string known = sentinel->command({"sentinel", "replicas", "mine"});
            return known.find("port") != std::string::npos;
        }));
    }

    TempDir dir_;
    std::string password_file_;
    std::string prices_;
};

struct Fault {
    const char* name;
    // Begins it; `meanwhile` is to be called while it is on, before it ends.
    void (*happens)(Fleet& fleet, const std::function<void()>& meanwhile);
    bool has_sentinel = false;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

const Fault kFaults[] = {
    {"KilledAndEmpty",
     [](Fleet& fleet, const auto& meanwhile) {
         const auto begun = Clock::now();
         fleet.redis.kill();
         meanwhile();
         wait_until(begun + 2s);
         fleet.redis.start();
         fleet.redis.command(
             {"ACL", "SETUSER", "gateway", "on", ">first", "allkeys", "allchannels", "+@all"});
     }},
    {"Frozen",
     [](Fleet& fleet, const auto& meanwhile) {
         const auto begun = Clock::now();
         fleet.redis.signal(SIGSTOP);
         meanwhile();
         wait_until(begun + 3s);
         fleet.redis.signal(SIGCONT);
     }},
    {"Flushed",
     [](Fleet& fleet, const auto& meanwhile) {
         fleet.redis.command({"FLUSHALL"});
         meanwhile();
     }},
    {"WithoutScripts",
     [](Fleet& fleet, const auto& meanwhile) {
         fleet.redis.command({"SCRIPT", "FLUSH"});
         meanwhile();
     }},
    {"Full",
     [](Fleet& fleet, const auto& meanwhile) {
         const auto begun = Clock::now();
         fleet.redis.command({"CONFIG", "SET", "maxmemory", "1"});
         meanwhile();
         wait_until(begun + 1500ms);
         fleet.redis.command({"CONFIG", "SET", "maxmemory", "0"});
     }},
    {"OfAnotherPassword",
     [](Fleet& fleet, const auto& meanwhile) {
         fleet.redis.command({"ACL", "SETUSER", "gateway", "resetpass", ">second"});
         meanwhile();  // those who are there may stay
         fleet.redis.command({"CLIENT", "KILL", "USER", "gateway"});
         ASSERT_TRUE(fleet.wait_for_link("away"));
         fleet.password("second");
     }},
    {"Promoted",
     [](Fleet& fleet, const auto& meanwhile) {
         fleet.redis.kill();
         meanwhile();
         fleet.is_promoted = true;
     },
     true},
};

class FleetFaults : public testing::TestWithParam<Fault> {
protected:
    // What requests of both gateways waited for leases, as these have measured it.
    struct Waits {
        double all = 0;
        double over = 0;  // longer than they may
    };

    void play(Waits& waits);
    void check_sums(const Fleet& fleet,
                    const std::vector<std::unique_ptr<PacedClient>>& clients) const;
};

INSTANTIATE_TEST_SUITE_P(Redis, FleetFaults, testing::ValuesIn(kFaults),
                         [](const auto& row) { return std::string(row.param.name); });

// One number wherever it is read: at the provider, in metrics, in Redis.
void FleetFaults::check_sums(const Fleet& fleet,
                             const std::vector<std::unique_ptr<PacedClient>>& clients) const {
    const std::size_t wide = clients[0]->admitted() + clients[1]->admitted();
    const std::size_t small = clients[2]->admitted() + clients[3]->admitted();
    const std::size_t well = wide + small;
    const std::size_t refused = clients[2]->refused() + clients[3]->refused();
    const auto as_sum = [](std::size_t count) { return static_cast<double>(count); };
    EXPECT_EQ(fleet.sum("rotary_upstream_requests_total"), as_sum(fleet.provider.request_count()));
    EXPECT_EQ(fleet.sum("rotary_requests_total", "code=\"200\""), as_sum(well));
    EXPECT_EQ(fleet.sum("rotary_tokens_total", "type=\"input\""), as_sum(well * kInput));
    EXPECT_EQ(fleet.sum("rotary_tokens_total", "type=\"output\""), as_sum(well * kOutput));
    EXPECT_EQ(fleet.sum("rotary_cost_nanodollars_total"),
              as_sum(well * (kInput * 2500 + kOutput * 10'000)));
    const auto decisions = [&](const std::string& limit) {
        return fleet.sum("rotary_limit_decisions_total", limit + ",decision=\"admitted\"");
    };
    const double admitted = decisions("policy=\"wide\",scope=\"api\"");
    EXPECT_GE(admitted, as_sum(well));
    EXPECT_LE(admitted, as_sum(well + refused));  // by the small one, which is asked behind it
    EXPECT_EQ(decisions("policy=\"small\",scope=\"custom\""), as_sum(small));
    // What was used while Redis was away is told; of what is granted some lies idle. Other limits
    // count tokens and money, and have more.
    EXPECT_TRUE(eventually([&] { return fleet.has_limit_of(small, small + kSmall / 4); }));
    EXPECT_TRUE(eventually([&] { return fleet.has_limit_of(wide, wide + kWide / 8); }));
}

void FleetFaults::play(Waits& waits) {
    Fleet fleet(GetParam().has_sentinel);
    EXPECT_TRUE(fleet.wait_for_link("connected"));
    std::vector<std::unique_ptr<PacedClient>> clients;
    for (const auto& gateway : fleet.gateways) {
        clients.push_back(std::make_unique<PacedClient>(*gateway, 3ms, [](std::size_t number) {
            return with(chat(), "X-Each", std::to_string(number));
        }));
    }
    for (const auto& gateway : fleet.gateways) {
        clients.push_back(std::make_unique<PacedClient>(
            *gateway, 6ms, [](std::size_t) { return with(sandbox_chat(), "X-Small", "yes"); }));
    }
    const auto small = [&] { return clients[2]->admitted() + clients[3]->admitted(); };
    ASSERT_TRUE(eventually([&] { return small() >= kSmall / 2; }));
    fleet.refuses = true;
    EXPECT_TRUE(fleet.wait_until_moody_is(true));
    fleet.refuses = false;
    change_entry(*fleet.gateways[1], kMoody, "resume");
    EXPECT_TRUE(fleet.wait_until_moody_is(false));
    const std::size_t before = small();
    ASSERT_TRUE(eventually([&] { return small() > before + 5; }));  // and Redis has said so

    const auto begun = Clock::now();
    GetParam().happens(fleet, [&] { change_entry(*fleet.gateways[0], kMoody, "suspend"); });
    EXPECT_TRUE(fleet.wait_for_link("connected"));
    EXPECT_TRUE(fleet.wait_until_moody_is(true)) << "said once it is back";
    change_entry(*fleet.gateways[1], kMoody, "resume");
    EXPECT_TRUE(fleet.wait_until_moody_is(false));
    ASSERT_TRUE(eventually([&] { return clients[2]->refused() + clients[3]->refused() > 10; }));
    for (const auto& client : clients) {
        client->stop();
        EXPECT_EQ(client->failures(), "");
    }
    EXPECT_EQ(clients[0]->refused() + clients[1]->refused(), 0U);

    // Each goes on with its part of the rest that it last heard of, a second ago at most: what was
    // used since is had twice, and what was granted since and not used, half of the rest of all.
    const std::size_t second = clients[2]->admitted_between(begun - 1s, begun) +
                               clients[3]->admitted_between(begun - 1s, begun);
    EXPECT_LE(small(), kSmall + second + kSmall / 2 / 2);
    EXPECT_GE(small(), kSmall / 2);
    check_sums(fleet, clients);
    waits.all = fleet.sum("rotary_lease_wait_seconds_count");
    waits.over = waits.all - fleet.sum("rotary_lease_wait_seconds_bucket", kLongestWait);
    std::printf(
        "%s: %zu requests, %zu of %zu admitted (%zu in the second before), %.0f waits, "
        "%.0f over 20 ms, %.0f longer than they may\n",
        GetParam().name, fleet.provider.request_count(), small(), kSmall, second, waits.all,
        waits.all - fleet.sum("rotary_lease_wait_seconds_bucket", "le=\"0.02\""), waits.over);
}

// The gateway measures its waits itself. What is in them beyond the deadline is the time until the
// worker had a core again: on a machine with other work one time of five has to be without.
TEST_P(FleetFaults, HoldUpNoRequestAndLoseNoCount) {
    Waits waits;
    ASSERT_NO_FATAL_FAILURE(play(waits));
    for (int again = 0; again < 4 && waits.over > 0; ++again) {
        ASSERT_NO_FATAL_FAILURE(play(waits));
    }
    EXPECT_EQ(waits.over, 0) << "of " << waits.all << " waits";
}

}  // namespace
}  // namespace rotary::test
