// What the keys of consumers come to in a snapshot, and the orders of those who may have some
// models of a list only.
#include <rotary/auth/api_key.hpp>
#include <rotary/routing/snapshot.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{std::chrono::hours(1)};

// Two APIs; the list of the first is a:5, b:3, b:2 (on another Backend), c:1, d:0.
const std::string kApis = R"(
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: chat, annotations: {rotary/max-concurrent: "9"}}
spec: {apiName: chat, apiType: REST, apiVersion: "1.0", basePath: /chat/1.0, organization: default,
  production: [{routeRefs: [live]}]}
---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: other}
spec: {apiName: other, apiType: REST, apiVersion: "1.0", basePath: /other/1.0,
  organization: default, production: [{routeRefs: [plain]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: live}
spec: {rules: [{backendRefs: [{kind: Backend, name: one}, {kind: Backend, name: two}]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: plain}
spec: {rules: [{backendRefs: [{kind: Backend, name: one}]}]}
---
kind: Backend
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: one}
spec: {services: [{host: llm.example.com, port: 443}], protocol: https}
---
kind: Backend
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: two}
spec: {services: [{host: llm.example.org, port: 443}], protocol: https}
---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: rr}
spec:
  targetRef: {group: g, kind: API, name: chat}
  default:
    modelBasedRoundRobin:
      onQuotaExceedSuspendDuration: 60
      productionModels:
        - {model: a, backendRef: {kind: Backend, name: one}, weight: 5}
        - {model: b, backendRef: {kind: Backend, name: one}, weight: 3}
        - {model: b, backendRef: {kind: Backend, name: two}, weight: 2}
        - {model: c, backendRef: {kind: Backend, name: two}, weight: 1}
        - {model: d, backendRef: {kind: Backend, name: two}, weight: 0}
      sandboxModels: []
)";

std::string hash_of(const std::string& key) { return auth::hash_text(auth::digest_of(key)); }

// A ConsumerKey of this name whose key is its name too.
std::string consumer(const std::string& name, const std::string& more = "") {
    std::string text =
        "---\nkind: ConsumerKey\napiVersion: rotary.dev/v1alpha1\nmetadata: {name: " + name;
    text += "}\nspec:\n  consumer: " + name + "\n  keys: [{hash: \"" + hash_of(name) + "\"}]\n";
    return text + (more.empty() ? "" : "  " + more + "\n");
}

struct Compiled {
    std::vector<config::Finding> findings;
    std::shared_ptr<const Snapshot> snapshot;
    const auth::KeyOwner& owner(const std::string& key) const {
        const auto found = snapshot->keys.find(auth::digest_of(key), WallTime{});
        EXPECT_NE(found.owner, nullptr) << key;
        return *found.owner;
    }
    const rotation::Rotation* rotation(const std::string& key) const {
        return snapshot->lists.at(0).rotation_for(owner(key).model_set);
    }
};

Compiled compiled(const std::string& keys, SharedState& shared, const std::string& process = "") {
    const config::Loaded loaded = config::load_text(
        {"rotary.yaml", process}, {{"r.yaml", kApis + keys}}, config::variables());
    Compiled made;
    EXPECT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
    made.snapshot = compile(loaded, shared, made.findings);
    return made;
}

// How often each entry has a turn in so many, by its letter.
std::string shares(const rotation::Rotation& rotation, int turns, SteadyTime now = kNow) {
    std::map<std::size_t, int> counts;
    for (int i = 0; i < turns; ++i) ++counts[rotation.pick(now, {})->entry];
    std::string text;
    for (const auto& [entry, count] : counts) {
        text += static_cast<char>('A' + entry);
        text += std::to_string(count);
    }
    return text;
}

TEST(ConsumersTest, KeysLeadToTheirOwners) {
    SharedState shared;
    const Compiled made = compiled(
        consumer("x", "scopes: [read]\n  disabled: true\n  apis: [other]") + consumer("y"), shared);
    EXPECT_EQ(made.snapshot->keys.size(), 2U);
    const auth::KeyOwner& x = made.owner("x");
    EXPECT_EQ(x.consumer, "x");
    EXPECT_TRUE(x.disabled);
    EXPECT_TRUE(x.has_scope("read"));
    EXPECT_FALSE(x.has_scope("write"));
    std::map<std::string, std::uint32_t> numbers;
    for (const Route& route : made.snapshot->routes) numbers[route.api] = route.api_number;
    EXPECT_TRUE(x.may_call(numbers.at("other")));
    EXPECT_FALSE(x.may_call(numbers.at("chat")));
    EXPECT_TRUE(made.owner("y").may_call(numbers.at("chat")));
}

TEST(ConsumersTest, LimitsOnRequestsInFlightAreCompiled) {
    SharedState shared;
    const Compiled made = compiled(consumer("x", "maxConcurrent: 3") + consumer("y"), shared);
    const ConcurrencyLimits& limits = made.snapshot->consumer_limits;
    EXPECT_EQ(limits.find(InFlight::key_of("consumer", "x"), 7), 3U);
    EXPECT_EQ(limits.find(InFlight::key_of("consumer", "y"), 7), 7U);
    for (const Route& route : made.snapshot->routes) {
        EXPECT_EQ(route.max_concurrent, route.api == "chat" ? 9U : 0U) << route.api;
        EXPECT_EQ(route.in_flight_key, InFlight::key_of("api", route.api));
    }
    EXPECT_EQ(made.snapshot->in_flight, shared.in_flight());
}

TEST(ConsumersTest, APartOfAListIsSharedOutExactly) {
    struct Row {
        const char* name;
        const char* models;
        int turns;  // of three rounds
        const char* shares;
    };
    const Row rows[] = {
        {"one model", "[a]", 15, "A15"},
        {"a model of two entries", "[b]", 15, "B9C6"},
        {"two models", "[a, c]", 18, "A15D3"},
        {"names that are on no list", "[c, gpt-9]", 3, "D3"},
        {"all of it", "[a, b, c]", 33, "A15B9C6D3"},
        {"all, and what is never picked", "[d, c, b, a]", 33, "A15B9C6D3"},
    };
    for (const Row& row : rows) {
        SharedState shared;
        const Compiled made = compiled(consumer("x", std::string("models: ") + row.models), shared);
        const rotation::Rotation* rotation = made.rotation("x");
        ASSERT_NE(rotation, nullptr) << row.name;
        for (int round = 0; round < 3; ++round) {
            EXPECT_EQ(shares(*rotation, row.turns), row.shares) << row.name;
        }
    }
}

TEST(ConsumersTest, AListThatHasNoneOfTheModelsIsNone) {
    SharedState shared;
    const Compiled made =
        compiled(consumer("x", "models: [gpt-9]") + consumer("y", "models: [d]"), shared);
    EXPECT_EQ(made.rotation("x"), nullptr);
    EXPECT_EQ(made.rotation("y"), nullptr) << "of an entry that weighs nothing";
}

// Turns of each part, by all the consumers that may have it, and of the whole list.
TEST(ConsumersTest, EqualPartsShareOneOrderAndOthersHaveTheirOwn) {
    SharedState shared;
    const Compiled made = compiled(
        consumer("x", "models: [a, c]") + consumer("y", "models: [c, gpt-9, a]") +
            consumer("z", "models: [b]") + consumer("all") + consumer("named", "models: [a, b, c]"),
        shared);
    EXPECT_EQ(made.rotation("x"), made.rotation("y"));
    EXPECT_NE(made.rotation("x"), made.rotation("z"));
    EXPECT_EQ(made.rotation("all"), &made.snapshot->lists[0].rotation);
    EXPECT_EQ(made.rotation("named"), made.rotation("all"));
    EXPECT_EQ(made.snapshot->lists[0].narrowed.size(), 2U);
    std::map<std::string, int> counts;
    for (int i = 0; i < 6; ++i) {
        for (const char* caller : {"x", "z", "y", "all", "z"}) {
            const auto pick = made.rotation(caller)->pick(kNow, {});
            const std::string part = caller == std::string("y") ? "x" : caller;
            ++counts[part + static_cast<char>('A' + pick->entry)];
        }
    }
    EXPECT_EQ(counts["xA"], 10);
    EXPECT_EQ(counts["xD"], 2);
    EXPECT_EQ(counts["zB"] + counts["zC"], 12);
    EXPECT_LE(std::abs(counts["zB"] - 7), 1) << "12 turns of 3 to 2";
}

// Of each set of active entries the part has an order too.
TEST(ConsumersTest, ASuspendedEntryLeavesTheRestOfThePart) {
    SharedState shared;
    const Compiled made = compiled(consumer("x", "models: [a, b]"), shared);
    const rotation::Rotation& part = *made.rotation("x");
    const rotation::Rotation& whole = made.snapshot->lists[0].rotation;
    const auto until = kNow + 60s;
    EXPECT_EQ(shares(part, 10), "A5B3C2");
    part.state(0).suspend(kNow, 60s, rotation::SuspendReason::rate_limited, whole.limits());
    EXPECT_EQ(shares(part, 10), "B6C4");
    EXPECT_EQ(shares(whole, 12), "B6C4D2") << "it is out for all";
    for (const std::size_t entry : {1U, 2U}) {
        part.state(entry).suspend(kNow, 60s, rotation::SuspendReason::rate_limited, whole.limits());
    }
    EXPECT_FALSE(part.pick(kNow, {})) << "what is left of the list is not theirs";
    EXPECT_FALSE(part.has_other(kNow, {}));
    EXPECT_TRUE(part.all_out_for_quota(kNow));
    EXPECT_TRUE(whole.pick(kNow, {}));
    EXPECT_EQ(part.soonest_return(kNow), until);
}

TEST(ConsumersTest, SecondTriesStayWithinThePart) {
    SharedState shared;
    const Compiled made = compiled(consumer("x", "models: [a, c]"), shared);
    for (int i = 0; i < 12; ++i) {
        rotation::Tried tried;
        tried.add(made.rotation("x")->pick(kNow, tried)->entry);
        const auto second = made.rotation("x")->pick(kNow, tried);
        ASSERT_TRUE(second);
        EXPECT_TRUE(second->entry == 0 || second->entry == 3) << second->entry;
        tried.add(second->entry);
        EXPECT_FALSE(made.rotation("x")->has_other(kNow, tried));
        EXPECT_FALSE(made.rotation("x")->pick(kNow, tried));
    }
}

TEST(ConsumersTest, AReloadKeepsThePlaceInAPart) {
    SharedState shared;
    const Compiled before = compiled(consumer("x", "models: [a, c]"), shared);
    std::map<std::size_t, int> counts;
    const auto pick = [&](const Compiled& made) {
        ++counts[made.rotation("x")->pick(kNow, {})->entry];
    };
    for (int i = 0; i < 3; ++i) pick(before);
    const Compiled after =
        compiled(consumer("new", "models: [b]") + consumer("x", "models: [c, a]"), shared);
    for (int i = 0; i < 3; ++i) pick(after);
    EXPECT_EQ(counts[0], 5) << "one round, begun before and ended behind the reload";
    EXPECT_EQ(counts[3], 1);
}

TEST(ConsumersTest, DifferentListsOfModelsAreBounded) {
    const std::string process =
        "listeners: [{address: 127.0.0.1, plaintext: true}]\n"
        "limits: {model_sets: 1}\n";
    SharedState shared;
    const std::string same = consumer("x", "models: [a, c]") + consumer("y", "models: [c, a]");
    EXPECT_NE(compiled(same, shared, process).snapshot, nullptr);
    const Compiled over = compiled(same + consumer("z", "models: [a]"), shared, process);
    EXPECT_EQ(over.snapshot, nullptr);
    EXPECT_NE(config::to_text(over.findings).find("limits.model_sets"), std::string::npos);
}

}  // namespace
}  // namespace rotary::routing
