#include <rotary/tools/key.hpp>

#include <rotary/auth/api_key.hpp>
#include <rotary/config/load.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>

namespace rotary::tools {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr WallTime kNow{std::chrono::seconds(1'800'000'000)};  // 2027-01-15

config::Loaded load_resources(const std::string& text) {
    return config::load_text({"rotary.yaml", ""}, {{"r.yaml", text}},
                             [](std::string_view) { return std::optional<std::string>(); });
}

struct Made {
    int exit_code = 0;
    std::string key;   // with its line feed
    std::string text;  // of standard error
};

Made made(const NewKeyOptions& options) {
    std::ostringstream out;
    std::ostringstream err;
    Made result;
    result.exit_code = make_key(options, out, err);
    result.key = out.str();
    result.text = err.str();
    return result;
}

TEST(KeyCommand, PrintsTheKeyOnceAndAConsumerKeyThatLoads) {
    const Made one = made({"team-a", "2026-01-01", "2027-01-31T12:00:00Z"});
    ASSERT_EQ(one.exit_code, 0);
    ASSERT_TRUE(one.key.ends_with('\n'));
    const std::string key = one.key.substr(0, one.key.size() - 1);
    EXPECT_TRUE(auth::is_whole_api_key(key));
    EXPECT_THAT(one.text, Not(HasSubstr(key.substr(12))));
    const config::Loaded loaded = load_resources(one.text);
    ASSERT_EQ(loaded.resources.consumer_keys.size(), 1U) << one.text;
    const config::ConsumerKey& consumer = loaded.resources.consumer_keys[0];
    EXPECT_EQ(consumer.metadata.name, "team-a");
    EXPECT_EQ(consumer.consumer, "team-a");
    ASSERT_EQ(consumer.keys.size(), 1U);
    EXPECT_EQ(consumer.keys[0].hash, auth::hash_text(auth::digest_of(key)));
    EXPECT_EQ(consumer.keys[0].note, key.substr(3, 8));
    EXPECT_EQ(consumer.keys[0].not_before, WallTime(1'767'225'600s));
    EXPECT_EQ(consumer.keys[0].not_after, WallTime(1'801'396'800s));
    EXPECT_NE(made({"team-a", "", ""}).key, one.key);
}

TEST(KeyCommand, AnyNameOfAConsumerMakesYaml) {
    for (const char* name : {"Team A", "a: \"b\" #c", "{x}", "null", "-", "é"}) {
        const config::Loaded loaded = load_resources(made({name, "", ""}).text);
        ASSERT_EQ(loaded.resources.consumer_keys.size(), 1U) << name;
        EXPECT_EQ(loaded.resources.consumer_keys[0].consumer, name);
        EXPECT_EQ(config::to_text(loaded.findings).find("error"), std::string::npos) << name;
    }
}

TEST(KeyCommand, OptionsThatMakeNoSenseAreBadUsage) {
    struct Row {
        NewKeyOptions options;
        const char* says;
    };
    const Row rows[] = {
        {{"", "", ""}, "--consumer: is empty"},
        {{"a\nb", "", ""}, "control character"},
        {{std::string(257, 'a'), "", ""}, "longer than 256"},
        {{"a", "soon", ""}, "--not-before: can't read 'soon'"},
        {{"a", "", "2027-02-30"}, "--not-after: can't read"},
        {{"a", "2027-01-01", "2027-01-01"}, "--not-after: is not after --not-before"},
    };
    for (const Row& row : rows) {
        const Made none = made(row.options);
        EXPECT_EQ(none.exit_code, 2) << row.says;
        EXPECT_EQ(none.key, "") << row.says;
        EXPECT_THAT(none.text, HasSubstr(row.says));
    }
}

TEST(KeyCommand, SaysWhoseAKeyIsAndWhyItIsNotValid) {
    const std::string key = auth::make_api_key();
    const std::string hash = auth::hash_text(auth::digest_of(key));
    const auto check = [&](const std::string& more, std::string_view asked) {
        const config::Loaded loaded = load_resources(
            "apiVersion: rotary.dev/v1alpha1\nkind: ConsumerKey\nmetadata: {name: a}\nspec:\n"
            "  consumer: Team A\n  keys: [{hash: \"" +
            hash + "\"" + more + "\n");
        std::ostringstream out;
        const int exit_code = check_key(loaded.resources, asked, kNow, out);
        EXPECT_THAT(out.str(), Not(HasSubstr(key.substr(12))));
        return std::to_string(exit_code) + "\n" + out.str();
    };
    const std::string id = "key_id: " + key.substr(3, 8) + "\n";
    const std::string any = "consumer: Team A\napis: any\nmodels: any\nscopes: none\n";
    EXPECT_EQ(check("}]", key), "0\n" + id + any + "valid: yes\n");
    EXPECT_EQ(check("}]\n  apis: [b, c]\n  models: [m]\n  scopes: [s, t]", key),
              "0\n" + id + "consumer: Team A\napis: b, c\nmodels: m\nscopes: s, t\nvalid: yes\n");
    EXPECT_EQ(check("}]\n  disabled: true", key), "1\n" + id + any + "valid: no, it is disabled\n");
    EXPECT_EQ(check(", notAfter: 2027-01-15}]", key),
              "1\n" + id + any + "valid: no, it has expired at 2027-01-15T00:00:00Z\n");
    EXPECT_EQ(check(", notBefore: 2027-01-16}]", key),
              "1\n" + id + any + "valid: no, not before 2027-01-16T00:00:00Z\n");
    const std::string other = auth::make_api_key();
    EXPECT_EQ(check("}]", other),
              "1\nkey_id: " + other.substr(3, 8) + "\nvalid: no, no ConsumerKey has its hash\n");
    EXPECT_THAT(check("}]", key.substr(1)), HasSubstr("not a key of Rotary's"));
    EXPECT_THAT(check("}]", ""), HasSubstr("1\nvalid: no"));
}

}  // namespace
}  // namespace rotary::tools
