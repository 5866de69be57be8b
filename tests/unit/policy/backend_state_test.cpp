#include <rotary/policy/backend_state.hpp>
#include <rotary/policy/snapshot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::policy {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// --- counts -------------------------------------------------------------------------------------

struct CountRow {
    const char* name;
    bool (BackendState::*enter)(std::size_t) noexcept;
    void (BackendState::*leave)() noexcept;
    std::size_t (BackendState::*count)() const noexcept;
};

class BackendCount : public testing::TestWithParam<CountRow> {
protected:
    bool enter(std::size_t limit) { return (state_.*GetParam().enter)(limit); }
    void leave() { (state_.*GetParam().leave)(); }
    std::size_t count() const { return (state_.*GetParam().count)(); }
    BackendState state_;
};

TEST_P(BackendCount, LetsInAsManyAsTheLimitSays) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
        SCOPED_TRACE(limit);
        for (std::size_t i = 0; i < limit; ++i) EXPECT_TRUE(enter(limit));
        EXPECT_FALSE(enter(limit));
        EXPECT_EQ(count(), limit) << "who was turned away is not counted";
        for (std::size_t i = 0; i < limit; ++i) {
            leave();
            EXPECT_TRUE(enter(limit));
            EXPECT_FALSE(enter(limit));
        }
        for (std::size_t i = 0; i < limit; ++i) leave();
        EXPECT_EQ(count(), 0U);
    }
}

TEST_P(BackendCount, WithoutALimitAllMayEnter) {
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(enter(BackendLimits::kNone));
    EXPECT_EQ(count(), 5000U);
}

TEST_P(BackendCount, LoweredLimitWaitsUntilEnoughHaveLeft) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(enter(4));
    EXPECT_FALSE(enter(2));
    leave();
    leave();
    EXPECT_FALSE(enter(2)) << "two are still there";
    leave();
    EXPECT_TRUE(enter(2));
    EXPECT_FALSE(enter(2));
    EXPECT_TRUE(enter(3)) << "and a raised one holds at once";
}

TEST_P(BackendCount, CountsNothingElse) {
    ASSERT_TRUE(enter(1));
    EXPECT_EQ(state_.connections() + state_.pending() + state_.requests() + state_.retries(), 1U);
}

// Threads that come and go as fast as they can never are more than the limit inside.
TEST_P(BackendCount, IsExactAmongThreads) {
    constexpr std::size_t kLimit = 2;
    std::atomic<std::size_t> inside{0};
    std::atomic<std::size_t> most{0};
    std::atomic<std::size_t> entries{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                if (!enter(kLimit)) continue;
                const std::size_t now = inside.fetch_add(1) + 1;
                std::size_t known = most.load();
                while (now > known && !most.compare_exchange_weak(known, now)) {
                }
                ++entries;
                inside.fetch_sub(1);
                leave();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(most.load(), kLimit);
    EXPECT_GT(entries.load(), 0U);
    EXPECT_EQ(count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BackendCount,
    testing::Values(CountRow{"connections", &BackendState::open_connection,
                             &BackendState::close_connection, &BackendState::connections},
                    CountRow{"pending", &BackendState::enter_pending, &BackendState::leave_pending,
                             &BackendState::pending},
                    CountRow{"requests", &BackendState::enter_request, &BackendState::leave_request,
                             &BackendState::requests},
                    CountRow{"retries", &BackendState::enter_retry, &BackendState::leave_retry,
                             &BackendState::retries}),
    [](const auto& row) { return row.param.name; });

TEST(BackendState, IdleIsTheSumOfWhatThePoolsTell) {
    BackendState state;
    state.idle_changed(0, 3);
    state.idle_changed(0, 2);
    EXPECT_EQ(state.idle(), 5U);
    state.idle_changed(3, 1);
    state.idle_changed(2, 2);
    EXPECT_EQ(state.idle(), 3U);
    state.idle_changed(1, 0);
    state.idle_changed(2, 0);
    EXPECT_EQ(state.idle(), 0U);
}

TEST(BackendState, IsHealthyUntilSomebodySaysOtherwise) {
    BackendState state;
    EXPECT_TRUE(state.healthy());
    state.set_healthy(false);
    EXPECT_FALSE(state.healthy());
}

TEST(BackendState, IsSharedByNameAndOutlivesWhoeverAskedForIt) {
    SharedState shared;
    auto first = shared.backend("one");
    EXPECT_EQ(shared.backend("one"), first);
    EXPECT_NE(shared.backend("two"), first);
    const std::weak_ptr<BackendState> watched = first;
    shared.prune();
    EXPECT_EQ(shared.backend("one"), first);
    first.reset();
    EXPECT_FALSE(watched.expired());
    shared.prune();
    EXPECT_TRUE(watched.expired());
}

// --- compiling ----------------------------------------------------------------------------------

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
                       "        - {model: m3, weight: 1, backendRef: {kind: Backend, name: a}}\n";
    return text;
}

std::shared_ptr<const Snapshot> snapshot_of(const std::string& text, SharedState& shared,
                                            const std::string& process = "") {
    const config::Loaded loaded =
        config::load_text({"rotary.yaml", process}, {{"r.yaml", text}}, config::variables());
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

TEST(CompiledBackend, LimitsAreTheBackendsElseTheProcesss) {
    const Backend plain =
        compiled("", "limits: {upstream_connections: 7, upstream_pending: 9, json_depth: 5}\n");
    EXPECT_EQ(plain.limits.connections, 7U);
    EXPECT_EQ(plain.limits.pending, 9U);
    EXPECT_EQ(plain.limits.requests, BackendLimits::kNone);
    EXPECT_EQ(plain.limits.retries, BackendLimits::kNone);

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
    const Rotation& rotation = snapshot->lists.at(0).rotation;
    const auto states_of = [&](std::string_view name) {
        std::vector<const EntryState*> found;
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
}  // namespace rotary::policy
