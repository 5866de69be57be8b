#include "app/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace rotary::app {
namespace {

using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string, std::less<>>;

config::Environment environment(const Variables& variables) {
    return [variables](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(WantsColour, FollowsTerminalAndVariables) {
    const struct {
        const char* name;
        bool is_terminal;
        Variables variables;
        bool wanted;
    } kCases[] = {
        {"terminal", true, {{"TERM", "xterm"}}, true},
        {"pipe", false, {{"TERM", "xterm"}}, false},
        {"no TERM", true, {}, false},
        {"dumb", true, {{"TERM", "dumb"}}, false},
        {"NO_COLOR", true, {{"TERM", "xterm"}, {"NO_COLOR", "1"}}, false},
        {"empty NO_COLOR", true, {{"TERM", "xterm"}, {"NO_COLOR", ""}}, true},
        {"forced", false, {{"CLICOLOR_FORCE", "1"}}, true},
        {"not forced", false, {{"CLICOLOR_FORCE", "0"}}, false},
        {"both", true, {{"TERM", "xterm"}, {"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false},
    };
    for (const auto& one : kCases) {
        EXPECT_EQ(wants_colour(one.is_terminal, environment(one.variables)), one.wanted)
            << one.name;
    }
}

config::Loaded sample() {
    return config::load_text(
        {"rotary.yaml",
         "listeners: [{address: 127.0.0.1, port: 9095, plaintext: true}]\n"
         "providers: {main: {url: https://p.example.com/v1, key: \"${KEY}\"}}\n"
         "apis:\n"
         "- path: /v1\n"
         "  keys: {me: \"sha256:" +
             std::string(64, 'a') +
             "\"}\n"
             "  production: [{model: large, weight: 3}, {model: small}]\n"
             "  sandbox: {hosts: [sandbox.example.com], models: [{model: small}]}\n"},
        {}, environment({{"KEY", "sk-secret"}}));
}

TEST(StartSummary, ShowsWhatIsServedAndNoKey) {
    const config::Loaded loaded = sample();
    ASSERT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
    const std::string text = start_summary(loaded, false);
    for (const char* part :
         {"  http://127.0.0.1:9095 ", "unencrypted", "  http://127.0.0.1:9901 ",
          "POST */v1/chat/completions  (v1, production)\n",
          "POST sandbox.example.com/v1/chat/completions  (v1, sandbox)\n", " 75.0 %  large ",
          " 25.0 %  small ", "100.0 %  small ", " weight 3\n",
          "main                https://p.example.com:443/v1  key: secret main-key/apiKey\n",
          "curl http://localhost:9095/v1/chat/completions -H "}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
    EXPECT_THAT(text, Not(HasSubstr("sk-secret")));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(start_summary(loaded, true), HasSubstr("\x1b[32m 75.0 %\x1b[0m"));
}

TEST(StartSummary, SaysWhereClientsNameTheModel) {
    const config::Loaded loaded = config::load_text(
        {"rotary.yaml", "listeners: [{port: 1, plaintext: true}]\n"},
        {{"r.yaml",
          "apiVersion: dp.wso2.com/v1alpha3\nkind: API\nmetadata: {name: a}\n"
          "spec: {apiName: a, apiType: REST, apiVersion: \"1\", basePath: /a/1,\n"
          "       production: [{routeRefs: [r]}]}\n"
          "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\n"
          "spec: {rules: [{backendRefs: [{kind: Backend, name: b}]}]}\n"
          "---\napiVersion: dp.wso2.com/v1alpha2\nkind: Backend\nmetadata: {name: b}\n"
          "spec: {services: [{host: 127.0.0.1, port: 1}], protocol: http}\n"}},
        environment({}));
    ASSERT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
    EXPECT_THAT(start_summary(loaded, false), HasSubstr("no rotation: its clients name the model"));
    EXPECT_THAT(start_summary(loaded, false), Not(HasSubstr("curl")));
}

TEST(ShortSummary, Counts) {
    EXPECT_EQ(short_summary(sample()), "1 API, 2 rules, 3 model entries, 1 provider");
}

}  // namespace
}  // namespace rotary::app
