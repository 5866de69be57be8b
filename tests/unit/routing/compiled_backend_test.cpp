// What a Backend resource compiles to, and what of it outlives a reload.
#include <rotary/rotation/backend_state.hpp>
#include <rotary/routing/shared_state.hpp>
#include <rotary/routing/snapshot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::routing {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::string resources(const std::string& spec, const std::string& host = "llm.example.com") {
    const auto head = [](const char* kind, const char* version, const char* name) {
        return std::string("kind: ") + kind + "\napiVersion: " + version +
               "\nmetadata: {name: " + name + "}\nspec:\n";
    };
    std::string text = head("API", "dp.wso2.com/v1alpha3", "chat") +
                       "  apiName: chat\n  apiType: REST\n  apiVersion: \"1.0\"\n"
                       "  basePath: /chat/1.0\n  organization: default\n"
                       "  production: [{routeRefs: [live]}]\n---\n" +
                       head("HTTPRoute", "gateway.networking.k8s.io/v1beta1", "live") +
                       "  hostnames: [live.example.com]\n  rules:\n"
                       "    - matches: [{path: {type: Exact, value: /completions}}]\n"
                       "      backendRefs: [{kind: Backend, name: a}, {kind: Backend, name: b}]\n"
                       "---\n" +
                       head("Backend", "dp.wso2.com/v1alpha2", "a") +
                       "  services: [{host: " + host + ", port: 443}]\n  protocol: https\n" + spec +
                       "---\n" + head("Backend", "dp.wso2.com/v1alpha2", "b") +
                       "  services: [{host: other.example.com, port: 443}]\n  protocol: https\n"
                       "---\n" +
                       head("APIPolicy", "dp.wso2.com/v1alpha4", "rr") +
                       "  targetRef: {group: g, kind: API, name: chat}\n  default:\n"
                       "    modelBasedRoundRobin:\n      onQuotaExceedSuspendDuration: 60\n"
                       "      productionModels:\n"
                       "        - {model: m1, weight: 1, backendRef: {kind: Backend, name: a}}\n"
                       "        - {model: m2, weight: 1, backendRef: {kind: Backend, name: b}}\n"
                       "        - {model: m3, weight: 1, backendRef: {kind: Backend, name: a}}\n"
                       "      sandboxModels: []\n";
    return text;
}

std::shared_ptr<const Snapshot> snapshot_of(const std::string& text, SharedState& shared,
                                            const std::string& process = "") {
    const config::Loaded loaded =
        config::load_text({"rotary.yaml", "listeners: [{port: 0, plaintext: true}]\n" + process},
                          {{"r.yaml", text}}, config::variables());
    std::vector<config::Finding> findings;
    EXPECT_TRUE(loaded.ok()) << config::to_text(loaded.findings);
    auto snapshot = loaded.ok() ? compile(loaded, shared, findings) : nullptr;
    EXPECT_NE(snapshot, nullptr) << config::to_text(findings);
    return snapshot;
}

std::size_t index_of(const Snapshot& snapshot, std::string_view name) {
    std::size_t index = 0;
    while (snapshot.backends.at(index).name != name) ++index;
    return index;
}

Backend compiled(const std::string& spec, const std::string& process = "") {
    SharedState shared;
    const auto snapshot = snapshot_of(resources(spec), shared, process);
    return snapshot->backends.at(index_of(*snapshot, "a"));
}

TEST(SharedState, BackendIsSharedByNameAndOutlivesWhoeverAskedForIt) {
    SharedState shared;
    auto first = shared.backend("one");
    EXPECT_EQ(shared.backend("one"), first);
    EXPECT_NE(shared.backend("two"), first);
    const std::weak_ptr<rotation::BackendState> watched = first;
    shared.prune();
    EXPECT_EQ(shared.backend("one"), first);
    first.reset();
    EXPECT_FALSE(watched.expired());
    shared.prune();
    EXPECT_TRUE(watched.expired());
}

TEST(CompiledBackend, LimitsAreTheBackendsElseTheProcesss) {
    const Backend plain =
        compiled("", "limits: {upstream_connections: 7, upstream_pending: 9, json_depth: 5}\n");
    EXPECT_EQ(plain.limits.connections, 7U);
    EXPECT_EQ(plain.limits.pending, 9U);
    EXPECT_EQ(plain.limits.requests, rotation::BackendLimits::kNone);
    EXPECT_EQ(plain.limits.retries, rotation::BackendLimits::kNone);

    const Backend own = compiled(
        "  circuitBreaker: {maxConnections: 2, maxPendingRequests: 0, maxRequests: 5, "
        "maxRetries: 1}\n",
        "limits: {upstream_connections: 7, upstream_pending: 9}\n");
    EXPECT_EQ(own.limits.connections, 2U);
    EXPECT_EQ(own.limits.pending, 0U);
    EXPECT_EQ(own.limits.requests, 5U);
    EXPECT_EQ(own.limits.retries, 1U);
}

TEST(CompiledBackend, TimesRetriesAndChecksAreItsOwn) {
    const Backend plain = compiled("");
    EXPECT_EQ(plain.first_byte, 0ms);
    EXPECT_EQ(plain.event_gap, 0ms);
    EXPECT_FALSE(plain.retry);
    EXPECT_FALSE(plain.health_check);

    const Backend own = compiled(
        "  timeout: {upstreamResponseTimeout: 20, downstreamRequestIdleTimeout: 40}\n"
        "  retry: {count: 3, baseIntervalMillis: 50, statusCodes: [503, 504]}\n"
        "  healthCheck: {interval: 5, timeout: 2, unhealthyThreshold: 3, healthyThreshold: 4}\n");
    EXPECT_EQ(own.first_byte, 20s);
    EXPECT_EQ(own.event_gap, 40s);
    ASSERT_TRUE(own.retry);
    EXPECT_EQ(own.retry->count, 3U);
    EXPECT_EQ(own.retry->base_interval, 50ms);
    EXPECT_THAT(own.retry->statuses, ElementsAre(503, 504));
    ASSERT_TRUE(own.health_check);
    EXPECT_EQ(own.health_check->interval, 5s);
    EXPECT_EQ(own.health_check->timeout, 2s);
    EXPECT_EQ(own.health_check->unhealthy_threshold, 3U);
    EXPECT_EQ(own.health_check->healthy_threshold, 4U);

    EXPECT_THAT(compiled("  retry: {count: 1}\n").retry->statuses, ElementsAre(504));
}

TEST(CompiledBackend, KnowsTheStatesOfItsEntries) {
    SharedState shared;
    const auto snapshot = snapshot_of(resources(""), shared);
    ASSERT_EQ(snapshot->by_backend.size(), snapshot->backends.size());
    const rotation::Rotation& rotation = snapshot->lists.at(0).rotation;
    const auto states_of = [&](std::string_view name) {
        std::vector<const rotation::EntryState*> found;
        for (const auto& state : snapshot->by_backend[index_of(*snapshot, name)]) {
            found.push_back(state.get());
        }
        return found;
    };
    EXPECT_THAT(states_of("a"), ElementsAre(&rotation.state(0), &rotation.state(2)));
    EXPECT_THAT(states_of("b"), ElementsAre(&rotation.state(1)));
}

TEST(CompiledBackend, KeepsItsCountsOverAReloadAndNotOverAMove) {
    SharedState shared;
    const auto state_in = [&](const std::string& text) {
        const auto snapshot = snapshot_of(text, shared);
        return snapshot->backends.at(index_of(*snapshot, "a")).state;
    };
    const auto first = state_in(resources(""));
    EXPECT_EQ(state_in(resources("  circuitBreaker: {maxConnections: 2}\n")), first);
    EXPECT_NE(state_in(resources("", "elsewhere.example.com")), first);
}

}  // namespace
}  // namespace rotary::routing
