#include <rotary/routing/snapshot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr SteadyTime kNow{std::chrono::hours(1)};

// --- resources, piece by piece ------------------------------------------------------------------

std::string api(const std::string& more = "") {
    return R"(
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: chat}
spec:
  apiName: chat
  apiType: REST
  apiVersion: "1.0"
  basePath: /chat/1.0
  organization: default
  production: [{routeRefs: [live]}]
  sandbox: [{routeRefs: [test]}]
)" + more + "---\n";
}

std::string route(const std::string& name, const std::string& rules) {
    return "kind: HTTPRoute\napiVersion: gateway.networking.k8s.io/v1beta1\nmetadata: {name: " +
           name + "}\nspec:\n  hostnames: [" + name + ".example.com]\n  rules:\n" + rules + "---\n";
}

std::string rule(const std::string& backends, const std::string& more = "",
                 const std::string& path = "/chat/completions",
                 const std::string& method = "POST") {
    std::string text = "    - matches: [{path: {type: RegularExpression, value: \"" + path +
                       "\"}, method: " + method + "}]\n" + more + "      backendRefs: [" +
                       backends + "]\n";
    return text;
}

std::string ref(const std::string& backend, const std::string& more = "") {
    return "{kind: Backend, name: " + backend + more + "}";
}

std::string backend(const std::string& name, const std::string& spec = "") {
    std::string text =
        "kind: Backend\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: " + name + "}\nspec:\n";
    if (spec.find("services:") == std::string::npos) {
        text += "  services: [{host: llm.example.com, port: 443}]\n  protocol: https\n";
    }
    return text + spec + "---\n";
}

std::string with_key(const std::string& key, const std::string& in = "Header",
                     const std::string& name = "Authorization") {
    return "  security: {apiKey: {in: " + in + ", name: " + name +
           ", valueFrom: {name: keys, valueKey: " + key + "}}}\n";
}

std::string keys() {
    return "kind: Secret\napiVersion: v1\nmetadata: {name: keys}\nstringData:\n"
           "  one: Bearer sk-1\n  two: Bearer sk-2\n  odd: \"a b&c=d/é\"\n  user: me\n"
           "  password: pass:word\n---\n";
}

std::string provider(const std::string& model = "in: Body, value: model") {
    return "kind: AIProvider\napiVersion: dp.wso2.com/v1alpha4\nmetadata: {name: openai}\nspec:\n"
           "  providerName: OpenAI\n  providerAPIVersion: v1\n  organization: default\n"
           "  supportedModels: [a]\n  requestModel: {" +
           model +
           "}\n"
           "  responseModel: {in: Body, value: model}\n"
           "  rateLimitFields:\n    promptTokens: {in: Body, value: usage.prompt_tokens}\n"
           "    completionToken: {in: Body, value: usage.completion_tokens}\n"
           "    totalToken: {in: Body, value: usage.total_tokens}\n---\n";
}

std::string entry(const std::string& model, const std::string& backend, int weight = 1) {
    const std::string reference = backend.empty() ? "" : ", backendRef: " + ref(backend);
    return "{model: " + model + reference + ", weight: " + std::to_string(weight) + "}";
}

struct PolicyText {
    std::string name = "rr";
    std::string production;
    std::string sandbox;
    std::string target = "{group: g, kind: API, name: chat}";
    std::string level = "default";
    int duration = 60;
};

std::string policy(const PolicyText& text) {
    return "kind: APIPolicy\napiVersion: dp.wso2.com/v1alpha4\nmetadata: {name: " + text.name +
           "}\nspec:\n  targetRef: " + text.target + "\n  " + text.level +
           ":\n    aiProvider: {name: openai}\n    modelBasedRoundRobin:\n"
           "      onQuotaExceedSuspendDuration: " +
           std::to_string(text.duration) + "\n      productionModels: [" + text.production +
           "]\n      sandboxModels: [" + text.sandbox + "]\n---\n";
}

// Both routes with the Backend a alone.
std::string plain_routes() { return route("live", rule(ref("a"))) + route("test", rule(ref("a"))); }

// One API with a production and a sandbox route over the Backends a and b.
std::string chat(const std::string& production, const std::string& sandbox) {
    return api() + route("live", rule(ref("a") + ", " + ref("b"))) +
           route("test", rule(ref("a") + ", " + ref("b"))) + backend("a", with_key("one")) +
           backend("b", with_key("two")) + keys() + provider() +
           policy({"rr", production, sandbox});
}

std::string usual_chat() {
    const std::string mini = entry("gpt-4o-mini", "b");
    return chat(entry("gpt-4o", "a", 3) + ", " + mini, mini);
}

// --- compiling ----------------------------------------------------------------------------------

struct Compiled {
    std::vector<config::Finding> findings;
    std::shared_ptr<const Snapshot> snapshot;
    std::string text() const { return config::to_text(findings); }
};

Compiled compile_text(const std::string& resources, SharedState& shared,
                      const std::string& process = "") {
    const config::Loaded loaded =
        config::load_text({"rotary.yaml", process}, {{"r.yaml", resources}}, config::variables());
    Compiled compiled;
    EXPECT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
    if (loaded.ok()) compiled.snapshot = compile(loaded, shared, compiled.findings);
    return compiled;
}

Compiled compile_text(const std::string& resources) {
    SharedState shared;
    return compile_text(resources, shared);
}

std::shared_ptr<const Snapshot> snapshot_of(const std::string& resources) {
    const Compiled compiled = compile_text(resources);
    EXPECT_NE(compiled.snapshot, nullptr) << compiled.text();
    return compiled.snapshot ? compiled.snapshot : std::make_shared<const Snapshot>();
}

const Backend& backend_of(const Snapshot& snapshot, std::string_view name) {
    static const Backend none;
    for (const Backend& backend : snapshot.backends) {
        if (backend.name == name) return backend;
    }
    ADD_FAILURE() << "no Backend " << name;
    return none;
}

std::vector<std::string> ids(const EntryList& list) {
    std::vector<std::string> ids;
    for (const Entry& entry : list.entries) ids.push_back(entry.id);
    return ids;
}

const Route* route_for(const Snapshot& snapshot, const char* host, const char* path,
                       const char* method = "POST") {
    const auto found = snapshot.table.find(host, path, method);
    return found.rule == nullptr ? nullptr : &snapshot.routes[found.rule->route];
}

std::string picks(const EntryList& list, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text.push_back(static_cast<char>('A' + list.rotation.pick(kNow, {})->entry));
    }
    return text;
}

// --- lists and routes ---------------------------------------------------------------------------

TEST(Snapshot, ListsOfBothEnvironments) {
    const auto snapshot = snapshot_of(usual_chat());
    ASSERT_EQ(snapshot->lists.size(), 2U);
    const EntryList& live = snapshot->lists[0];
    EXPECT_EQ(live.policy, "rr");
    EXPECT_EQ(live.api, "chat");
    EXPECT_EQ(live.environment, Environment::production);
    EXPECT_THAT(ids(live),
                ElementsAre("chat/production/gpt-4o@a", "chat/production/gpt-4o-mini@b"));
    EXPECT_EQ(live.entries[0].weight, 3U);
    EXPECT_EQ(live.entries[0].model, "gpt-4o");
    EXPECT_EQ(live.entries[0].texts.json, "\"gpt-4o\"");
    EXPECT_THAT(live.entries[0].texts.members, ElementsAre("\"model\":\"gpt-4o\""));
    EXPECT_EQ(live.entries[0].texts.field, "model=gpt-4o");
    EXPECT_EQ(snapshot->backends[live.entries[1].backend].name, "b");
    EXPECT_EQ(live.rules.duration, 60s);
    EXPECT_EQ(live.rules.hint, config::HintUse::extend);
    EXPECT_EQ(live.rules.longest, 1h);
    EXPECT_EQ(live.model_place.name, "model");
    EXPECT_EQ(picks(live, 8), "AABAAABA");
    EXPECT_EQ(snapshot->lists[1].environment, Environment::sandbox);
    EXPECT_THAT(ids(snapshot->lists[1]), ElementsAre("chat/sandbox/gpt-4o-mini@b"));
}

TEST(Snapshot, RoutesKnowTheirEnvironment) {
    const auto snapshot = snapshot_of(usual_chat());
    const Route* live = route_for(*snapshot, "live.example.com", "/chat/1.0/chat/completions");
    const Route* test = route_for(*snapshot, "test.example.com", "/chat/1.0/chat/completions");
    ASSERT_NE(live, nullptr);
    ASSERT_NE(test, nullptr);
    EXPECT_EQ(live->environment, Environment::production);
    EXPECT_EQ(test->environment, Environment::sandbox);
    EXPECT_EQ(live->list, std::optional<std::size_t>(0));
    EXPECT_EQ(test->list, std::optional<std::size_t>(1));
    EXPECT_EQ(live->api, "chat");
    EXPECT_EQ(live->policy, "rr");
    EXPECT_EQ(live->name, "live");
    EXPECT_EQ(live->provider, "OpenAI");
    EXPECT_EQ(live->backends.size(), 2U);
    ASSERT_NE(live->backend_cursor, nullptr);
    EXPECT_EQ(route_for(*snapshot, "other.example.com", "/chat/1.0/chat/completions"), nullptr);
    EXPECT_EQ(to_string(Environment::production), "production");
    EXPECT_EQ(to_string(Environment::sandbox), "sandbox");
}

TEST(Snapshot, RoutesKnowWhereUsageStands) {
    std::string text = usual_chat();
    const auto put = [&](const std::string& before, const std::string& after) {
        text.replace(text.find(before), before.size(), after);
    };
    put("in: Body, value: usage.completion_tokens", "in: Body, value: $.meta.out");
    put("in: Body, value: usage.total_tokens", "in: Header, value: x-total");
    const auto snapshot = snapshot_of(text);
    const llm::UsagePlaces& places = snapshot->routes.at(0).usage_places;
    EXPECT_TRUE(places.members[0].empty());  // where the format has it
    EXPECT_THAT(places.members[1], ElementsAre("meta", "out"));
    EXPECT_TRUE(places.members[2].empty());
    EXPECT_THAT(places.headers, ElementsAre("", "", "x-total"));
    EXPECT_THAT(places.model_members, ElementsAre("model"));
    EXPECT_FALSE(places.needs_service);
    put("responseModel: {in: Body, value: model}", "responseModel: {in: Header, value: x-model}");
    const auto other = snapshot_of(text);
    EXPECT_TRUE(other->routes.at(0).usage_places.model_members.empty());
    EXPECT_EQ(other->routes.at(0).usage_places.model_header, "x-model");
}

TEST(Snapshot, ThePublishedSample) {
    std::string text = config::read_text(config::data_file("ai-api.yaml"));
    const std::string placeholder = "base64_encoded_api_key";
    text.replace(text.find(placeholder), placeholder.size(), "QmVhcmVyIHNrLXRlc3Q=");
    const auto snapshot = snapshot_of(text);
    ASSERT_EQ(snapshot->lists.size(), 2U) << "both rules of a route lead to one list";
    EXPECT_THAT(ids(snapshot->lists[0]),
                ElementsAre("tutor-api/production/large@tutor-backend-a",
                            "tutor-api/production/reasoning@tutor-backend-b",
                            "tutor-api/production/small@tutor-backend-a"));
    const Backend& a = backend_of(*snapshot, "tutor-backend-a");
    EXPECT_EQ(a.credential_line, "Authorization: Bearer sk-test\r\n");
    EXPECT_EQ(a.credential, backend_of(*snapshot, "tutor-backend-b").credential);
    const char* path = "/tutor/1.0/chat/completions";
    const auto found = snapshot->table.find("tutor.example.com", path, "POST");
    ASSERT_NE(found.rule, nullptr);
    const Route& route = snapshot->routes[found.rule->route];
    std::string scratch;
    const auto rest = found.rule->pattern.rewritten(path, &*route.rewrite, scratch);
    EXPECT_EQ(a.base_path + std::string(rest), "/v1/chat/completions") << "one slash";
}

TEST(Snapshot, DefaultVersion) {
    std::string text = usual_chat();
    EXPECT_EQ(route_for(*snapshot_of(text), "live.example.com", "/chat/chat/completions"), nullptr);
    const std::string at = "  organization: default\n";
    text.insert(text.find(at), "  isDefaultVersion: true\n");
    const auto snapshot = snapshot_of(text);
    const Route* with = route_for(*snapshot, "live.example.com", "/chat/1.0/chat/completions");
    EXPECT_NE(with, nullptr);
    EXPECT_EQ(route_for(*snapshot, "live.example.com", "/chat/chat/completions"), with);
}

TEST(Snapshot, AnEmptyListMeansNoRotation) {
    const auto snapshot = snapshot_of(chat("", entry("gpt-4o-mini", "b")));
    ASSERT_EQ(snapshot->lists.size(), 1U);
    EXPECT_EQ(snapshot->lists[0].environment, Environment::sandbox);
    const Route* live = route_for(*snapshot, "live.example.com", "/chat/1.0/chat/completions");
    ASSERT_NE(live, nullptr);
    EXPECT_FALSE(live->list.has_value());
    EXPECT_EQ(live->policy, "");
    EXPECT_NE(live->backend_cursor, nullptr);
}

TEST(Snapshot, RuleLevelPolicies) {
    const std::string extension =
        "      filters: [{type: ExtensionRef, extensionRef: {group: dp.wso2.com, kind: APIPolicy, "
        "name: special}}]\n";
    const std::string two_rules = rule(ref("a")) + rule(ref("a"), extension, "/special");
    const std::string two_plain = rule(ref("a")) + rule(ref("a"), "", "/special");
    const std::string rest = route("test", rule(ref("a"))) + backend("a") + provider();
    const std::string target = "{group: g, kind: Resource, name: x}";
    const std::string special = policy({"special", entry("big", "a"), "", target});
    const std::string general = policy({"rr", entry("small", "a"), ""});
    PolicyText text{"rr", entry("small", "a"), ""};
    text.level = "override";
    const std::string overriding = policy(text);
    struct Row {
        const char* name;
        std::string policies;
        std::string chat;     // the policy of /chat/completions
        std::string special;  // and of /special
    };
    const Row rows[] = {
        {"none", "", "", ""},
        {"the rule's alone", special, "", "special"},
        {"the API's is a default", special + general, "rr", "special"},
        {"the API's overrides", special + overriding, "rr", "rr"},
    };
    for (const Row& row : rows) {
        const bool has_special = row.policies.find("special") != std::string::npos;
        const std::string& rules = has_special ? two_rules : two_plain;
        const auto snapshot = snapshot_of(api() + route("live", rules) + rest + row.policies);
        const Route* chat = route_for(*snapshot, "live.example.com", "/chat/1.0/chat/completions");
        const Route* other = route_for(*snapshot, "live.example.com", "/chat/1.0/special");
        ASSERT_NE(chat, nullptr) << row.name;
        ASSERT_NE(other, nullptr) << row.name;
        EXPECT_EQ(chat->policy, row.chat) << row.name;
        EXPECT_EQ(other->policy, row.special) << row.name;
        EXPECT_EQ(chat->list.has_value(), !row.chat.empty()) << row.name;
    }
}

TEST(Snapshot, EntriesWithoutABackendTakeTheirRules) {
    const std::string live = route("live", rule(ref("a") + ", " + ref("b"), "", "/models", "GET") +
                                               rule(ref("a")) + rule(ref("b"), "", "/other"));
    const std::string open = entry("gpt", "") + ", " + entry("mini", "");
    const std::string text = api() + live + route("test", rule(ref("a"))) + backend("a") +
                             backend("b") + provider() + policy({"rr", open, ""});
    SharedState shared;
    const auto first = compile_text(text, shared);
    ASSERT_NE(first.snapshot, nullptr) << first.text();
    const Snapshot& snapshot = *first.snapshot;
    const Route* models = route_for(snapshot, "live.example.com", "/chat/1.0/models", "GET");
    const Route* chat = route_for(snapshot, "live.example.com", "/chat/1.0/chat/completions");
    const Route* other = route_for(snapshot, "live.example.com", "/chat/1.0/other");
    ASSERT_TRUE(models != nullptr && chat != nullptr && other != nullptr);
    EXPECT_FALSE(models->list.has_value()) << "two Backends, and nobody says which";
    ASSERT_TRUE(chat->list.has_value() && other->list.has_value());
    EXPECT_THAT(ids(snapshot.lists[*chat->list]),
                ElementsAre("chat/production/gpt@a", "chat/production/mini@a"));
    EXPECT_THAT(ids(snapshot.lists[*other->list]),
                ElementsAre("chat/production/gpt@b", "chat/production/mini@b"));
    const auto again = compile_text(text, shared);
    for (const Route* each : {chat, other}) {
        EXPECT_EQ(&snapshot.lists[*each->list].rotation.state(0),
                  &again.snapshot->lists[*each->list].rotation.state(0));
        EXPECT_EQ(picks(snapshot.lists[*each->list], 1), "A");
        EXPECT_EQ(picks(again.snapshot->lists[*each->list], 1), "B") << "positions are kept";
    }
}

TEST(Snapshot, RoutingAndTimeoutsReachTheLists) {
    SharedState shared;
    const auto compiled = compile_text(
        usual_chat(), shared,
        "listeners: [{plaintext: true}]\n"
        "routing: {retry_after: prefer}\ntimeouts: {suspension_max: 10m, probe_verdict: 2s}\n");
    ASSERT_NE(compiled.snapshot, nullptr) << compiled.text();
    const EntryList& list = compiled.snapshot->lists[0];
    EXPECT_EQ(list.rules.hint, config::HintUse::prefer);
    EXPECT_EQ(list.rules.longest, 10min);
    EXPECT_EQ(list.rotation.limits().longest, 10min);
    EXPECT_EQ(list.rotation.limits().probe_verdict, 2s);
}

TEST(Snapshot, WeightsOfBackendsWithoutARotation) {
    const auto with_weights = [](const std::string& a, const std::string& b) {
        const std::string refs = ref("a", ", weight: " + a) + ", " + ref("b", ", weight: " + b);
        return api() + route("live", rule(refs)) + route("test", rule(ref("a"))) + backend("a") +
               backend("b");
    };
    const auto snapshot = snapshot_of(with_weights("3", "1"));
    const Route* live = route_for(*snapshot, "live.example.com", "/chat/1.0/chat/completions");
    ASSERT_NE(live, nullptr);
    std::string order;
    for (int i = 0; i < 4; ++i) {
        const std::size_t place = live->backend_cursor->next(live->backend_cursor->all());
        order += snapshot->backends[live->backends[place]].name;
    }
    EXPECT_EQ(order, "aaba");
    EXPECT_EQ(snapshot_of(with_weights("0", "0"))->routes[0].backend_cursor, nullptr);
    EXPECT_NE(snapshot_of(with_weights("1000000", "500000"))->routes[0].backend_cursor, nullptr);
    EXPECT_NE(snapshot_of(with_weights("1000000", "999999"))->routes[0].backend_cursor, nullptr);
}

// --- Backends -----------------------------------------------------------------------------------

TEST(SnapshotBackend, HostHeaderAndBasePath) {
    struct Row {
        const char* name;
        const char* host;
        const char* port;
        const char* protocol;
        const char* base_path;
        const char* header;
        const char* path;
        bool tls;
    };
    const char* const llm = "llm.example.com";
    const Row rows[] = {
        {"https, its own port", llm, "443", "https", "/v1/", llm, "/v1", true},
        {"https, another port", llm, "8443", "https", "/v1", "llm.example.com:8443", "/v1", true},
        {"https on http's port", llm, "80", "https", "/", "llm.example.com:80", "", true},
        {"http, its own port", llm, "80", "http", "", llm, "", false},
        {"http, another port", llm, "8080", "http", "/a//", "llm.example.com:8080", "/a", false},
        {"IPv4", "127.0.0.1", "80", "http", "", "127.0.0.1", "", false},
        {"IPv6, its own port", "::1", "443", "https", "", "[::1]", "", true},
        {"IPv6, another port", "::1", "8443", "https", "", "[::1]:8443", "", true},
    };
    for (const Row& row : rows) {
        std::string spec = std::string("  services: [{host: \"") + row.host +
                           "\", port: " + row.port + "}]\n  protocol: " + row.protocol + "\n";
        if (row.base_path[0] != '\0') spec += std::string("  basePath: ") + row.base_path + "\n";
        const auto snapshot = snapshot_of(api() + plain_routes() + backend("a", spec));
        const Backend& a = backend_of(*snapshot, "a");
        EXPECT_EQ(a.host, row.host) << row.name;
        EXPECT_EQ(a.host_header, row.header) << row.name;
        EXPECT_EQ(a.base_path, row.path) << row.name;
        EXPECT_EQ(a.tls, row.tls) << row.name;
        EXPECT_EQ(a.credential_line, "") << row.name;
        EXPECT_EQ(a.first_byte, 0s) << row.name;
    }
}

TEST(SnapshotBackend, Credentials) {
    struct Row {
        const char* name;
        std::string security;
        std::string line, header, query;
    };
    const Row rows[] = {
        {"none", "", "", "", ""},
        {"header", with_key("one"), "Authorization: Bearer sk-1\r\n", "Authorization", ""},
        {"header of another name", with_key("one", "Header", "api-key"), "api-key: Bearer sk-1\r\n",
         "api-key", ""},
        {"query", with_key("odd", "Query", "api_key"), "", "", "api_key=a%20b%26c%3Dd%2F%C3%A9"},
        {"basic",
         "  security: {basic: {secretRef: {name: keys, usernameKey: user, passwordKey: "
         "password}}}\n",
         "Authorization: Basic bWU6cGFzczp3b3Jk\r\n", "Authorization", ""},
    };
    for (const Row& row : rows) {
        const std::string timeout = "  timeout: {upstreamResponseTimeout: 90}\n";
        const auto snapshot =
            snapshot_of(api() + plain_routes() + backend("a", row.security + timeout) + keys());
        const Backend& a = backend_of(*snapshot, "a");
        EXPECT_EQ(a.credential_line, row.line) << row.name;
        EXPECT_EQ(a.credential_name, row.header) << row.name;
        EXPECT_EQ(a.credential_query, row.query) << row.name;
        EXPECT_EQ(a.first_byte, 90s) << row.name;
    }
}

// load() finds the usual mistakes by itself; whatever gets past it must not get into a request.
TEST(SnapshotBackend, KeysThatCannotBeSentAreFindings) {
    const std::string basic =
        "  security: {basic: {secretRef: {name: keys, usernameKey: user, passwordKey: one}}}\n";
    for (const std::string& security : {with_key("one"), with_key("one", "Query", "key"), basic}) {
        for (const char* key : {"Bearer sk-1\n", "sk-1\r\nx-evil: 1", "\x7fsk-1"}) {
            config::Loaded loaded =
                config::load_resources(api() + plain_routes() + backend("a", security) + keys());
            ASSERT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
            loaded.resources.secrets.at(0).values.at("one").value = config::Secret(key);
            SharedState shared;
            std::vector<config::Finding> findings;
            EXPECT_EQ(compile(loaded, shared, findings), nullptr) << security;
            ASSERT_EQ(findings.size(), 1U) << security;
            EXPECT_GT(findings[0].line, 1);
            EXPECT_THAT(findings[0].message, HasSubstr("line break"));
            EXPECT_THAT(findings[0].message, testing::Not(HasSubstr("sk-1"))) << "it is secret";
        }
    }
}

TEST(SnapshotBackend, OneCredentialOneNumber) {
    const auto at = [](const std::string& host, const std::string& port) {
        return "  services: [{host: " + host + ", port: " + port + "}]\n  protocol: https\n";
    };
    const std::string other_host = at("other.example.com", "443");
    const std::string other_port = at("llm.example.com", "444");
    struct Row {
        const char* name;
        std::string a, b;
        bool same;
    };
    const Row rows[] = {
        {"the same host and key", with_key("one"), with_key("one") + "  basePath: /v2\n", true},
        {"another key", with_key("one"), with_key("two"), false},
        {"another host", with_key("one"), other_host + with_key("one"), false},
        {"another port", with_key("one"), other_port + with_key("one"), false},
        {"another header", with_key("one"), with_key("one", "Header", "api-key"), false},
        {"header and query", with_key("one"), with_key("one", "Query", "key"), false},
        {"the same query", with_key("one", "Query", "key"), with_key("one", "Query", "key"), true},
        {"no keys", "", "", false},
        {"one without a key", with_key("one"), "", false},
    };
    for (const Row& row : rows) {
        const auto snapshot = snapshot_of(
            api() + route("live", rule(ref("a") + ", " + ref("b"))) +
            route("test", rule(ref("a"))) + backend("a", row.a) + backend("b", row.b) + keys() +
            provider() + policy({"rr", entry("x", "a") + ", " + entry("y", "b"), entry("z", "a")}));
        const std::size_t a = backend_of(*snapshot, "a").credential;
        const std::size_t b = backend_of(*snapshot, "b").credential;
        EXPECT_EQ(a == b, row.same) << row.name;
        ASSERT_GT(snapshot->by_credential.size(), std::max(a, b)) << row.name;
        EXPECT_EQ(snapshot->by_credential[a].size(), row.same ? 3U : 2U)
            << row.name << ": x, the sandbox's z and perhaps y";
        EXPECT_EQ(snapshot->by_credential[b].back().list == 1, row.same) << row.name;
    }
}

// --- findings -----------------------------------------------------------------------------------

TEST(SnapshotFindings, ModelPlaces) {
    struct Row {
        const char* name;
        const char* model;
        const char* place;  // what is compiled; empty: a finding
    };
    const Row rows[] = {
        {"body", "in: Body, value: model", "model"},
        {"body, JSON path", "in: Body, value: $.model", "model"},
        {"body, another name", "in: Body, value: deployment_id", "deployment_id"},
        {"body, deeper", "in: Body, value: $.a.b", "b"},
        {"body, deeper without the dollar", "in: Body, value: a.b", "b"},
        {"body, a step missing", "in: Body, value: $.a..b", ""},
        {"body, an index", "in: Body, value: \"$.a[0]\"", ""},
        {"body, only the dollar", "in: Body, value: $.", ""},
        {"header", "in: Header, value: x-model", "x-model"},
        {"header, not a name", "in: Header, value: \"x model\"", ""},
        {"query", "in: Query, value: model", "model"},
        {"query, not a name", "in: Query, value: \"a&b\"", ""},
        {"path", "in: Path, value: \"/models/([^/]+)\"", "/models/([^/]+)"},
        {"path without a group", "in: Path, value: \"/models/[^/]+\"", ""},
        {"path, not an expression", "in: Path, value: \"/models/(\"", ""},
    };
    for (const Row& row : rows) {
        const Compiled compiled =
            compile_text(api() + plain_routes() + backend("a") + provider(row.model) +
                         policy({"rr", entry("x", "a"), entry("x", "a")}));
        if (row.place[0] != '\0') {
            ASSERT_NE(compiled.snapshot, nullptr) << row.name << compiled.text();
            EXPECT_EQ(compiled.snapshot->lists[0].model_place.name, row.place) << row.name;
        } else {
            EXPECT_EQ(compiled.snapshot, nullptr) << row.name;
            ASSERT_EQ(compiled.findings.size(), 1U) << row.name << ": once for both lists";
            EXPECT_GT(compiled.findings[0].line, 1) << row.name;
            EXPECT_THAT(compiled.findings[0].path, HasSubstr("requestModel")) << row.name;
        }
    }
}

TEST(Snapshot, KnowsWhatGoesOnToProviders) {
    SharedState shared;
    const auto compiled =
        compile_text(usual_chat(), shared,
                     "listeners: [{plaintext: true}]\n"
                     "routing: {forward_headers: [X-Tenant-*, x-a, X-A], withheld_query: [Token]}");
    ASSERT_NE(compiled.snapshot, nullptr) << compiled.text();
    const Forwarding& forwarding = compiled.snapshot->forwarding;
    EXPECT_THAT(forwarding.header_globs, ElementsAre("x-tenant-*", "x-a"));
    EXPECT_TRUE(forwarding.withheld_query.contains("token"));
}

// The chat's one API, its Backends and its entries: check says what serve could not start with.
TEST(SnapshotFindings, MoreMetricSeriesThanTheLimitAllows) {
    const auto with_limit = [](std::size_t most) {
        SharedState shared;
        return compile_text(usual_chat(), shared,
                            "listeners: [{plaintext: true}]\nlimits: {metric_series: " +
                                std::to_string(most) + "}");
    };
    const auto compiled = with_limit(100);
    ASSERT_NE(compiled.snapshot, nullptr) << compiled.text();
    std::size_t count = compiled.snapshot->backends.size();
    for (const EntryList& list : compiled.snapshot->lists) count += list.entries.size();
    std::set<std::string> served;
    for (const Route& route : compiled.snapshot->routes) {
        served.insert(route.api + "/" + std::string(to_string(route.environment)));
    }
    count += served.size();
    EXPECT_NE(with_limit(count).snapshot, nullptr);
    const auto refused = with_limit(count - 1);
    EXPECT_EQ(refused.snapshot, nullptr);
    EXPECT_THAT(refused.text(), HasSubstr("limits.metric_series: " + std::to_string(count)));
    EXPECT_THAT(refused.text(), HasSubstr("more than limits.metric_series, "));
}

TEST(SnapshotFindings, NamesThatNeverGoOnAreNotAskedFor) {
    for (const char* name : {"authorization", "X-Api-Key", "cookie", "host", "user_"}) {
        SharedState shared;
        const auto compiled =
            compile_text(usual_chat(), shared,
                         "listeners: [{plaintext: true}]\nrouting: {forward_headers: [" +
                             std::string(name) + "]}");
        EXPECT_EQ(compiled.snapshot, nullptr) << name;
        EXPECT_THAT(compiled.text(), HasSubstr("routing.forward_headers")) << name;
        EXPECT_THAT(compiled.text(), HasSubstr("never goes on")) << name;
    }
}

TEST(SnapshotFindings, PlacesOtherThanTheBody) {
    struct Row {
        const char* model;
        config::ValueLocation::In in;
    };
    using enum config::ValueLocation::In;
    for (const Row& row : {Row{"in: Header, value: x", header}, Row{"in: Query, value: x", query},
                           Row{"in: Path, value: (x)", path}, Row{"in: Body, value: x", body}}) {
        const auto snapshot =
            snapshot_of(api() + plain_routes() + backend("a") + provider(row.model) +
                        policy({"rr", entry("x", "a"), ""}));
        EXPECT_EQ(snapshot->lists.at(0).model_place.in, row.in) << row.model;
    }
}

TEST(SnapshotFindings, ExpressionsStandAtTheirLine) {
    const std::string rules = rule(ref("a"), "", "/ok") + rule(ref("a"), "", "/a(");
    const std::string text =
        api() + route("live", rules) + route("test", rule(ref("a"))) + backend("a");
    const Compiled compiled = compile_text(text);
    EXPECT_EQ(compiled.snapshot, nullptr);
    ASSERT_EQ(compiled.findings.size(), 1U) << compiled.text();
    const std::string before = text.substr(0, text.find("/a("));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    EXPECT_EQ(compiled.findings[0].line, line);
    EXPECT_EQ(compiled.findings[0].file, "r.yaml");
    EXPECT_THAT(compiled.text(), HasSubstr("missing )"));
}

TEST(SnapshotFindings, RewritesWithGroupsThatAreNotThere) {
    const auto text = [](const std::string& path, const std::string& rewrite) {
        const std::string filter =
            "      filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, "
            "replaceFullPath: '" +
            rewrite + "'}}}]\n";
        return api() + route("live", rule(ref("a"), filter, path)) + route("test", rule(ref("a"))) +
               backend("a");
    };
    EXPECT_NE(compile_text(text("/a/([a-z]+)", "/b/\\1")).snapshot, nullptr);
    const Compiled compiled = compile_text(text("/a/([a-z]+)", "/b/\\2"));
    EXPECT_EQ(compiled.snapshot, nullptr);
    ASSERT_EQ(compiled.findings.size(), 1U) << compiled.text();
    EXPECT_GT(compiled.findings[0].line, 1);
}

// --- what outlives a snapshot -------------------------------------------------------------------

TEST(SharedStates, ASecondCompileGoesOn) {
    SharedState shared;
    const auto first = compile_text(usual_chat(), shared).snapshot;
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(picks(first->lists[0], 2), "AA");
    first->lists[0].rotation.state(1).suspend(kNow, 10s, rotation::SuspendReason::rate_limited, {});
    const auto second = compile_text(usual_chat(), shared).snapshot;
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(&second->lists[0].rotation.state(0), &first->lists[0].rotation.state(0));
    EXPECT_EQ(second->lists[0].rotation.state(1).standing(kNow), rotation::Standing::out);
    second->lists[0].rotation.state(1).resume();
    EXPECT_EQ(picks(second->lists[0], 2), "BA");
    EXPECT_EQ(picks(first->lists[0], 2), "AA") << "both move one cursor";
    EXPECT_EQ(picks(second->lists[0], 2), "BA");
    EXPECT_EQ(first->routes[0].backend_cursor, second->routes[0].backend_cursor);
}

// Each list has its own, over all its rules and reloads, and of its own size.
TEST(SharedStates, RetryReserves) {
    SharedState shared;
    const auto first = compile_text(usual_chat(), shared).snapshot;
    const auto second = compile_text(usual_chat(), shared).snapshot;
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    for (std::size_t i = 0; i < first->routes.size(); ++i) {
        const Route& route = first->routes[i];
        ASSERT_NE(route.retry_reserve, nullptr);
        EXPECT_EQ(route.retry_reserve, second->routes[i].retry_reserve);
        const std::size_t places =
            route.list ? first->lists[*route.list].entries.size() : route.backends.size();
        EXPECT_EQ(route.budget_rules.min, 5 * places);
        EXPECT_EQ(route.budget_rules.percent, 20U);
        if (route.list) {
            EXPECT_EQ(route.retry_reserve, first->lists[*route.list].retry_reserve);
        }
    }
    ASSERT_GE(first->lists.size(), 2U);
    EXPECT_NE(first->lists[0].retry_reserve, first->lists[1].retry_reserve);
}

TEST(SharedStates, AChangedListKeepsItsEntriesAndItsProgress) {
    SharedState shared;
    const auto first = compile_text(usual_chat(), shared).snapshot;
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(picks(first->lists[0], 2), "AA");
    first->lists[0].rotation.state(0).suspend(kNow, 10s, rotation::SuspendReason::rate_limited, {});
    const std::string three =
        entry("gpt-4o", "a", 3) + ", " + entry("new", "a") + ", " + entry("gpt-4o-mini", "b", 4);
    const auto second = compile_text(chat(three, entry("gpt-4o-mini", "b")), shared).snapshot;
    ASSERT_NE(second, nullptr);
    const rotation::Rotation& rotation = second->lists[0].rotation;
    EXPECT_EQ(&rotation.state(0), &first->lists[0].rotation.state(0));
    EXPECT_EQ(&rotation.state(2), &first->lists[0].rotation.state(1));
    EXPECT_NE(&rotation.state(1), &first->lists[0].rotation.state(0));
    rotation.state(0).resume();
    // 3:1:4 is C A C A B C A C; half of the old period was done, so the new one begins there.
    EXPECT_EQ(picks(second->lists[0], 4), "BCAC");
    EXPECT_EQ(picks(first->lists[0], 2), "BA") << "the old one has its own place";
}

TEST(SharedStates, EnvironmentsShareNothing) {
    const std::string one = entry("gpt-4o", "a") + ", " + entry("gpt-4o-mini", "b");
    const auto snapshot = snapshot_of(chat(one, one));
    ASSERT_EQ(snapshot->lists.size(), 2U);
    EXPECT_EQ(picks(snapshot->lists[0], 1), "A");
    EXPECT_EQ(picks(snapshot->lists[1], 2), "AB");
    EXPECT_EQ(picks(snapshot->lists[0], 1), "B");
    EXPECT_NE(&snapshot->lists[0].rotation.state(0), &snapshot->lists[1].rotation.state(0));
    snapshot->lists[0].rotation.state(0).suspend(kNow, 10s, rotation::SuspendReason::rate_limited,
                                                 {});
    EXPECT_EQ(snapshot->lists[1].rotation.state(0).standing(kNow), rotation::Standing::active);
}

TEST(SharedStates, PruneDropsWhatIsGone) {
    SharedState shared;
    auto state = shared.entry("api/production/m@b");
    auto cursor = shared.cursor("list", "m@b\n", {1});
    const std::weak_ptr<rotation::EntryState> old_state = state;
    const std::weak_ptr<rotation::Cursor> old_cursor = cursor;
    shared.prune();
    EXPECT_EQ(shared.entry("api/production/m@b"), state) << "somebody still has it";
    EXPECT_EQ(shared.cursor("list", "m@b\n", {1}), cursor);
    state.reset();
    cursor.reset();
    EXPECT_FALSE(old_state.expired()) << "a snapshot may come back for it";
    shared.prune();
    EXPECT_TRUE(old_state.expired());
    EXPECT_TRUE(old_cursor.expired());
}

TEST(SharedStates, CursorsAreKnownByEntriesAndWeights) {
    SharedState shared;
    const auto first = shared.cursor("list", "a\nb\n", {3, 1});
    EXPECT_EQ(shared.cursor("list", "a\nb\n", {3, 1}), first);
    EXPECT_NE(shared.cursor("other", "a\nb\n", {3, 1}), first);
    first->next(first->all());
    const auto heavier = shared.cursor("list", "a\nb\n", {4, 4});
    EXPECT_NE(heavier, first);
    EXPECT_EQ(heavier->progress(), 0.5) << "a quarter of two places is a place";
    const auto renamed = shared.cursor("list", "a\nc\n", {4, 4});
    EXPECT_NE(renamed, heavier);
}

TEST(SharedStates, ReplicasBeginAtPlacesOfTheirOwn) {
    const std::vector<std::uint32_t> weights(100, 1);
    const auto start = [&](std::string_view replica, const std::string& list) {
        SharedState shared;
        shared.draw_starts(replica);
        return shared.cursor(list, "", weights)->progress();
    };
    EXPECT_EQ(start("", "list"), 0.0) << "alone";
    EXPECT_EQ(start("0123456789abcdef", "list"), start("0123456789abcdef", "list"));
    EXPECT_NE(start("0123456789abcdef", "list"), start("0123456789abcdef", "other"));
    double sum = 0;
    std::set<double> starts;
    for (int i = 0; i < 1000; ++i) {
        starts.insert(start("replica" + std::to_string(i), "list"));
        sum += start("replica" + std::to_string(i), "list");
    }
    EXPECT_EQ(starts.size(), 100u) << "each of a hundred places";
    EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

}  // namespace
}  // namespace rotary::routing
