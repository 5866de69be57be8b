// What the short form of rotary.yaml stands for, and its way out again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <rotary/config/check/effective.hpp>
#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListener = "listeners: [{port: 1, plaintext: true}]\n";
const std::string kHash = "sha256:" + std::string(64, 'a');
const std::string kOtherHash = "sha256:" + std::string(64, 'b');

// The sample of the contract, with a consumer's key beside the issuer.
std::string sample() {
    return std::string(kListener) +
           "providers:\n"
           "  openai: {format: openai, url: https://api.openai.com/v1, key: "
           "\"${OPENAI_API_KEY}\"}\n"
           "apis:\n"
           "  - path: /v1\n"
           "    issuer: https://idp.example.com\n"
           "    jwks: https://idp.example.com/keys\n"
           "    keys: {team-a: \"" +
           kHash +
           "\"}\n"
           "    suspend_seconds: 60\n"
           "    production:\n"
           "      - {model: gpt-4o, provider: openai, weight: 5}\n"
           "      - {model: gpt-4o-mini, provider: openai, weight: 3}\n"
           "    sandbox:\n"
           "      hosts: [sandbox.llm.example.com]\n"
           "      models: [{model: gpt-4o-mini, provider: openai}]\n";
}

Environment with_key() { return variables({{"OPENAI_API_KEY", "sk-very-secret"}}); }

Loaded load_sample() { return load_process(sample(), with_key()); }

class Folder : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  ("rotary-short-" + std::to_string(getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }
    fs::path folder_;
};

TEST(ShortForm, SampleHasNoFindings) {
    EXPECT_EQ(
        to_text(load_sample().findings),
        "rotary.yaml:1:34: warning: listeners[0].plaintext: tokens and answers travel unencrypted "
        "on this listener\n");
}

TEST(ShortForm, ProviderIsABackendWithItsKey) {
    const Loaded loaded = load_sample();
    const Backend* backend = loaded.resources.find_backend("openai");
    ASSERT_NE(backend, nullptr);
    EXPECT_EQ(backend->host, "api.openai.com");
    EXPECT_EQ(backend->port, 443);
    EXPECT_EQ(backend->protocol, Protocol::https);
    EXPECT_EQ(backend->base_path, "/v1");
    const auto* key = std::get_if<ApiKeySecurity>(&backend->security);
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->name, "Authorization");
    const Secret* value = loaded.resources.find_value(key->value);
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(value->reveal(), "Bearer sk-very-secret");
}

TEST(ShortForm, ApiHasBothEnvironmentsAndTheirHosts) {
    const Loaded loaded = load_sample();
    const Api* api = loaded.resources.find_api("v1");
    ASSERT_NE(api, nullptr);
    EXPECT_EQ(api->base_path, "/v1");
    EXPECT_EQ(api->version, "1");
    ASSERT_EQ(api->production.size(), 1U);
    ASSERT_EQ(api->sandbox.size(), 1U);
    const HttpRoute* production = loaded.resources.find_route(api->production[0].name);
    const HttpRoute* sandbox = loaded.resources.find_route(api->sandbox[0].name);
    ASSERT_NE(production, nullptr);
    ASSERT_NE(sandbox, nullptr);
    EXPECT_TRUE(production->hostnames.empty());
    EXPECT_EQ(sandbox->hostnames, std::vector<std::string>{"sandbox.llm.example.com"});
    const EffectivePolicy policy = effective_policy(loaded.resources, *api, production->rules[0]);
    ASSERT_NE(policy.rotation, nullptr);
    ASSERT_NE(policy.ai_provider, nullptr);
    EXPECT_EQ(policy.rotation->suspend.count(), 60);
    ASSERT_EQ(policy.rotation->production.size(), 2U);
    EXPECT_EQ(policy.rotation->production[0].weight, 5U);
    EXPECT_EQ(policy.rotation->production[1].model, "gpt-4o-mini");
    ASSERT_EQ(policy.rotation->sandbox.size(), 1U);
    EXPECT_EQ(policy.rotation->sandbox[0].backend->name, "openai");
}

TEST(ShortForm, IssuerAndKeysAreForTheirApiAlone) {
    const Loaded loaded = load_process(
        std::string(kListener) +
        "providers: {a: {url: http://127.0.0.1:8081/v1, key: none}}\n"
        "apis:\n"
        "  - {path: /one/v1, issuer: https://one.example.com, jwks: https://one.example.com/k,\n"
        "     production: [{model: m}]}\n"
        "  - {path: /two/v1, keys: {team: \"" +
        kHash + "\", other: [\"" + kOtherHash + "\"]}, production: [{model: m}]}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    const Api* one = loaded.resources.find_api("one-v1");
    const Api* two = loaded.resources.find_api("two-v1");
    ASSERT_NE(one, nullptr);
    ASSERT_NE(two, nullptr);
    ASSERT_EQ(loaded.resources.issuers.size(), 1U);
    EXPECT_TRUE(is_for(loaded.resources.issuers[0], *one));
    EXPECT_FALSE(is_for(loaded.resources.issuers[0], *two));
    ASSERT_EQ(loaded.resources.consumer_keys.size(), 2U);
    for (const ConsumerKey& key : loaded.resources.consumer_keys) {
        EXPECT_FALSE(may_call(key, *one));
        EXPECT_TRUE(may_call(key, *two));
    }
}

TEST(ShortForm, OneKeyOfSeveralApisIsOneKey) {
    const std::string keys = "keys: {team: [\"" + kHash + "\", \"" + kOtherHash + "\"]}";
    const Loaded loaded = load_process(
        std::string(kListener) + "providers: {a: {url: http://127.0.0.1:8081, key: none}}\n" +
        "apis:\n  - {path: /one/v1, " + keys + ", production: [{model: m}]}\n" +
        "  - {path: /two/v1, " + keys + ", production: [{model: m}]}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    ASSERT_EQ(loaded.resources.consumer_keys.size(), 1U);
    EXPECT_EQ(loaded.resources.consumer_keys[0].consumer, "team");
    EXPECT_EQ(loaded.resources.consumer_keys[0].keys.size(), 2U);
    EXPECT_EQ(loaded.resources.consumer_keys[0].apis.size(), 2U);
}

// The models that a request for this path below the API's would choose among.
std::vector<std::string> models_of(const Resources& resources, const Api& api,
                                   const std::vector<Reference>& routes, const std::string& path) {
    std::vector<std::string> models;
    const HttpRoute* route = resources.find_route(routes.at(0).name);
    for (const HttpRouteRule& rule : route->rules) {
        const bool is_it =
            std::any_of(rule.matches.begin(), rule.matches.end(),
                        [&](const RouteMatch& match) { return match.path.value == path; });
        const EffectivePolicy policy = effective_policy(resources, api, rule);
        if (is_it && policy.rotation != nullptr) {
            for (const ModelEntry& entry : policy.rotation->production) {
                models.push_back(entry.model);
            }
        }
    }
    return models;
}

TEST(ShortForm, EmbeddingsGoOnlyToEntriesThatHaveThem) {
    const Loaded loaded =
        load_process(std::string(kListener) +
                     "providers: {a: {url: http://127.0.0.1:8081/v1, key: none}}\n"
                     "apis:\n"
                     "  - path: /v1\n"
                     "    keys: {team: \"" +
                     kHash +
                     "\"}\n"
                     "    production:\n"
                     "      - {model: chatty}\n"
                     "      - {model: both, endpoints: [chat, embeddings]}\n"
                     "      - {model: vectors, endpoints: [embeddings]}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    const Api* api = loaded.resources.find_api("v1");
    ASSERT_NE(api, nullptr);
    using Names = std::vector<std::string>;
    const auto models = [&](const char* path) {
        return models_of(loaded.resources, *api, api->production, path);
    };
    EXPECT_EQ(models("/chat/completions"), (Names{"chatty", "both"}));
    EXPECT_EQ(models("/responses"), Names{"chatty"});
    EXPECT_EQ(models("/embeddings"), (Names{"both", "vectors"}));
    EXPECT_EQ(models("/images"), Names{});
}

TEST(ShortForm, EndpointOfTheSandboxAloneIsServedThereAlone) {
    const Loaded loaded = load_process(
        std::string(kListener) +
        "providers: {a: {url: http://127.0.0.1:8081/v1, key: none}}\n"
        "apis:\n"
        "  - path: /v1\n"
        "    keys: {team: \"" +
        kHash +
        "\"}\n"
        "    production: [{model: chatty, endpoints: [chat]}]\n"
        "    sandbox: {hosts: [s.example.com], models: [{model: v, endpoints: [embeddings]}]}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    const auto paths = [&](const char* route) {
        std::vector<std::string> all;
        for (const HttpRouteRule& rule : loaded.resources.find_route(route)->rules) {
            for (const RouteMatch& match : rule.matches) {
                all.push_back(match.path.value);
            }
        }
        return all;
    };
    EXPECT_EQ(paths("v1"), (std::vector<std::string>{"/chat/completions", "/models"}));
    EXPECT_EQ(paths("v1-sandbox"), (std::vector<std::string>{"/embeddings", "/models"}));
}

TEST_F(Folder, KeyFileIsReadWithItsScheme) {
    write("key", "sk-from-file\n");
    const std::string file =
        write("rotary.yaml", std::string(kListener) +
                                 "providers: {a: {url: https://p.example.com, key_file: key}}\n");
    const Loaded loaded = load(file, variables());
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    const Secret* value = loaded.resources.find_value({"a-key", "apiKey", {}, {}});
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(value->reveal(), "Bearer sk-from-file");
    // Watched, and part of what makes two configurations differ.
    EXPECT_NE(std::find(loaded.files.begin(), loaded.files.end(), (folder_ / "key").string()),
              loaded.files.end());
    write("key", "sk-changed\n");
    EXPECT_NE(load(file, variables()).fingerprint, loaded.fingerprint);
}

TEST_F(Folder, SecretsKeyMayStandInAFile) {
    write("plain", "verbatim\r\n");
    write("empty", "\n");
    const std::string secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    const auto load_secret = [&](const std::string& rest) {
        write("r.yaml", secret + rest);
        return load(write("rotary.yaml", std::string(kListener) + "resources: [r.yaml]\n"),
                    variables());
    };
    const Loaded loaded = load_secret("file: {k: plain, p: {path: plain, prefix: \"Basic \"}}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    EXPECT_EQ(loaded.resources.find_value({"s", "k", {}, {}})->reveal(), "verbatim");
    EXPECT_EQ(loaded.resources.find_value({"s", "p", {}, {}})->reveal(), "Basic verbatim");
    const struct {
        const char* rest;
        const char* finding;
    } kMistakes[] = {
        {"file: {k: gone}\n", "r.yaml:4:11: error: file.k: "},
        {"file: {k: empty}\n", "is empty: there is no secret in it"},
        {"file: {k: {prefix: x}}\n", "error: file.k.path: is required"},
        {"stringData: {k: x}\nfile: {k: plain}\n", "error: file.k: is there under data"},
    };
    for (const auto& one : kMistakes) {
        const std::string text = to_text(load_secret(one.rest).findings);
        EXPECT_NE(text.find(one.finding), std::string::npos) << text;
    }
}

// Whether both stand for the same, told by what a dump of their parts would show.
void expect_alike(const Resources& a, const Resources& b) {
    ASSERT_EQ(a.apis.size(), b.apis.size());
    ASSERT_EQ(a.routes.size(), b.routes.size());
    ASSERT_EQ(a.backends.size(), b.backends.size());
    ASSERT_EQ(a.policies.size(), b.policies.size());
    ASSERT_EQ(a.issuers.size(), b.issuers.size());
    ASSERT_EQ(a.consumer_keys.size(), b.consumer_keys.size());
    for (std::size_t i = 0; i < a.backends.size(); ++i) {
        EXPECT_EQ(a.backends[i].metadata.name, b.backends[i].metadata.name);
        EXPECT_EQ(a.backends[i].host, b.backends[i].host);
        EXPECT_EQ(a.backends[i].port, b.backends[i].port);
        EXPECT_EQ(a.backends[i].base_path, b.backends[i].base_path);
    }
    for (std::size_t i = 0; i < a.apis.size(); ++i) {
        EXPECT_EQ(a.apis[i].base_path, b.apis[i].base_path);
        EXPECT_EQ(a.apis[i].version, b.apis[i].version);
        EXPECT_EQ(a.apis[i].environment, b.apis[i].environment);
    }
    for (std::size_t i = 0; i < a.routes.size(); ++i) {
        EXPECT_EQ(a.routes[i].hostnames, b.routes[i].hostnames);
        ASSERT_EQ(a.routes[i].rules.size(), b.routes[i].rules.size());
        for (std::size_t j = 0; j < a.routes[i].rules.size(); ++j) {
            const HttpRouteRule& one = a.routes[i].rules[j];
            const HttpRouteRule& other = b.routes[i].rules[j];
            ASSERT_EQ(one.matches.size(), other.matches.size());
            EXPECT_EQ(one.matches[0].path.value, other.matches[0].path.value);
            EXPECT_EQ(one.matches[0].path.type, other.matches[0].path.type);
            EXPECT_EQ(one.matches[0].method, other.matches[0].method);
            EXPECT_EQ(one.extensions.size(), other.extensions.size());
        }
    }
    for (std::size_t i = 0; i < a.policies.size(); ++i) {
        const ModelRotation& one = a.policies[i].defaults.rotation.value();
        const ModelRotation& other = b.policies[i].defaults.rotation.value();
        EXPECT_EQ(one.suspend, other.suspend);
        ASSERT_EQ(one.production.size(), other.production.size());
        for (std::size_t j = 0; j < one.production.size(); ++j) {
            EXPECT_EQ(one.production[j].model, other.production[j].model);
            EXPECT_EQ(one.production[j].weight, other.production[j].weight);
        }
    }
    EXPECT_EQ(a.issuers[0].issuer, b.issuers[0].issuer);
    EXPECT_EQ(a.issuers[0].environments, b.issuers[0].environments);
    EXPECT_EQ(a.issuers[0].jwks->url, b.issuers[0].jwks->url);
    EXPECT_EQ(a.consumer_keys[0].keys[0].hash, b.consumer_keys[0].keys[0].hash);
    for (const SecretObject& secret : a.secrets) {
        for (const auto& [key, value] : secret.values) {
            const Secret* same = b.find_value({secret.metadata.name, key, {}, {}});
            ASSERT_NE(same, nullptr);
            EXPECT_EQ(value.value, *same);
        }
    }
}

TEST_F(Folder, ExpansionLoadedAgainIsTheSameConfiguration) {
    const Dump made = dump(write("short.yaml", sample()), with_key(), {});
    EXPECT_EQ(made.expansion.find("sk-very-secret"), std::string::npos);
    write("resources.yaml", made.expansion);
    const Loaded again = load(
        write("rotary.yaml", std::string(kListener) + "resources: [resources.yaml]\n"), with_key());
    EXPECT_FALSE(has_errors(again.findings)) << to_text(again.findings) << made.expansion;
    expect_alike(made.loaded.resources, again.resources);
}

TEST_F(Folder, DumpLeavesOutKeysThatAreWrittenOut) {
    const std::string file =
        write("rotary.yaml", std::string(kListener) +
                                 "providers:\n"
                                 "  a: {url: https://p.example.com, key: sk-literal}\n"
                                 "  b: {url: https://q.example.com, key: \"${B:-sk-default}\"}\n"
                                 "resources: [more.yaml]\n");
    write("more.yaml",
          "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: sk-more}\n");
    const Dump hidden = dump(file, variables(), {});
    for (const std::string* text : {&hidden.documents, &hidden.expansion}) {
        for (const char* secret : {"sk-literal", "sk-default", "sk-more"}) {
            EXPECT_EQ(text->find(secret), std::string::npos) << *text;
        }
    }
    EXPECT_NE(hidden.documents.find("${SECRET_A:?"), std::string::npos) << hidden.documents;
    EXPECT_NE(hidden.documents.find("${SECRET_S_K:?"), std::string::npos) << hidden.documents;
    // Loaded as it is, it says what is missing.
    write("again.yaml", hidden.expansion);
    const Loaded again = load(
        write("other.yaml", std::string(kListener) + "resources: [again.yaml]\n"), variables());
    EXPECT_NE(to_text(again.findings).find("the variable SECRET_A_KEY_APIKEY is not set"),
              std::string::npos)
        << to_text(again.findings);
    const Dump shown = dump(file, variables(), {.shows_secrets = true});
    EXPECT_NE(shown.documents.find("sk-literal"), std::string::npos);
    EXPECT_NE(shown.expansion.find("Bearer sk-literal"), std::string::npos);
}

TEST_F(Folder, BothFormsStandSideBySide) {
    write("more.yaml",
          "apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: other}\n"
          "spec: {services: [{host: 127.0.0.1, port: 8081}], protocol: http}\n");
    const Loaded loaded =
        load(write("rotary.yaml", sample() + "resources: [more.yaml]\n"), with_key());
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    EXPECT_NE(loaded.resources.find_backend("other"), nullptr);
    EXPECT_NE(loaded.resources.find_backend("openai"), nullptr);
}

}  // namespace
}  // namespace rotary::config
