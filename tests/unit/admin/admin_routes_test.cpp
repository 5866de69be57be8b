#include "admin/admin_routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rotary/wire/json_document.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace rotary::admin {
namespace {

using testing::HasSubstr;

// Hooks that answer with their own names, and what they were asked.
struct Fake {
    std::string changed;
    LogLevel level = LogLevel::info;
    EventFeed feed;
    AdminHooks hooks;
    AdminOptions options;

    Fake() {
        hooks.metrics = [](metrics::Format format) {
            return std::string(format == metrics::Format::text ? "metrics 1\n" : "# EOF\n");
        };
        hooks.live = [] { return Health{true, {}, {{"worker 0", "turns"}}}; };
        hooks.ready = [] { return Health{false, "draining", {{"config", "ok"}, {"drain", "on"}}}; };
        hooks.status_json = [] { return std::string(R"({"status":1})"); };
        hooks.limits_json = [](std::size_t callers) {
            return R"({"limits":1,"callers":)" + std::to_string(callers) + "}";
        };
        hooks.consumers_json = [](const ConsumersAsked& asked) {
            return R"({"most":)" + std::to_string(asked.most) + R"(,"of":")" + asked.consumer +
                   "\"}";
        };
        hooks.models_json = [] { return std::string(R"({"models":1})"); };
        hooks.config_text = [] { return std::string(R"({"limits":[1],"empty":{}})"); };
        hooks.log_level = [this] { return level; };
        hooks.set_log_level = [this](LogLevel to) { level = to; };
        hooks.validate = [](std::string_view text) {
            return ReloadOutcome{false, "bad: " + std::string(text) + "\n"};
        };
        hooks.drain = [] {};
        hooks.events = &feed;
        hooks.reload = [] { return ReloadOutcome{true, ""}; };
        hooks.suspend = [this](std::string_view id, std::chrono::seconds duration) {
            changed = std::string(id) + " for " + std::to_string(duration.count());
            return id != "unknown";
        };
        hooks.resume = [this](std::string_view id) {
            changed = std::string(id) + " resumed";
            return id != "unknown";
        };
    }
    AdminAnswer ask(std::string_view method, std::string_view target) const {
        AdminRequest request;
        request.method = method;
        request.target = target;
        request.host = "localhost:9901";
        return answer(request, options, hooks);
    }
};

struct RouteCase {
    const char* name;
    const char* method;
    const char* target;
    unsigned status;
    const char* in_body;
    const char* allow = "";
};

void PrintTo(const RouteCase& row, std::ostream* out) { *out << row.name; }

class AdminRouteTest : public testing::TestWithParam<RouteCase> {};

TEST_P(AdminRouteTest, Answers) {
    const Fake fake;
    const AdminAnswer got = fake.ask(GetParam().method, GetParam().target);
    EXPECT_EQ(got.status, GetParam().status);
    EXPECT_THAT(got.body, HasSubstr(GetParam().in_body));
    EXPECT_EQ(got.allow, GetParam().allow);
    const bool json = got.content_type == "application/json";
    EXPECT_EQ(json, wire::JsonDocument::parse(got.body).has_value()) << got.body;
    if (got.status >= 400 && got.status != 503) {
        EXPECT_TRUE(json);
    }
}

const std::vector<RouteCase> kRouteCases = {
    {"livez", "GET", "/livez", 200, "ok\n"},
    {"livez_head", "HEAD", "/livez", 200, "ok\n"},
    {"livez_verbose", "GET", "/livez?verbose", 200, "ok\nworker 0: turns\n"},
    {"healthz", "GET", "/healthz", 200, "ok\n"},
    {"readyz_not", "GET", "/readyz", 503, "draining\n"},
    {"readyz_verbose", "GET", "/readyz?verbose", 503, "draining\nconfig: ok\ndrain: on\n"},
    {"readyz_verbose_with_a_value", "GET", "/readyz?x&verbose=1", 503, "config: ok"},
    {"metrics", "GET", "/metrics", 200, "metrics 1\n"},
    {"status", "GET", "/api/v1/status", 200, R"({"status":1})"},
    {"limits", "GET", "/api/v1/limits", 200, R"({"limits":1,"callers":20})"},
    {"limits_callers", "GET", "/api/v1/limits?callers=1000", 200, R"("callers":1000})"},
    {"limits_no_callers", "GET", "/api/v1/limits?callers=0", 200, R"("callers":0})"},
    {"limits_too_many", "GET", "/api/v1/limits?callers=1001", 400, "from 0 to 1000"},
    {"limits_no_number", "GET", "/api/v1/limits?callers=x", 400, "invalid_callers"},
    {"consumers", "GET", "/api/v1/consumers", 200, R"({"most":100,"of":""})"},
    {"consumers_limit", "GET", "/api/v1/consumers?limit=7", 200, R"("most":7)"},
    {"consumers_too_many", "GET", "/api/v1/consumers?limit=1001", 400, "invalid_limit"},
    {"consumers_one", "GET", "/api/v1/consumers?consumer=team%20a", 200, R"("of":"team a")"},
    {"consumers_bad_escape", "GET", "/api/v1/consumers?consumer=%2", 400, "invalid_consumer"},
    {"consumers_by_post", "POST", "/api/v1/consumers", 405, "method_not_allowed", "GET, HEAD"},
    {"models", "GET", "/api/v1/models?x=y", 200, R"({"models":1})"},
    {"config", "GET", "/api/v1/config", 200, R"({"limits":[1])"},
    {"reload", "POST", "/api/v1/reload", 200, R"("reloaded":true)"},
    {"reload_by_get", "GET", "/api/v1/reload", 405, "method_not_allowed", "POST"},
    {"status_by_post", "POST", "/api/v1/status", 405, "method_not_allowed", "GET, HEAD"},
    {"status_by_delete", "DELETE", "/api/v1/status", 405, "method_not_allowed", "GET, HEAD"},
    {"method_in_lower_case", "get", "/livez", 405, "method_not_allowed", "GET, HEAD"},
    {"config_yaml", "GET", "/api/v1/config?format=yaml", 200, "limits:\n  - 1\n"},
    {"config_toml", "GET", "/api/v1/config?format=toml", 400, "invalid_format"},
    {"log_level", "GET", "/api/v1/log-level", 200, R"({"level":"info"})"},
    {"log_level_set", "POST", "/api/v1/log-level?level=debug", 200, R"({"level":"debug"})"},
    {"log_level_unknown", "POST", "/api/v1/log-level?level=loud", 400, "invalid_level"},
    {"log_level_none", "POST", "/api/v1/log-level", 400, "invalid_level"},
    {"log_level_deleted", "DELETE", "/api/v1/log-level", 405, "method_not_allowed",
     "GET, HEAD, POST"},
    {"events_json", "GET", "/api/v1/events?format=json", 200, R"({"events":[]})"},
    {"events_xml", "GET", "/api/v1/events?format=xml", 400, "invalid_format"},
    {"requests_too_many", "GET", "/api/v1/requests?limit=10001", 400, "from 0 to 10000"},
    {"validate", "POST", "/api/v1/validate", 422, R"("valid":false,"findings":"bad: \n")"},
    {"validate_by_get", "GET", "/api/v1/validate", 405, "method_not_allowed", "POST"},
    {"drain", "POST", "/api/v1/drain", 202, R"({"draining":true})"},
    {"drain_by_get", "GET", "/api/v1/drain", 405, "method_not_allowed", "POST"},
    {"unknown", "GET", "/api/v2/status", 404, "/api/v1/models/ID/suspend"},
    {"trailing_slash", "GET", "/livez/", 404, "not_found"},
    {"suspend", "POST", "/api/v1/models/a/suspend", 200, R"("suspended":true,"seconds":60)"},
    {"suspend_seconds", "POST", "/api/v1/models/a/suspend?seconds=5", 200, R"("seconds":5)"},
    {"suspend_longest", "POST", "/api/v1/models/a/suspend?seconds=3600", 200, R"("seconds":3600)"},
    {"suspend_too_long", "POST", "/api/v1/models/a/suspend?seconds=3601", 400, "from 1 to 3600"},
    {"suspend_zero", "POST", "/api/v1/models/a/suspend?seconds=0", 400, "invalid_seconds"},
    {"suspend_negative", "POST", "/api/v1/models/a/suspend?seconds=-1", 400, "invalid_seconds"},
    {"suspend_nothing", "POST", "/api/v1/models/a/suspend?seconds", 400, "invalid_seconds"},
    {"suspend_by_get", "GET", "/api/v1/models/a/suspend", 405, "method_not_allowed", "POST"},
    {"suspend_unknown", "POST", "/api/v1/models/unknown/suspend", 404, "model_not_found"},
    {"suspend_nobody", "POST", "/api/v1/models//suspend", 404, "not_found"},
    {"suspend_bad_escape", "POST", "/api/v1/models/a%2/suspend", 400, "invalid_id"},
    {"suspend_quotes_in_id", "POST", "/api/v1/models/a%22b/suspend", 200, R"("id":"a\"b")"},
    {"resume", "POST", "/api/v1/models/a/resume", 200, R"("suspended":false)"},
    {"resume_unknown", "POST", "/api/v1/models/unknown/resume", 404, "model_not_found"},
    {"model_alone", "POST", "/api/v1/models/a", 404, "not_found"},
};

INSTANTIATE_TEST_SUITE_P(Routes, AdminRouteTest, testing::ValuesIn(kRouteCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(AdminRoutes, IdsAreDecodedAndMayHoldSlashes) {
    Fake fake;
    fake.ask("POST", "/api/v1/models/chat/meta-llama%2FLlama%203/suspend?seconds=7");
    EXPECT_EQ(fake.changed, "chat/meta-llama/Llama 3 for 7");
    fake.ask("POST", "/api/v1/models/a/suspend/resume");
    EXPECT_EQ(fake.changed, "a/suspend resumed");
}

TEST(AdminRoutes, MetricsCarryPrometheusContentType) {
    const Fake fake;
    EXPECT_THAT(fake.ask("GET", "/metrics").content_type, HasSubstr("text/plain; version=0.0.4"));
}

TEST(AdminRoutes, FailedReloadTellsTheFindings) {
    Fake fake;
    fake.hooks.reload = [] { return ReloadOutcome{false, "a.yaml:1:2: error: \"x\"\n"}; };
    const AdminAnswer got = fake.ask("POST", "/api/v1/reload");
    EXPECT_EQ(got.status, 422u);
    const auto document = wire::JsonDocument::parse(got.body);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root().find("findings")->string(), "a.yaml:1:2: error: \"x\"\n");
    EXPECT_EQ(document->root().find("reloaded")->boolean(), false);
}

TEST(AdminRoutes, RefusedChangesChangeNothing) {
    Fake fake;
    fake.options.token = "secret";
    EXPECT_EQ(fake.ask("POST", "/api/v1/models/a/suspend").status, 401u);
    EXPECT_EQ(fake.ask("POST", "/api/v1/log-level?level=debug").status, 401u);
    EXPECT_EQ(fake.ask("POST", "/api/v1/drain").status, 401u);
    EXPECT_EQ(fake.changed, "");
}

TEST(AdminRoutes, ThePageTellsNothingWithoutTheToken) {
    Fake fake;
    fake.hooks.status_json = [] { return std::string(R"({"ready":true,"generation":7})"); };
    fake.hooks.models_json = [] {
        return std::string(R"({"models":[{"api":"a","env":"p","model":"<b>&","weight":3,)") +
               R"("share":0.5,"state":"suspended","seconds_left":9,"reason":"quota"}]})";
    };
    const AdminAnswer open = fake.ask("GET", "/");
    EXPECT_TRUE(open.is_page);
    EXPECT_THAT(open.body, HasSubstr("&lt;b&gt;&amp;"));
    EXPECT_THAT(open.body, HasSubstr("suspended 9 s"));
    EXPECT_THAT(open.body, HasSubstr("<dd>#7</dd>"));
    EXPECT_THAT(open.body, testing::Not(HasSubstr("@@")));
    fake.options.token = "secret";
    const AdminAnswer closed = fake.ask("GET", "/");
    EXPECT_EQ(closed.status, 200u);
    EXPECT_THAT(closed.body, testing::Not(HasSubstr("&lt;b&gt;")));
    EXPECT_THAT(closed.body, testing::Not(HasSubstr("@@")));
}

TEST(AdminRoutes, ThePageIsUnder60KiloBytes) {
    const Fake fake;
    std::size_t bytes = 0;
    for (const char* part : {"/", "/page.css", "/page.js"}) {
        bytes += fake.ask("GET", part).body.size();
    }
    EXPECT_LT(bytes, 60'000u);
    EXPECT_GT(bytes, 10'000u);
}

struct OriginCase {
    const char* name;
    const char* host;
    const char* origin;
    bool bound_to_loopback;
    unsigned read;    // status of GET /livez
    unsigned change;  // status of POST /api/v1/reload from a loopback address, no token
};

void PrintTo(const OriginCase& row, std::ostream* out) { *out << row.name; }

class AdminOriginTest : public testing::TestWithParam<OriginCase> {};

TEST_P(AdminOriginTest, IsChecked) {
    const Fake fake;
    AdminRequest request;
    request.host = GetParam().host;
    request.origin = GetParam().origin;
    request.bound_to_loopback = GetParam().bound_to_loopback;
    request.method = "GET";
    request.target = "/livez";
    EXPECT_EQ(answer(request, fake.options, fake.hooks).status, GetParam().read);
    request.method = "POST";
    request.target = "/api/v1/reload";
    EXPECT_EQ(answer(request, fake.options, fake.hooks).status, GetParam().change);
}

const std::vector<OriginCase> kOrigins = {
    {"localhost", "localhost", "", true, 200, 200},
    {"localhost_with_port", "LocalHost:1", "", true, 200, 200},
    {"v4", "127.0.0.1:9901", "", true, 200, 200},
    {"v6", "[::1]:9901", "", true, 200, 200},
    {"none_in_http_1_0", "", "", true, 200, 200},
    {"rebound_name", "evil.example:9901", "", true, 403, 403},
    {"name_that_begins_alike", "localhost.evil.example", "", true, 403, 403},
    {"address_that_begins_alike", "127.0.0.1.evil.example", "", true, 403, 403},
    {"address_that_goes_on", "127.0.0.11", "", true, 403, 403},
    {"port_that_is_none", "localhost:80@evil.example", "", true, 403, 403},
    {"port_that_is_empty", "localhost:", "", true, 403, 403},
    {"own_page", "localhost:9901", "http://localhost:9901", true, 200, 200},
    {"other_site", "localhost:9901", "https://evil.example", true, 403, 403},
    {"other_port", "localhost:9901", "http://localhost:3000", true, 403, 403},
    {"sandboxed_page", "localhost:9901", "null", true, 403, 403},
    {"container_read", "rotary.svc:9901", "", false, 200, 401},
    {"container_by_loopback", "127.0.0.1:9901", "", false, 200, 401},
    {"container_rebound_page", "evil.example", "http://evil.example", false, 200, 401},
};

INSTANTIATE_TEST_SUITE_P(Origins, AdminOriginTest, testing::ValuesIn(kOrigins),
                         [](const auto& row) { return std::string(row.param.name); });

struct TokenCase {
    const char* name;
    const char* target;
    const char* token;          // the listener's
    const char* authorization;  // the client's
    bool bound_to_loopback;
    unsigned status;
};

void PrintTo(const TokenCase& row, std::ostream* out) { *out << row.name; }

class AdminTokenTest : public testing::TestWithParam<TokenCase> {};

TEST_P(AdminTokenTest, Opens) {
    Fake fake;
    fake.options.token = GetParam().token;
    AdminRequest request;
    const std::string_view target = GetParam().target;
    request.method = target == "/api/v1/reload" ? "POST" : "GET";
    request.target = target;
    request.host = GetParam().bound_to_loopback ? "localhost:9901" : "rotary.svc";
    request.bound_to_loopback = GetParam().bound_to_loopback;
    request.from_loopback = GetParam().bound_to_loopback;
    request.authorization = GetParam().authorization;
    const AdminAnswer got = answer(request, fake.options, fake.hooks);
    EXPECT_EQ(got.status, GetParam().status);
    EXPECT_EQ(got.challenge, GetParam().status == 401u);
}

const std::vector<TokenCase> kTokens = {
    {"none_needed", "/api/v1/status", "", "", true, 200},
    {"none_there_beyond_loopback", "/api/v1/status", "", "", false, 401},
    {"any_where_none_is", "/api/v1/status", "", "Bearer x", false, 403},
    {"empty_where_none_is", "/api/v1/status", "", "Bearer ", false, 403},
    {"right", "/api/v1/status", "secret", "Bearer secret", false, 200},
    {"right_for_a_change", "/api/v1/reload", "secret", "Bearer secret", false, 200},
    {"scheme_in_lower_case", "/api/v1/status", "secret", "bearer secret", false, 200},
    {"missing", "/api/v1/status", "secret", "", false, 401},
    {"missing_for_a_change", "/api/v1/reload", "secret", "", false, 401},
    {"wrong", "/api/v1/status", "secret", "Bearer secreT", false, 403},
    {"longer", "/api/v1/status", "secret", "Bearer secrets", false, 403},
    {"repeated", "/api/v1/status", "secret", "Bearer secretsecret", false, 403},
    {"shorter", "/api/v1/status", "secret", "Bearer secre", false, 403},
    {"empty", "/api/v1/status", "secret", "Bearer ", false, 403},
    {"another_scheme", "/api/v1/status", "secret", "Basic secret", false, 403},
    {"on_loopback_too", "/api/v1/status", "secret", "", true, 401},
    {"livez", "/livez", "secret", "", false, 200},
    {"metrics", "/metrics", "secret", "", false, 200},
    {"livez_without_a_token", "/livez", "", "", false, 200},
};

INSTANTIATE_TEST_SUITE_P(Tokens, AdminTokenTest, testing::ValuesIn(kTokens),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace rotary::admin
