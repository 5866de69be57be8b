// Endpoints by their paths and names, the annotation rotary/endpoints, and the list of models of
// the short form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <rotary/config/check/effective.hpp>
#include <rotary/config/kinds/endpoint.hpp>
#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string name_of(EndpointSet bit) {
    if (bit == kListOfModels) {
        return "models";
    }
    for (std::size_t i = 0; i < known_endpoints().size(); ++i) {
        if (bit == EndpointSet{1} << i) {
            return known_endpoints()[i].name;
        }
    }
    return bit == 0 ? "none" : "several";
}

TEST(Endpoint, IsFoundByTheEndOfThePath) {
    struct Row {
        const char* path;
        const char* name;
    };
    const Row rows[] = {
        {"/chat/completions", "chat"},
        {"/chat/completions/", "chat"},
        {"/openai/v1/chat/completions", "chat"},
        {"/completions", "completions"},
        {"/responses", "responses"},
        {"/responses/resp_1", "none"},
        {"/embeddings", "embeddings"},
        {"/Embeddings", "none"},
        {"/chat%2Fcompletions", "none"},
        {"/xembeddings", "none"},
        {"/images", "images"},
        {"/images/generations", "images"},
        {"/imagesx/generations", "none"},
        {"/imagesx/images/edits", "images"},
        {"/audio/speech", "audio"},
        {"/moderations", "moderations"},
        {"/files/file-1/content", "files"},
        {"/models", "models"},
        {"/models/gpt-4o", "none"},
        {"/", "none"},
        {"", "none"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(name_of(endpoint_of(row.path)), row.name) << row.path;
    }
}

TEST(Endpoint, SetsAreReadByName) {
    std::string wrong;
    EXPECT_EQ(read_endpoint_set("chat, models", wrong),
              endpoint_of("/chat/completions") | kListOfModels);
    EXPECT_EQ(read_endpoint_set("embeddings", wrong), endpoint_of("/embeddings"));
    struct Row {
        const char* names;
        const char* wrong;
    };
    const Row rows[] = {
        {"", "there is no endpoint \"\""},
        {"chat,", "there is no endpoint \"\""},
        {"embedings", "embeddings"},  // what was meant
        {"chat,chat", "\"chat\" is named twice"},
        {"chat responses", "there is no endpoint \"chat responses\""},
    };
    for (const Row& row : rows) {
        EXPECT_FALSE(read_endpoint_set(row.names, wrong)) << row.names;
        EXPECT_THAT(wrong, HasSubstr(row.wrong));
    }
}

std::string policy(const std::string& endpoints, const std::string& half) {
    return "apiVersion: dp.wso2.com/v1alpha4\nkind: APIPolicy\nmetadata: {name: p, annotations: "
           "{rotary/endpoints: \"" +
           endpoints + "\"}}\nspec:\n  " + half +
           "\n  targetRef: {group: dp.wso2.com, kind: Resource, name: r}\n";
}

constexpr const char* kRotation =
    "{modelBasedRoundRobin: {productionModels: [{model: m}], sandboxModels: []}}";

TEST(EndpointAnnotation, IsOfTheRotation) {
    for (const char* half : {"default: ", "override: "}) {
        const Loaded loaded = load_resources(policy("chat", std::string(half) + kRotation));
        EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
        ASSERT_EQ(loaded.resources.policies.size(), 1U);
        const ApiPolicy& read = loaded.resources.policies[0];
        const auto& rotation =
            read.defaults.rotation ? read.defaults.rotation : read.overrides.rotation;
        EXPECT_EQ(rotation->endpoints, endpoint_of("/chat/completions")) << half;
    }
}

TEST(EndpointAnnotation, IsRefusedWhereItSaysNothing) {
    EXPECT_THAT(
        to_text(load_resources(policy("chatt", std::string("default: ") + kRotation)).findings),
        HasSubstr("error: metadata: the annotation rotary/endpoints must be names of endpoints, "
                  "with commas between them: there is no endpoint \"chatt\""));
    EXPECT_THAT(
        to_text(load_resources(policy("chat", "default: {subscriptionValidation: true}")).findings),
        HasSubstr("error: metadata: the annotation rotary/endpoints is for policies with "
                  "modelBasedRoundRobin"));
}

std::string shipped(const std::string& name) {
    return read_text(std::string(ROTARY_SOURCE_DIR) + "/config/" + name);
}

TEST(EndpointAnnotation, TheSampleLoads) {
    const Loaded loaded =
        load_resources(shipped("apis/chat.yaml") + "---\n" + shipped("samples/endpoints.yaml"));
    EXPECT_THAT(to_text(loaded.findings), Not(HasSubstr("rotary/endpoints")));
    const ApiPolicy* vectors = loaded.resources.find_policy("vectors");
    ASSERT_NE(vectors, nullptr);
    EXPECT_EQ(vectors->defaults.rotation->endpoints, endpoint_of("/embeddings"));
    const ApiPolicy* chats = loaded.resources.find_policy("chats");
    ASSERT_NE(chats, nullptr);
    EXPECT_EQ(chats->defaults.rotation->endpoints,
              endpoint_of("/chat/completions") | endpoint_of("/responses") | kListOfModels);
}

// The rules of a route that have this path, each as the endpoints of its policy.
std::vector<EndpointSet> rules_at(const Loaded& loaded, const char* route, const char* path) {
    std::vector<EndpointSet> found;
    for (const HttpRouteRule& rule : loaded.resources.find_route(route)->rules) {
        for (const RouteMatch& match : rule.matches) {
            if (match.path.value != path) {
                continue;
            }
            const ApiPolicy* policy = loaded.resources.find_policy(rule.extensions.at(0).name);
            found.push_back(policy->defaults.rotation->endpoints);
        }
    }
    return found;
}

// The models that a request takes its turn among; "none" without a rotation, "404" without a rule.
std::string turns(const Loaded& loaded, const char* route, std::string_view path) {
    const Api& api = loaded.resources.apis.at(0);
    for (const HttpRouteRule& rule : loaded.resources.find_route(route)->rules) {
        for (const RouteMatch& match : rule.matches) {
            const bool is_below =
                match.path.type == PathType::prefix && path.starts_with(match.path.value + "/");
            if (match.path.value != path && !is_below) {
                continue;
            }
            const ModelRotation* rotation = effective_policy(loaded.resources, api, rule).rotation;
            if (rotation == nullptr) {
                return "none";
            }
            if ((rotation->endpoints & endpoint_of(path)) == 0) {
                return "404";
            }
            std::string models;
            for (const ModelEntry& entry : rotation->production) {
                models += (models.empty() ? "" : " ") + entry.model;
            }
            return models;
        }
    }
    return "404";
}

TEST(ShippedConfiguration, LetsNoClientChooseAModel) {
    const Environment environment = variables({{"OPENAI_API_KEY", "k"},
                                               {"ROTARY_ISSUER", "https://i"},
                                               {"ROTARY_JWKS_URL", "https://i/keys"}});
    for (const char* name : {"image/apis/openai.yaml", "apis/chat.yaml"}) {
        const std::string findings =
            to_text(load_text({"rotary.yaml", "listeners: [{port: 1, plaintext: true}]\n"},
                              {{"config/apis/r.yaml", shipped(name)}}, environment)
                        .findings);
        EXPECT_THAT(findings, Not(HasSubstr("error"))) << name;
        EXPECT_THAT(findings, Not(HasSubstr("no APIPolicy gives"))) << name;
    }
    EXPECT_TRUE(names_no_model(endpoint_of("/files/x")));
    EXPECT_FALSE(names_no_model(endpoint_of("/embeddings")));
    EXPECT_FALSE(names_no_model(0));
}

TEST(ShippedConfiguration, SendsEachKindOfRequestToModelsForIt) {
    const Loaded image = load_resources(shipped("image/apis/openai.yaml"));
    const Loaded chat = load_resources(shipped("apis/chat.yaml"));
    struct Row {
        const char* path;
        const char* models;
    };
    const Row rows[] = {
        {"/completions", "gpt-3.5-turbo-instruct"},
        {"/embeddings", "text-embedding-3-small"},
        {"/images/generations", "gpt-image-1"},
        {"/audio/speech", "gpt-4o-mini-tts"},
        {"/audio/transcriptions", "whisper-1"},
        {"/audio/translations", "whisper-1"},
        {"/files", "none"},
        {"/files/file-1/content", "none"},
        {"/fine_tuning/jobs", "404"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(turns(image, "openai", row.path), row.models) << row.path;
        EXPECT_EQ(turns(chat, "chat-production", row.path), row.models) << row.path;
        EXPECT_EQ(turns(chat, "chat-sandbox", row.path), row.models) << row.path;
    }
    for (const char* path : {"/chat/completions", "/responses", "/models"}) {
        EXPECT_EQ(turns(image, "openai", path), "gpt-4o gpt-4o-mini") << path;
        EXPECT_EQ(turns(chat, "chat-production", path), "gpt-4o o1-mini gpt-4o-mini") << path;
        EXPECT_EQ(turns(chat, "chat-sandbox", path), "gpt-4o o1-mini gpt-4o-mini") << path;
    }
}

TEST(ShortForm, EveryEnvironmentHasOneListOfModels) {
    const Loaded loaded = load_process(
        "listeners: [{port: 1, plaintext: true}]\n"
        "providers: {a: {url: http://127.0.0.1:8081/v1, key: none}}\n"
        "apis:\n"
        "  - path: /v1\n"
        "    issuer: https://idp.example.com\n"
        "    jwks: https://idp.example.com/keys\n"
        "    production: [{model: chatty}, {model: vectors, endpoints: [embeddings]}]\n"
        "    sandbox: {hosts: [s.example.com], models: [{model: v, endpoints: [embeddings]}]}\n");
    EXPECT_FALSE(has_errors(loaded.findings)) << to_text(loaded.findings);
    const EndpointSet chats = endpoint_of("/chat/completions") | endpoint_of("/responses");
    const EndpointSet vectors = endpoint_of("/embeddings");
    using Sets = std::vector<EndpointSet>;
    EXPECT_EQ(rules_at(loaded, "v1", "/models"), Sets{chats | kListOfModels});
    EXPECT_EQ(rules_at(loaded, "v1", "/embeddings"), Sets{vectors | kListOfModels});
    EXPECT_EQ(rules_at(loaded, "v1-sandbox", "/models"), Sets{vectors | kListOfModels});
}

}  // namespace
}  // namespace rotary::config
