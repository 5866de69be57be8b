// `rotary explain` predicts: what it tells of a request is what a gateway with the same
// configuration then does.
#include "gateway_fixture.hpp"

#include <rotary/auth/api_key.hpp>
#include <rotary/server/dry_run.hpp>
#include <support/tokens.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <random>

namespace rotary::test {
namespace {

constexpr std::size_t kConfigurations = 20;
constexpr std::size_t kRequestsEach = 5;
constexpr std::size_t kMocks = 3;

using Random = std::mt19937;

template <class Items>
const auto& one_of(Random& random, const Items& items) {
    return items[random() % std::size(items)];
}

// Mostly one of the first ones, which lead to a provider.
template <class Items>
const auto& mostly(Random& random, const Items& items, std::size_t first) {
    return random() % 8 == 0 ? one_of(random, items) : items[random() % first];
}

struct Providers {
    std::array<std::unique_ptr<mock::MockProvider>, kMocks> mocks{start_mock(), start_mock(),
                                                                  start_mock()};

    // All answer with this from here on.
    void answer(unsigned status) {
        for (const auto& mock : mocks) {
            mock->clear_faults();
            mock->respond_with("*", status, {{"content-type", "application/json"}}, "{}");
            mock->reset();
        }
    }
    struct Got {
        mock::Captured request;
        std::string origin;
    };
    // What they were asked, in that order.
    std::vector<Got> got() const {
        std::vector<Got> all;
        for (const auto& mock : mocks) {
            const std::string origin = "http://127.0.0.1:" + std::to_string(mock->port());
            for (const mock::Captured& request : mock->requests()) all.push_back({request, origin});
        }
        std::sort(all.begin(), all.end(), [](const Got& a, const Got& b) {
            return a.request.received_at < b.request.received_at;
        });
        return all;
    }
};

constexpr const char* kPlaces[] = {"{in: Body, value: model}", "{in: Body, value: model}",
                                   "{in: Body, value: \"$.input.model\"}",
                                   "{in: Header, value: x-model}", "{in: Query, value: model}"};
constexpr const char* kProcess[] = {
    "",
    "routing: {max_attempts: 1}\n",
    "routing: {max_attempts: 2, without_rotation: refuse}\n",
    "routing: {max_attempts: 10, on_all_suspended: passthrough}\n",
    "routing: {withheld_query: [user], expose_route: false}\nusage: {streams: ask}\n",
};
constexpr const char* kFilters[] = {
    "",
    ("{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-team, value: a}], "
     "remove: [accept]}}"),
    "{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: x-a, value: b}]}}",
};
constexpr const char* kMore[] = {
    "",
    "---\nkind: HTTPRoute\napiVersion: gateway.networking.k8s.io/v1\nmetadata: {name: moved}\n"
    "spec:\n  hostnames: [old.example.com]\n  rules:\n    - filters: [{type: RequestRedirect, "
    "requestRedirect: {hostname: new.example.com, statusCode: 301}}]\n---\nkind: API\n"
    "apiVersion: dp.wso2.com/v1alpha3\nmetadata: {name: old-api}\nspec:\n  apiName: old\n"
    "  apiType: REST\n  apiVersion: \"1\"\n  basePath: /old/1\n  organization: default\n"
    "  production: [{routeRefs: [moved]}]\n---\nkind: Authentication\napiVersion: "
    "dp.wso2.com/v1alpha2\nmetadata: {name: open}\nspec:\n  targetRef: {group: dp.wso2.com, kind: "
    "API, name: old-api}\n  default: {disabled: true}\n",
    "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\nmetadata: {name: few}\nspec:\n"
    "  default: {api: {requestsPerUnit: 5, unit: Minute}}\n"
    "  targetRef: {group: gateway.networking.k8s.io, kind: API, name: chat-api}\n",
};

// A configuration, and of whom its requests may be.
struct Made {
    GatewayOptions options;
    std::string api_key;
    std::string short_key;               // of the short form's API; empty: there is none
    std::vector<std::string> suspended;  // ids of entries
};

std::string consumer_key(const std::string& key, const std::string& models) {
    return "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: "
           "team}\nspec:\n"
           "  consumer: team\n  keys: [{hash: \"" +
           auth::hash_text(auth::digest_of(key)) + "\"}]\n" + models;
}

// An API of the short form beside the other one, with its own keys and endpoints.
std::string short_form(Random& random, const Providers& providers, Made& made) {
    made.short_key = auth::make_api_key();
    std::string text = "providers:\n";
    for (std::size_t i = 0; i < 2; ++i) {
        constexpr const char* kBases[] = {"/v1", "", "/deep/er"};
        text += i == 0 ? "  one: {url: \"http://127.0.0.1:" : "  two: {url: \"http://127.0.0.1:";
        text += std::to_string(providers.mocks[i]->port());
        text += one_of(random, kBases);
        text += i == 0 ? "\", key: sk-one}\n" : "\", key: none}\n";
    }
    text += "apis:\n- path: /own/v1\n  keys: {own-team: \"";
    text += auth::hash_text(auth::digest_of(made.short_key));
    text += "\"}\n  suspend_seconds: 30\n";
    constexpr const char* kEndpoints[] = {"",
                                          "  endpoints: [chat, responses, embeddings, files]\n"};
    text += one_of(random, kEndpoints);
    text.append("  production:\n  - {model: own-large, provider: one, weight: 3}\n");
    text.append("  - {model: own-small, provider: two}\n");
    text.append("  - {model: own-vectors, provider: two, endpoints: [embeddings]}\n");
    if (random() % 2 == 0) {
        text +=
            "  sandbox: {hosts: [own.example.com], models: [{model: own-tiny, provider: one}]}\n";
    }
    return text;
}

// What callers are allowed and limited to. Nothing is a limit too.
std::string caller_limit(const char* consumer) {
    return std::string(
               "---\nkind: RateLimitPolicy\napiVersion: dp.wso2.com/v1alpha3\nmetadata: {name: "
               "none-for-one}\nspec:\n  default: {custom: {key: consumer, value: ") +
           consumer + ", organization: default, requestsPerUnit: 0, unit: Day}}\n";
}

std::vector<GatewayEntry> entries(Random& random, std::size_t backends) {
    constexpr const char* kModels[] = {"gpt-4o", "gpt-4o-mini", "o3", "small-model"};
    std::vector<GatewayEntry> list;
    for (const char* model : kModels) {
        for (std::size_t backend = 0; backend < backends; ++backend) {
            if (random() % 3 != 0) list.push_back({model, backend, unsigned(random() % 5)});
        }
    }
    // Some weight must be there.
    list.push_back({"last", random() % backends, 1 + unsigned(random() % 3)});
    return list;
}

std::string id_of(const GatewayEntry& entry, const std::string& environment) {
    return "chat-api/" + environment + "/" + entry.model + "@backend-" +
           std::to_string(entry.backend);
}

Made make(Random& random, const Providers& providers, std::size_t number) {
    Made made;
    GatewayOptions& options = made.options;
    options.workers = 1;
    const std::size_t backends = 1 + random() % kMocks;
    for (std::size_t i = 0; i < backends; ++i) {
        constexpr const char* kBases[] = {"/v1/", "/", "/deep/er"};
        GatewayBackend backend = backend_of(*providers.mocks[i]);
        backend.base_path = one_of(random, kBases);
        if (random() % 2 == 0) backend.key = "Bearer provider-" + std::to_string(i);
        backend.weight = unsigned(random() % 3) + (i == 0 ? 1 : 0);
        options.backends.push_back(std::move(backend));
    }
    options.production = entries(random, backends);
    if (random() % 4 != 0) options.sandbox = entries(random, backends);
    options.provider = kPlaces[number % std::size(kPlaces)];
    options.process = kProcess[(number / 2) % std::size(kProcess)];
    options.resources = kMore[number % std::size(kMore)];
    if (const std::string filter = one_of(random, kFilters); !filter.empty()) {
        options.filters = {filter};
    }
    made.api_key = auth::make_api_key();
    constexpr const char* kKeyModels[] = {"", "  models: [gpt-4o, last]\n", "  models: [last]\n"};
    options.resources += consumer_key(made.api_key, one_of(random, kKeyModels));
    if (number % 3 != 0) {
        options.process += short_form(random, providers, made);
        constexpr const char* kApis[] = {"", "  apis: [own-v1]\n", "  apis: [chat-api]\n"};
        options.resources += one_of(random, kApis);
    }
    constexpr const char* kLimited[] = {"team", "own-team"};
    if (number % 5 == 4) options.resources += caller_limit(one_of(random, kLimited));
    for (const GatewayEntry& entry : options.production) {
        if (number % 2 == 1 && random() % 3 == 0) {
            made.suspended.push_back(id_of(entry, "production"));
        }
    }
    return made;
}

// One for the API of the short form.
void make_short(Random& random, const Made& made, Request& request) {
    constexpr const char* kHosts[] = {"default.gw.wso2.com", "own.example.com", "a.example.com"};
    constexpr std::pair<const char*, const char*> kWhat[] = {{"POST", "/chat/completions"},
                                                             {"POST", "/chat/completions"},
                                                             {"POST", "/embeddings"},
                                                             {"POST", "/responses"},
                                                             {"GET", "/models"},
                                                             {"GET", "/files/f-1"},
                                                             {"POST", "/images/edits"},
                                                             {"GET", "/none"}};
    const auto& [method, path] = one_of(random, kWhat);
    request.method = method;
    request.target = std::string("/own/v1") + path;
    request.headers = {{"Host", one_of(random, kHosts)}, {"Accept", "application/json"}};
    const std::string credentials[] = {"Bearer " + made.short_key, bearer(),
                                       "Bearer " + made.api_key, "Bearer none"};
    request.headers.emplace_back("Authorization", mostly(random, credentials, 3));
    request.body.clear();
    if (request.method == "POST") {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = R"({"model":"mine","input":"x","messages":[]})";
    }
}

Request make_request(Random& random, const Made& made) {
    const std::string key = "Bearer " + made.api_key;
    const std::string credentials[] = {bearer(), key, "Bearer none", "", "Basic YTpi"};
    constexpr const char* kHosts[] = {"default.gw.wso2.com", "DEFAULT.gw.wso2.com:9095",
                                      "default.sandbox.gw.wso2.com", "old.example.com",
                                      "elsewhere.example.com"};
    constexpr const char* kPaths[] = {"/chat/1.0/chat/completions",
                                      "/chat/1.0/chat/completions/",
                                      "/chat/chat/completions",
                                      "/chat/1.0/models",
                                      "/chat/1.0/none",
                                      "/chat/1.0/../x",
                                      "/old/1/x"};
    constexpr const char* kQueries[] = {"", "?user=1&n=2", "?token=secret&model=mine&x=%20"};
    constexpr const char* kMethods[] = {"POST", "GET", "DELETE"};
    constexpr const char* kBodies[] = {
        R"({"model":"mine","messages":[{"role":"user","content":"hi"}]})",
        R"({"messages":[],"stream":true})",
        R"({"input":{"model":"mine","more":[1]},"n":1})",
        R"({"model":"a","model":"b"})",
        "[]",
        "{",
        "model=mine&x=1",
        ""};
    constexpr const char* kTypes[] = {"application/json", "", "application/x-www-form-urlencoded",
                                      "text/plain"};
    Request request;
    const bool is_list_of_models = random() % 8 == 0;
    request.method = is_list_of_models ? "GET" : mostly(random, kMethods, 1);
    request.target = is_list_of_models ? "/chat/1.0/models" : mostly(random, kPaths, 3);
    request.target += one_of(random, kQueries);
    request.headers = {{"Host", mostly(random, kHosts, 3)},
                       {"Accept", "application/json"},
                       {"Cookie", "a=b"},
                       {"OpenAI-Beta", "assistants=v2"},
                       {"X-Mine", "stays"},
                       {"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    if (const std::string shown = mostly(random, credentials, 2); !shown.empty()) {
        request.headers.emplace_back("Authorization", shown);
    }
    const std::string type = mostly(random, kTypes, 2);
    if (!type.empty() && request.method == "POST") {
        request.headers.emplace_back("Content-Type", type);
    }
    if (request.method == "POST") request.body = mostly(random, kBodies, 3);
    if (!made.short_key.empty() && random() % 2 == 0) make_short(random, made, request);
    return request;
}

proxy::Asked asked(const Request& request) {
    const std::string bytes = request.bytes();
    const std::size_t head = bytes.find("\r\n\r\n") + 4;
    return {bytes.substr(0, head), bytes.substr(head), "127.0.0.1", true};
}

void expect_same(const proxy::ExplainedTry& told, const Providers::Got& got) {
    EXPECT_EQ(told.method, got.request.method);
    EXPECT_EQ(told.url, got.origin + got.request.target);
    EXPECT_EQ(told.body_bytes, got.request.body.size());
    ASSERT_EQ(told.headers.size(), got.request.headers.size());
    for (std::size_t i = 0; i < told.headers.size(); ++i) {
        const auto& [name, value] = told.headers[i];
        EXPECT_EQ(name, got.request.headers[i].first);
        if (value == "***" || name == "x-client-request-id") continue;
        EXPECT_EQ(value, got.request.headers[i].second) << name;
    }
    const std::string model = json_at(got.request.body, "model");
    const bool is_plain = !model.starts_with('<') && model != "mine";
    if (is_plain && !told.model.empty()) {
        EXPECT_EQ(told.model, model);
    }
}

// How many requests of each kind there were: a table that no row of which is met tests nothing.
struct Met {
    std::size_t refused = 0;
    std::size_t answered = 0;
    std::size_t several_tries = 0;
    std::size_t suspended = 0;
    std::size_t of_short_forms = 0;  // answered by providers
    std::size_t limited = 0;
    std::size_t forbidden = 0;
};

void compare(Random& random, Providers& providers, const Made& made, Met& met) {
    Gateway gateway(made.options);
    const config::Loaded loaded =
        config::load(gateway.files().config(), config::process_environment());
    std::vector<config::Finding> findings;
    server::DryRun dry_run(loaded, findings);
    for (const std::string& id : made.suspended) {
        change_entry(gateway, id, "suspend");
        ASSERT_TRUE(dry_run.suspend(id)) << id;
    }
    const unsigned status = random() % 2 == 0 ? 200 : 503;
    providers.answer(status);
    const Request request = make_request(random, made);
    SCOPED_TRACE(request.bytes());

    const proxy::Explanation told = dry_run.explain(asked(request));
    const Response response = ask(gateway, request);
    const auto got = providers.got();
    if (told.status != 0) {
        ++met.refused;
        met.limited += told.status == 429 ? 1U : 0U;
        met.forbidden += told.status == 403 ? 1U : 0U;
        EXPECT_EQ(response.status, told.status) << told.message << " " << response.body;
        EXPECT_EQ(std::string(response.header("location")), told.location);
        if (!told.code.empty()) {
            EXPECT_EQ(json_at(response.body, "error.code"), told.code);
        }
        EXPECT_TRUE(got.empty());
        return;
    }
    ++met.answered;
    met.of_short_forms += told.api == "own-v1" ? 1U : 0U;
    EXPECT_EQ(response.status, status) << response.body;
    ASSERT_FALSE(told.tries.empty());
    // A rule without a rotation goes on only when a Backend could not even be asked.
    const std::size_t tries = status == 503 && told.rotates ? told.tries.size() : 1;
    if (tries > 1) ++met.several_tries;
    met.suspended += made.suspended.size();
    ASSERT_EQ(got.size(), tries);
    for (std::size_t i = 0; i < tries; ++i) expect_same(told.tries[i], got[i]);
}

TEST(Explain, PredictsWhatThenHappens) {
    constexpr unsigned kSeed = 20261130;
    Random random(kSeed);
    Providers providers;
    Met met;
    for (std::size_t number = 0; number < kConfigurations; ++number) {
        SCOPED_TRACE("configuration " + std::to_string(number));
        const Made made = make(random, providers, number);
        for (std::size_t i = 0; i < kRequestsEach; ++i) {
            compare(random, providers, made, met);
            if (HasFatalFailure()) return;
        }
    }
    EXPECT_GT(met.refused, 20U);
    EXPECT_GT(met.answered, 20U);
    EXPECT_GT(met.several_tries, 5U);
    EXPECT_GT(met.suspended, 5U);
    EXPECT_GT(met.of_short_forms, 10U);
    EXPECT_GT(met.limited, 1U);
    EXPECT_GT(met.forbidden, 1U);
}

}  // namespace
}  // namespace rotary::test
