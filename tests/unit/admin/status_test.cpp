#include <rotary/admin/status.hpp>

#include <rotary/config/settings/setting_keys.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/json.hpp>
#include <support/sampled.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rotary::admin {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using test::json_at;
using testing::HasSubstr;
using testing::Not;

const Now kNow{SteadyTime(1000s), WallTime(1'767'323'045s)};  // 2026-01-02T03:04:05Z

// A snapshot made by hand: Backends "one" and "two" (with a health check), an API "chat" with
// gpt-a on one, weight 3, and gpt-b on two, weight 1, in production.
class StatusTest : public testing::Test {
protected:
    StatusTest() {
        auto snapshot = std::make_shared<routing::Snapshot>();
        for (const char* name : {"one", "two"}) {
            routing::Backend& backend = snapshot->backends.emplace_back();
            backend.name = name;
            backend.host = std::string(name) + ".example.com";
            backend.host_header = backend.host + ":8443";
            backend.port = 8443;
            backend.credential_line = "Authorization: Bearer sk-secret\r\n";
            backend.state = std::make_shared<rotation::BackendState>();
            states_.push_back(std::make_shared<rotation::EntryState>());
        }
        snapshot->backends[1].health_check.emplace();
        std::vector<routing::Entry> entries(2);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            entries[i].model = i == 0 ? "gpt-a" : "gpt-b";
            entries[i].backend = i;
            entries[i].weight = i == 0 ? 3 : 1;
            entries[i].id =
                "chat/production/" + entries[i].model + "@" + snapshot->backends[i].name;
        }
        auto cursor = std::make_shared<rotation::Cursor>(std::vector<std::uint32_t>{3, 1});
        snapshot->lists.push_back({"rotation", "chat", routing::Environment::production, entries,
                                   rotation::Rotation(std::move(cursor), states_, {}),
                                   rotation::SuspendRules(), routing::ModelPlace(), nullptr});
        wiring_ = proxy::wire_up(std::move(snapshot), registry_);
        registry_.attach(&shard_);
    }
    ~StatusTest() override { registry_.detach(&shard_); }

    std::string models() const { return models_json(*wiring_, registry_, history_, kNow); }
    // A field of the entry's object on the page.
    std::string field(std::size_t entry, const std::string& name) const {
        return json_at(models(), "models." + std::to_string(entry) + "." + name);
    }
    void answered(std::size_t entry, unsigned status, int times = 1) {
        for (int i = 0; i < times; ++i) {
            shard_.add_status(wiring_->entries[0][entry].upstream_requests, status);
        }
    }
    void suspend(std::size_t entry, std::chrono::milliseconds duration,
                 rotation::SuspendReason reason) {
        states_[entry]->suspend(kNow.steady, duration, reason, {});
    }

    metrics::Registry registry_;
    metrics::Shard shard_;
    EntryHistory history_;
    std::vector<std::shared_ptr<rotation::EntryState>> states_;
    std::shared_ptr<const proxy::Wiring> wiring_;
};

TEST_F(StatusTest, AnActiveEntryHasItsPlaceAndNoReason) {
    EXPECT_EQ(test::json_size(models(), "models"), 2U);
    const std::pair<const char*, const char*> fields[] = {
        {"id", "chat/production/gpt-a@one"},
        {"api", "chat"},
        {"policy", "rotation"},
        {"env", "production"},
        {"model", "gpt-a"},
        {"backend", "one"},
        {"host", "one.example.com:8443"},
        {"weight", "3"},
        {"state", "active"},
        {"requests", "0"},
    };
    for (const auto& [name, value] : fields) EXPECT_EQ(field(0, name), value) << name;
    EXPECT_EQ(test::json_keys(models(), "models.0"),
              (std::vector<std::string>{"id", "api", "policy", "env", "model", "backend", "host",
                                        "weight", "state", "requests", "share", "tokens_per_minute",
                                        "limits"}));
    EXPECT_EQ(field(1, "id"), "chat/production/gpt-b@two");
    EXPECT_THAT(models(), Not(HasSubstr("sk-secret")));
}

TEST_F(StatusTest, TokensOfAnEntryAreThoseOfTheLastMinute) {
    const auto use = [&](std::uint64_t input, std::uint64_t output) {
        shard_.add(wiring_->entries[0][0].tokens[0], input);
        shard_.add(wiring_->entries[0][0].tokens[1], output);
    };
    use(1000, 200);
    EXPECT_EQ(field(0, "tokens_per_minute"), "0") << "none has noted when that was";
    history_.tokens.note(*wiring_, registry_, kNow.steady - 90s);
    use(30, 3);
    history_.tokens.note(*wiring_, registry_, kNow.steady - 60s);
    use(400, 40);
    history_.tokens.note(*wiring_, registry_, kNow.steady - 5s);
    use(1, 0);
    EXPECT_EQ(field(0, "tokens_per_minute"), "441");
    EXPECT_EQ(field(1, "tokens_per_minute"), "0");
    for (int i = 0; i < 100; ++i) history_.tokens.note(*wiring_, registry_, kNow.steady + i * 5s);
    EXPECT_EQ(history_.tokens.last_minute("chat/production/gpt-a@one", 2000, kNow.steady + 500s),
              326U);
    EXPECT_EQ(history_.tokens.last_minute("chat/production/gpt-a@one", 7, kNow.steady + 500s), 7U)
        << "series that begin anew";
}

TEST_F(StatusTest, AnEntryHasTheLimitsOfItsBackendAndItsModel) {
    auto snapshot = std::make_shared<routing::Snapshot>();
    snapshot->backends.resize(1);
    snapshot->backends[0].state = std::make_shared<rotation::BackendState>();
    for (const char* policy : {"whole", "model"}) {
        quota::Limit& limit = snapshot->limits.emplace_back();
        limit.policy = policy;
        limit.amount = 100;
        limit.what = quota::What::total;
        limit.family = std::make_shared<quota::Family>(policy);
        limit.family->common().add(limit.terms(kNow.wall), 130 - 40 * (policy[0] == 'm' ? 1 : 0));
    }
    snapshot->backends[0].quotas.tokens = {0};
    std::vector<routing::Entry> entries(1);
    entries[0].id = "one";
    entries[0].quotas.tokens = {1};
    snapshot->lists.push_back(
        {"rotation", "chat", routing::Environment::production, entries,
         rotation::Rotation(std::make_shared<rotation::Cursor>(std::vector<std::uint32_t>{1}),
                            {std::make_shared<rotation::EntryState>()}, {}),
         rotation::SuspendRules(), routing::ModelPlace(), nullptr});
    const auto wiring = proxy::wire_up(snapshot, registry_);
    const std::string page = models_json(*wiring, registry_, history_, kNow);
    EXPECT_EQ(json_at(page, "models.0.limits.0.policy"), "whole");
    EXPECT_EQ(json_at(page, "models.0.limits.0.used"), "130");
    EXPECT_EQ(json_at(page, "models.0.limits.0.remaining"), "0");
    EXPECT_EQ(json_at(page, "models.0.limits.1.policy"), "model");
    EXPECT_EQ(json_at(page, "models.0.limits.1.remaining"), "10");
    EXPECT_EQ(json_at(page, "models.0.limits.1.reset"), "2026-01-02T03:05:00.000Z");
}

TEST_F(StatusTest, SharesAreOfTheListsOwnRequests) {
    EXPECT_EQ(std::stod(field(0, "share")), 0) << "nothing is divided by nothing";
    answered(0, 200, 2);
    answered(0, 429);
    answered(1, 599);
    EXPECT_EQ(field(0, "requests"), "3");
    EXPECT_EQ(field(1, "requests"), "1");
    EXPECT_EQ(std::stod(field(0, "share")), 0.75);
    EXPECT_EQ(std::stod(field(1, "share")), 0.25);
}

TEST_F(StatusTest, AnEntryThatIsOutSaysWhyAndForHowLong) {
    struct Row {
        const char* name;
        std::chrono::milliseconds duration;
        rotation::SuspendReason reason;
        const char* says;
        const char* until;
        const char* seconds_left;
    };
    const Row rows[] = {
        {"a minute", 60s, rotation::SuspendReason::rate_limited, "rate_limited",
         "2026-01-02T03:05:05.000Z", "60"},
        {"less than a second is one", 300ms, rotation::SuspendReason::quota_exhausted,
         "quota_exhausted", "2026-01-02T03:04:05.300Z", "1"},
        {"rounded up", 1001ms, rotation::SuspendReason::operator_request, "operator",
         "2026-01-02T03:04:06.001Z", "2"},
        {"an hour", 1h, rotation::SuspendReason::daily_exhausted, "daily_exhausted",
         "2026-01-02T04:04:05.000Z", "3600"},
    };
    for (const Row& row : rows) {
        states_[1]->resume();
        suspend(1, row.duration, row.reason);
        EXPECT_EQ(field(1, "state"), "suspended") << row.name;
        EXPECT_EQ(field(1, "reason"), row.says) << row.name;
        EXPECT_EQ(field(1, "until"), row.until) << row.name;
        EXPECT_EQ(field(1, "seconds_left"), row.seconds_left) << row.name;
    }
    EXPECT_EQ(field(0, "state"), "active");
}

TEST_F(StatusTest, OneThatMayBeTriedIsReturning) {
    states_[1]->suspend(kNow.steady - 70s, 60s, rotation::SuspendReason::rate_limited, {});
    EXPECT_EQ(field(1, "state"), "returning");
    EXPECT_EQ(field(1, "seconds_left"), "0") << "and never less";
    EXPECT_EQ(field(1, "until"), "2026-01-02T03:04:05.000Z");
}

TEST_F(StatusTest, AHealthCheckTakesOneOutToo) {
    states_[1]->set_down(kNow.steady + 20s);
    EXPECT_EQ(field(1, "state"), "suspended");
    EXPECT_EQ(field(1, "reason"), "unhealthy");
    states_[1]->set_up();
    EXPECT_EQ(field(1, "state"), "active");
}

TEST_F(StatusTest, AScrapeSaysOfEachEntryWhetherItIsOut) {
    const std::string a = "{policy=rotation,env=production,model=gpt-a,backend=one}";
    const std::string b = "{policy=rotation,env=production,model=gpt-b,backend=two}";
    const auto out = [&](const std::string& labels, SteadyTime now) {
        test::Sampled sampled;
        sample_entries(*wiring_, now, sampled);
        EXPECT_EQ(sampled.all().size(), 2U);
        return sampled.value("rotary_model_suspended" + labels);
    };
    EXPECT_EQ(out(a, kNow.steady), 0);
    suspend(1, 60s, rotation::SuspendReason::rate_limited);
    EXPECT_EQ(out(a, kNow.steady), 0);
    EXPECT_EQ(out(b, kNow.steady), 1);
    EXPECT_EQ(out(b, kNow.steady + 61s), 1) << "its probe is due, and not passed";
    states_[1]->resume();
    EXPECT_EQ(out(b, kNow.steady), 0);
}

TEST_F(StatusTest, AScrapeCountsConnectionsAndSaysWhoIsHealthy) {
    rotation::BackendState& one = *wiring_->snapshot->backends[0].state;
    for (int i = 0; i < 3; ++i) one.open_connection(10);
    one.idle_changed(0, 2);
    rotation::BackendState& two = *wiring_->snapshot->backends[1].state;
    two.set_healthy(false);
    two.idle_changed(0, 5);  // told of before the closing of these was
    test::Sampled sampled;
    sample_backends(*wiring_, sampled);
    EXPECT_EQ(sampled.all(), (std::map<std::string, double>{
                                 {"rotary_upstream_connections{backend=one,state=active}", 1},
                                 {"rotary_upstream_connections{backend=one,state=idle}", 2},
                                 {"rotary_upstream_connections{backend=two,state=active}", 0},
                                 {"rotary_upstream_connections{backend=two,state=idle}", 0},
                                 {"rotary_backend_healthy{backend=two}", 0}}));
    two.set_healthy(true);
    sample_backends(*wiring_, sampled);
    EXPECT_EQ(sampled.value("rotary_backend_healthy{backend=two}"), 1);
}

TEST_F(StatusTest, AnEntryIsFoundByItsWholeId) {
    EXPECT_EQ(find_entry(*wiring_, "chat/production/gpt-a@one"), states_[0].get());
    EXPECT_EQ(find_entry(*wiring_, "chat/production/gpt-b@two"), states_[1].get());
    for (const char* id : {"", "gpt-a", "chat/production/gpt-a", "chat/production/gpt-a@one ",
                           "chat/sandbox/gpt-a@one", "chat/production/gpt-a@two"}) {
        EXPECT_EQ(find_entry(*wiring_, id), nullptr) << id;
    }
}

TEST(ConfigPage, HasEveryLimitAndTimeoutAndNoSecret) {
    config::Config config;
    config.listeners.resize(2);
    config.listeners[0].address = "127.0.0.1";
    config.listeners[0].port = 8080;
    config.listeners[1].tls.emplace().key = "/etc/secret.key";
    config.limits.body_bytes = 4321;
    config.timeouts.connect = 1234ms;
    config.routing.max_attempts = 7;
    const std::string page = config_json(config);
    EXPECT_EQ(test::json_size(page, "listeners"), 2U);
    EXPECT_EQ(json_at(page, "listeners.0.address"), "127.0.0.1");
    EXPECT_EQ(json_at(page, "listeners.0.port"), "8080");
    EXPECT_EQ(json_at(page, "listeners.0.tls"), "false");
    EXPECT_EQ(json_at(page, "listeners.1.tls"), "true");
    EXPECT_EQ(json_at(page, "limits.body_bytes"), "4321");
    EXPECT_EQ(json_at(page, "timeouts_ms.connect"), "1234");
    EXPECT_EQ(json_at(page, "routing.max_attempts"), "7");
    EXPECT_EQ(test::json_keys(page, "limits").size(), config::limit_keys().size());
    EXPECT_EQ(test::json_keys(page, "timeouts_ms").size(), config::timeout_keys().size());
    EXPECT_THAT(page, Not(HasSubstr("secret.key")));
}

}  // namespace
}  // namespace rotary::admin
