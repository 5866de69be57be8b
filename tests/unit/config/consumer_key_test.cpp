#include <gtest/gtest.h>

#include <chrono>

#include <rotary/config/check/effective.hpp>
#include "unit/config/loading.hpp"
#include "unit/config/mistakes.hpp"

namespace rotary::config {
namespace {

using namespace std::chrono_literals;

// A ConsumerKey beside complete.yaml. Letters of the second hash are upper case.
const std::string kKeys = R"(---
apiVersion: rotary.dev/v1alpha1
kind: ConsumerKey
metadata: {name: team-a}
spec:
  consumer: Team A
  keys:
    - hash: sha256:1111111111111111111111111111111111111111111111111111111111111111
      notBefore: 2026-01-01
      notAfter: 2190-02-01T12:00:00+01:00
      note: the old one
    - {hash: sha256:ABCDEF1111111111111111111111111111111111111111111111111111111111}
  apis: [story-api]
  models: [novel]
  scopes: [read, write]
  disabled: true
  maxConcurrent: 7
---
apiVersion: rotary.dev/v1alpha1
kind: ConsumerKey
metadata: {name: team-a-2}
spec:
  consumer: Team A
  keys: [{hash: "sha256:2222222222222222222222222222222222222222222222222222222222222222"}]
  maxConcurrent: 7
)";

std::string with_keys() { return read_text(data_file("complete.yaml")) + kKeys; }

TEST(ConsumerKeyTest, IsReadWhole) {
    const Loaded loaded = load_resources(with_keys());
    ASSERT_EQ(loaded.resources.consumer_keys.size(), 2U);
    const ConsumerKey& one = loaded.resources.consumer_keys[0];
    EXPECT_EQ(one.consumer, "Team A");
    ASSERT_EQ(one.keys.size(), 2U);
    EXPECT_EQ(one.keys[0].hash, "sha256:" + std::string(64, '1'));
    EXPECT_EQ(one.keys[0].not_before.time_since_epoch() / 24h, 20454);
    EXPECT_EQ(one.keys[0].not_after.time_since_epoch() % 24h, 11h);
    EXPECT_EQ(one.keys[0].note, "the old one");
    EXPECT_EQ(one.keys[1].hash, "sha256:abcdef" + std::string(58, '1'));
    EXPECT_EQ(one.keys[1].not_before, WallTime::min());
    EXPECT_EQ(one.keys[1].not_after, WallTime::max());
    ASSERT_EQ(one.apis.size(), 1U);
    EXPECT_EQ(one.apis[0].name, "story-api");
    ASSERT_EQ(one.models.size(), 1U);
    EXPECT_EQ(one.models[0].name, "novel");
    EXPECT_EQ(one.scopes, (std::vector<std::string>{"read", "write"}));
    EXPECT_TRUE(one.disabled);
    EXPECT_EQ(one.max_concurrent, 7U);
    const ConsumerKey& other = loaded.resources.consumer_keys[1];
    EXPECT_TRUE(other.apis.empty() && other.models.empty() && other.scopes.empty());
    EXPECT_FALSE(other.disabled);
}

TEST(ConsumerKeyTest, IsGoodForItsApisOrAny) {
    const Loaded loaded = load_resources(with_keys());
    Api api;
    api.metadata.name = "story-api";
    EXPECT_TRUE(may_call(loaded.resources.consumer_keys[0], api));
    EXPECT_TRUE(may_call(loaded.resources.consumer_keys[1], api));
    api.metadata.name = "other/story-api";
    EXPECT_FALSE(may_call(loaded.resources.consumer_keys[0], api));
    EXPECT_TRUE(may_call(loaded.resources.consumer_keys[1], api));
}

TEST(ConsumerKeyTest, NoFindingShowsAKey) {
    const std::string key = "rk_0123abcd_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq1nFc9h";
    for (const char* hash :
         {"sha256:1111111111111111111111111111111111111111111111111111111111111111", "the old one",
          "2026-01-01"}) {
        const Loaded loaded =
            load_resources(read_text(data_file("complete.yaml")) +
                           with_change(kKeys.substr(0, kKeys.rfind("---")), hash, key));
        EXPECT_EQ(to_text(loaded.findings).find("ABCDEFGHIJKLMN"), std::string::npos) << hash;
    }
}

// Which APIs are told that nothing lets a request in.
TEST(ConsumerKeyTest, LetsRequestsIntoAnApiWithoutATokenIssuer) {
    const auto is_told = [](const std::string& text) {
        return to_text(load_resources(text).findings).find("no TokenIssuer") != std::string::npos;
    };
    const std::string complete = read_text(data_file("complete.yaml"));
    const std::string elsewhere =
        with_change(complete, "  organization: default\n  consumerKeyClaim: client",
                    "  organization: elsewhere\n  consumerKeyClaim: client");
    const std::string nowhere =
        with_change(elsewhere, "  organization: default\n  consumerKeyClaim: azp",
                    "  organization: elsewhere\n  consumerKeyClaim: azp");
    EXPECT_TRUE(is_told(nowhere));
    EXPECT_FALSE(is_told(nowhere + kKeys));
}

// The sample, as it stands and with what is commented out.
TEST(ConsumerKeyTest, TheSampleLoads) {
    const std::string folder = std::string(ROTARY_SOURCE_DIR) + "/config/";
    std::string sample = read_text(folder + "samples/consumer-key.yaml");
    const std::string chat = read_text(folder + "apis/chat.yaml") + "\n---\n";
    for (const bool whole : {false, true}) {
        for (std::size_t at = sample.find("\n# "); whole && at != sample.npos;
             at = sample.find("\n# ", at + 1)) {
            if (sample.compare(at, 7, "\n# with") != 0) sample.erase(at + 1, 2);
        }
        for (const char* field : {"apis", "models", "scopes"}) {
            const std::size_t at = sample.find("# " + std::string(field));
            ASSERT_NE(at, sample.npos) << field;
            if (whole) sample.erase(at, 2);
        }
        const Loaded loaded = load_resources(chat + sample);
        ASSERT_EQ(loaded.resources.consumer_keys.size(), 1U);
        EXPECT_EQ(loaded.resources.consumer_keys[0].keys.size(), 2U);
        EXPECT_EQ(loaded.resources.consumer_keys[0].models.size(), whole ? 2U : 0U);
        EXPECT_EQ(loaded.resources.authentications.size(), whole ? 1U : 0U);
        for (const Finding& finding : loaded.findings) {
            EXPECT_EQ(finding.message.find("is not served: ") == std::string::npos &&
                          finding.message.find("TokenIssuer") == std::string::npos,
                      false)
                << to_text(loaded.findings);
        }
    }
}

class KeyMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(KeyMistakes, AreFoundAtTheirPlace) {
    const Mistake& mistake = GetParam();
    std::string text = with_change(with_keys(), mistake.replace, mistake.with);
    const std::pair<int, int> place = take_marker(text, mistake);
    expect_only(load_resources(text), mistake, place);
}

constexpr const char* kFirst =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
constexpr const char* kThird =
    "\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"";

const Mistake kMistakes[] = {
    {"hash_missing",
     "hash: sha256:1111111111111111111111111111111111111111111111111111111111111111",
     "@@hash: null", "spec.keys[0].hash", "is required"},
    {"hash_short", kFirst, "@@sha256:11", "spec.keys[0].hash", "64 hexadecimal digits"},
    {"hash_of_another_kind", kFirst,
     "@@sha512:1111111111111111111111111111111111111111111111111111111111111111",
     "spec.keys[0].hash", "must be sha256:"},
    {"hash_with_other_letters", kFirst,
     "@@sha256:111111111111111111111111111111111111111111111111111111111111111g",
     "spec.keys[0].hash", "64 hexadecimal digits"},
    {"key_in_place_of_its_hash", kFirst, "@@rk_0123abcd_x", "spec.keys[0].hash",
     "holds a key itself"},
    {"hash_twice", kThird,
     "@@sha256:1111111111111111111111111111111111111111111111111111111111111111",
     "spec.keys[0].hash", "this key is at r.yaml:"},
    {"hash_twice_in_other_letters", kThird,
     "@@sha256:abcdef1111111111111111111111111111111111111111111111111111111111",
     "spec.keys[0].hash", "a key has one owner"},
    {"no_keys",
     "  keys: [{hash: "
     "\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"}]",
     "  keys: @@[]", "spec.keys", "must"},
    {"time", "2026-01-01", "@@yesterday", "spec.keys[0].notBefore", "such as 2027-01-31T12:00:00Z"},
    {"time_without_zone", "2026-01-01", "@@2026-01-01T00:00:00", "spec.keys[0].notBefore",
     "must be a time"},
    {"times_that_cross", "notBefore: 2026-01-01", "notBefore: 2190-02-01T11:00:00Z",
     "spec.keys[0].notAfter", "is not after notBefore", Severity::error, "notAfter: @@2190"},
    {"expired", "notAfter: 2190-02-01T12:00:00+01:00", "notAfter: @@2026-01-02",
     "spec.keys[0].notAfter", "has expired", Severity::warning},
    {"api", "apis: [story-api]", "apis: [@@stroy-api]", "spec.apis[0]",
     "there is no API \"stroy-api\"; did you mean \"story-api\"?"},
    {"no_apis", "apis: [story-api]", "apis: @@[]", "spec.apis", "must"},
    {"model", "models: [novel]", "models: [novel, @@nowel]", "spec.models[1]",
     "no rotation of these APIs has the model \"nowel\"", Severity::warning},
    {"consumer", "consumer: Team A\n  keys:\n", "consumer: @@\"a\\tb\"\n  keys:\n", "spec.consumer",
     "must hold no control characters"},
    {"limit_of_none", "disabled: true\n  maxConcurrent: 7", "disabled: true\n  maxConcurrent: @@0",
     "spec.maxConcurrent", "1"},
    {"limit_too_high", "disabled: true\n  maxConcurrent: 7",
     "disabled: true\n  maxConcurrent: @@1000001", "spec.maxConcurrent", "1000000"},
    {"limits_that_differ", "222222\"}]\n  maxConcurrent: 7", "222222\"}]\n  maxConcurrent: @@8",
     "spec.maxConcurrent", "has another limit at r.yaml:"},
    {"name_twice", "{name: team-a-2}", "{name: @@team-a}", "metadata.name",
     "there is another ConsumerKey \"team-a\""},
    {"version", "rotary.dev/v1alpha1\nkind: ConsumerKey\nmetadata: {name: team-a-2}",
     "@@rotary.dev/v1\nkind: ConsumerKey\nmetadata: {name: team-a-2}", "apiVersion",
     "known are rotary.dev/v1alpha1"},
    {"field", "scopes: [read, write]\n  disabled: true", "scopes: [read, write]\n  @@disable: true",
     "spec.disable", "did you mean"},
    {"query", "keys: [{in: Header, name: x-key", "keys: [{in: @@Query, name: x-key",
     "spec.default.authTypes.apiKey.keys[0].in", "prefer `in: Header`", Severity::warning},
    {"annotation_of_an_api",
     "annotations: {note:", "annotations: {rotary/max-concurrent: \"none\", note:", "metadata",
     "rotary/max-concurrent must be a number from 1 to 1000000", Severity::error,
     "  @@name: story-api\n  namespace"},
};

INSTANTIATE_TEST_SUITE_P(Keys, KeyMistakes, testing::ValuesIn(kMistakes), mistake_name);

}  // namespace
}  // namespace rotary::config
