// What is said of a short form that is wrong, and where.
#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

const std::string kHash = "sha256:" + std::string(64, 'a');

struct Case {
    const char* name;
    std::string text;  // behind the listeners, from line 2 on
    const char* finding;
};

const std::string kProvider = "providers: {a: {url: http://127.0.0.1:8081, key: none}}\n";

// An API whose only line begins so.
std::string api(const std::string& rest) {
    return kProvider + "apis:\n- {path: /v1, keys: {t: \"" + kHash + "\"}, " + rest + "}\n";
}

std::vector<Case> cases() {
    return {
        {"AProviderWithoutAKey", "providers: {a: {url: https://p.example.com}}\n",
         ":2:16: error: providers.a.key: is required: `key: \"${NAME}\"`"},
        {"AProviderWithTwoKeys",
         "providers: {a: {url: https://p.example.com, key: x, key_file: y}}\n",
         ":2:63: error: providers.a.key_file: stands beside `key`"},
        {"AKeyWithItsScheme", "providers: {a: {url: https://p.example.com, key: Bearer x}}\n",
         ":2:50: error: providers.a.key: must be the key alone"},
        {"AVariableThatIsNotSet",
         "providers: {a: {url: https://p.example.com, key: \"${GONE}\"}}\n",
         ":2:50: error: providers.a.key: the variable GONE is not set"},
        {"AProviderWithoutAUrl", "providers: {a: {key: none}}\n",
         ":2:16: error: providers.a.url: is required"},
        {"AUrlWithoutAScheme", "providers: {a: {url: p.example.com, key: none}}\n",
         ":2:22: error: providers.a.url: must begin with https://"},
        {"AUrlWithAPassword", "providers: {a: {url: \"https://u:p@h.example\", key: none}}\n",
         ":2:22: error: providers.a.url: must hold neither user nor password"},
        {"AUrlWithAQuery", "providers: {a: {url: \"https://h.example/?k=v\", key: none}}\n",
         ":2:22: error: providers.a.url: must end with its path"},
        {"AUrlWithABadPort", "providers: {a: {url: \"https://h.example:99999\", key: none}}\n",
         ":2:22: error: providers.a.url: has no valid host and port"},
        {"AFormatThatIsNotServed",
         "providers: {a: {format: anthropic, url: https://h.example, key: x}}\n",
         ":2:25: error: providers.a.format: anthropic is not served yet"},
        {"AFormatThatIsNotKnown",
         "providers: {a: {format: opnai, url: https://h.example, key: x}}\n",
         "providers.a.format: must be one of openai, anthropic, bedrock, gemini, mistral, found "
         "\"opnai\"; did you mean \"openai\"?"},
        {"AnUnknownField", "providers: {a: {uri: x, url: https://h.example, key: x}}\n",
         ":2:17: error: providers.a.uri: unknown"},
        {"ANameThatNoObjectMayHave", "providers: {A_B: {url: https://h.example, key: x}}\n",
         "error: providers.A_B: the name of a provider must be made of lower case letters"},
        {"AModelOfAnUnknownProvider",
         "providers: {openai: {url: http://127.0.0.1:1, key: none}}\n"
         "apis:\n- {path: /v1, production: [{model: m, provider: opnai}]}\n",
         ":4:49: error: apis[0].production[0].provider: there is no provider \"opnai\"; did you "
         "mean \"openai\"?"},
        {"AModelWithoutAProviderWhereThereAreTwo",
         "providers:\n  a: {url: http://127.0.0.1:1, key: none}\n"
         "  b: {url: http://127.0.0.1:2, key: none}\n"
         "apis:\n- {path: /v1, production: [{model: m}]}\n",
         ":6:28: error: apis[0].production[0].provider: is required"},
        {"ANegativeWeight", api("production: [{model: m, weight: -1}]"),
         "error: apis[0].production[0].weight: must be between 0 and"},
        {"AModelThatIsThereTwice", api("production: [{model: m}, {model: m}]"),
         "error: apis[0].production[1].model: \"m\" is listed twice with \"a\""},
        {"NoModels", api("production: []"), "error: apis[0].production: must not be empty"},
        {"NoProduction", api("suspend_seconds: 1"), "error: apis[0].production: is required"},
        {"ASandboxWithoutHosts", api("production: [{model: m}], sandbox: [{model: m}]"),
         "error: apis[0].sandbox: needs `hosts`"},
        {"AnEndpointThatIsNotKnown", api("production: [{model: m, endpoints: [embedings]}]"),
         "error: apis[0].production[0].endpoints[0]: there is no endpoint \"embedings\" that takes "
         "a model; did you mean \"embeddings\"?"},
        {"AnEndpointThatNoModelHas", api("endpoints: [chat, embeddings], production: [{model: m}]"),
         "error: apis[0].endpoints: no model has the endpoint \"embeddings\""},
        {"AnEndpointThatIsLeftOut",
         api("endpoints: [chat], production: [{model: m, endpoints: [chat, embeddings]}]"),
         "error: apis[0].endpoints: leaves out \"embeddings\""},
        {"APathWithoutAVersion", kProvider + "apis:\n- {path: /, production: [{model: m}]}\n",
         ":4:10: error: apis[0].path: must begin with '/' and end with the API's version"},
        {"TwoApisOfOneName",
         api("production: [{model: m}]") + "- {path: /v1, production: [{model: m}]}\n",
         ":5:3: error: apis[1]: another API is called \"v1\", on line 4"},
        {"AKeyInPlaceOfItsHash",
         kProvider + "apis:\n- {path: /v1, keys: {t: rk_abcdefgh}, production: [{model: m}]}\n",
         ":4:25: error: apis[0].keys.t: holds a key itself"},
        {"KeysThatAreNone",
         kProvider + "apis:\n- {path: /v1, keys: {}, production: [{model: m}]}\n",
         "error: apis[0].keys: must be a mapping of consumers"},
        {"JwksWithoutAnIssuer", api("jwks: \"file:x\", production: [{model: m}]"),
         "error: apis[0].jwks: are the keys of an issuer"},
        {"AnApiThatNothingCanCall", kProvider + "apis:\n- {path: /v1, production: [{model: m}]}\n",
         ":4:3: warning: apis[0]: needs a token, and no TokenIssuer is there"},
    };
}

class ShortFormMistake : public testing::TestWithParam<Case> {};

TEST_P(ShortFormMistake, IsToldAtItsPlace) {
    const Loaded loaded =
        load_process("listeners: [{port: 1, plaintext: true}]\n" + GetParam().text);
    const std::string text = to_text(loaded.findings);
    EXPECT_NE(text.find(GetParam().finding), std::string::npos) << text;
    // No word of a resource that the operator never wrote.
    EXPECT_EQ(text.find("spec."), std::string::npos) << text;
    EXPECT_EQ(text.find("metadata"), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(Each, ShortFormMistake, testing::ValuesIn(cases()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ShortFormMistakes, NoFindingShowsAKey) {
    for (const char* text :
         {"providers: {a: {url: https://p.example.com, key: \"Bearer sk-shown\"}}\n",
          "providers: {a: {url: \"sk-shown\", key: sk-shown, key_file: sk-other}}\n",
          "providers: {a: {url: \"https://sk-shown@p.example.com\", key: \"sk-shown\\n\"}}\n"}) {
        const Loaded loaded = load_process(text);
        EXPECT_TRUE(has_errors(loaded.findings));
        EXPECT_EQ(to_text(loaded.findings).find("sk-shown"), std::string::npos)
            << to_text(loaded.findings);
    }
}

TEST(ShortFormMistakes, NameThatIsTakenIsToldAtTheShortForm) {
    const Loaded loaded =
        load_texts({"rotary.yaml", "listeners: [{port: 1, plaintext: true}]\n" + kProvider},
                   {{"r.yaml",
                     "apiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: a}\n"
                     "spec: {services: [{host: 127.0.0.1, port: 8081}], protocol: http}\n"}},
                   variables());
    EXPECT_NE(to_text(loaded.findings)
                  .find("r.yaml:3:18: error: metadata.name: there is another Backend \"a\" at "
                        "rotary.yaml:2"),
              std::string::npos)
        << to_text(loaded.findings);
}

}  // namespace
}  // namespace rotary::config
