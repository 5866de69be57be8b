// Who serves a try, and whether there is another one after it. The worker's clock is the real one:
// it is the entries' suspensions that lie in the past or in the future of now.
#include "proxy/select.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using rotation::SuspendReason;

SteadyTime now() { return std::chrono::steady_clock::now(); }

const Fault kRefused = Fault::upstream(FaultKind::upstream_connect_failed);
const Fault kSilent = Fault::upstream(FaultKind::upstream_timeout);

// A try that came to nothing, as the verdict on it says.
Attempted failed(const Fault& fault) {
    Attempted attempted;
    attempted.answered = fault;
    attempted.verdict = rotation::judge_failure(fault);
    return attempted;
}

Attempted answered(std::uint16_t status, const rotation::SuspendRules& rules = {60s}) {
    rotation::Answer answer;
    answer.status = status;
    Attempted attempted;
    attempted.verdict = rotation::judge_answer(answer, rules);
    return attempted;
}

Attempted listed(std::uint16_t status) {
    rotation::Answer answer;
    answer.status = status;
    answer.is_listed = true;
    Attempted attempted;
    attempted.is_listed = true;
    attempted.verdict = rotation::judge_answer(answer, {});
    return attempted;
}

// The model that serves the next try, the Backend where there is none, or the fault in its place.
std::string next_one(OneRequest& request, Next next = Next::nowhere) {
    const auto selected = select(request.context, request.exchange, next);
    if (!selected) {
        return selected.error().kind == FaultKind::all_models_suspended ? "suspended"
                                                                        : "unavailable";
    }
    const routing::Entry* entry = request.exchange.entry();
    const std::string name = entry != nullptr ? entry->model : request.exchange.backend()->name;
    return request.exchange.tries.choice.is_probe ? name + " (probe)" : name;
}

// --- entries ------------------------------------------------------------------------------------

class SelectEntry : public testing::Test {
protected:
    SelectEntry() {
        request_.rotate({"m0@a", "m1@b", "m2@a"});
        ask();
    }
    void ask() { request_.admit_and_scan("POST /chat/1.0/x", "", "{}"); }
    std::string next() { return next_one(request_); }
    // Out for `length`, which began so long ago.
    void suspend(std::size_t entry, std::chrono::milliseconds ago, std::chrono::milliseconds length,
                 SuspendReason reason = SuspendReason::rate_limited) {
        request_.state(entry).suspend(now() - ago, length, reason, {});
    }

    OneRequest request_{{"a", "b"}};
};

TEST_F(SelectEntry, EachIsTriedOnceInOrder) {
    EXPECT_EQ(next(), "m0");
    EXPECT_EQ(next(), "m1");
    EXPECT_EQ(next(), "m2");
    EXPECT_EQ(next(), "unavailable") << "all were tried, and none is out";
    EXPECT_EQ(request_.exchange.tries.attempts, 3U);
    EXPECT_EQ(request_.exchange.tries.tried.size(), 3U);
    EXPECT_EQ(request_.registry.value(request_.context.wiring->process.all_suspended), 1U);
    ask();
    EXPECT_EQ(next(), "m1") << "the next request goes on in the order, whatever the first one did";
}

TEST_F(SelectEntry, SuspendedOnesAreLeftOut) {
    suspend(0, 0s, 60s);
    suspend(2, 5s, 60s);
    EXPECT_EQ(next(), "m1");
    EXPECT_EQ(next(), "unavailable");
    request_.state(0).resume();
    EXPECT_EQ(next(), "m0") << "it came back while the request was under way";
}

// The client can wait for a quota; for what is broken it can't.
TEST_F(SelectEntry, WhatIsSaidWhenAllAreOut) {
    struct Row {
        const char* name;
        SuspendReason reasons[3];
        const char* said;
    };
    using enum SuspendReason;
    const Row rows[] = {
        {"quotas", {rate_limited, quota_exhausted, daily_exhausted}, "suspended"},
        {"an account's", {account_exhausted, account_exhausted, rate_limited}, "suspended"},
        {"one that fails", {rate_limited, failing, rate_limited}, "unavailable"},
        {"one whose key is refused",
         {rate_limited, rate_limited, credential_refused},
         "unavailable"},
    };
    for (const Row& row : rows) {
        ask();
        for (std::size_t i = 0; i < 3; ++i) {
            request_.state(i).resume();
            suspend(i, 0s, 60s, row.reasons[i]);
        }
        EXPECT_EQ(next(), row.said) << row.name;
        EXPECT_EQ(request_.exchange.tries.attempts, 0U) << row.name;
        EXPECT_EQ(request_.exchange.backend(), nullptr) << row.name;
    }
}

TEST_F(SelectEntry, OneRequestProbesWhatReturns) {
    suspend(0, 10s, 60s);
    suspend(1, 10s, 5s);
    suspend(2, 10s, 60s);
    EXPECT_EQ(next(), "m1 (probe)");
    ask();
    EXPECT_EQ(next(), "suspended") << "the probe is another request's";
    request_.state(1).probe_dropped();
    EXPECT_EQ(next(), "m1 (probe)") << "it came to nothing, so another one may try";
    request_.state(1).probe_passed();
    ask();
    EXPECT_EQ(next(), "m1");
}

TEST_F(SelectEntry, ASilentProbeKeepsOthersForASecondOnly) {
    request_.state(0).set_down(now() + 60s);
    request_.state(2).set_down(now() + 60s);
    suspend(1, 60s, 5s);
    ASSERT_TRUE(request_.state(1).claim_probe(now() - 500ms, {}));
    EXPECT_EQ(next(), "unavailable") << "health checks found the others down";
    request_.state(1).resume();
    suspend(1, 60s, 5s);
    ASSERT_TRUE(request_.state(1).claim_probe(now() - 2s, {}));
    EXPECT_EQ(next(), "m1") << "slow is not refusing";
}

TEST_F(SelectEntry, WhenAllAreOutARequestMayPassThrough) {
    struct Row {
        const char* name;
        bool passes;
        bool has_backends;
        unsigned attempts;
        const char* next;
    };
    const Row rows[] = {
        {"as it is", false, true, 0, "suspended"},
        {"it may", true, true, 0, "a"},
        {"not after a try", true, true, 1, "suspended"},
        {"where the rule has no Backend", true, false, 0, "suspended"},
    };
    for (std::size_t i = 0; i < 3; ++i) suspend(i, 0s, 60s);
    for (const Row& row : rows) {
        ask();
        request_.snapshot->config.routing.on_all_suspended =
            row.passes ? config::OnAllSuspended::passthrough : config::OnAllSuspended::reject;
        if (!row.has_backends) request_.route().backends.clear();
        request_.exchange.tries.attempts = row.attempts;
        EXPECT_EQ(next(), row.next) << row.name;
        EXPECT_EQ(request_.exchange.entry(), nullptr) << row.name;
    }
}

TEST(SelectFromALongList, EachIsTriedOnceAndTheNextRequestGoesOn) {
    constexpr std::size_t kEntries = 150;
    OneRequest request({"a"});
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < kEntries; ++i) entries.push_back("m" + std::to_string(i) + "@a");
    request.rotate(entries);
    request.admit_and_scan("POST /chat/1.0/x", "", "{}");
    request.state(100).suspend(now(), 60s, SuspendReason::rate_limited, {});
    EXPECT_EQ(next_one(request), "m0");
    std::set<std::string> seen{"m0"};
    for (std::size_t i = 2; i < kEntries; ++i) EXPECT_TRUE(seen.insert(next_one(request)).second);
    EXPECT_EQ(seen.count("m100"), 0U);
    EXPECT_EQ(next_one(request), "unavailable");
    EXPECT_EQ(request.exchange.tries.attempts, kEntries - 1);
    request.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_EQ(next_one(request), "m1");
}

// --- Backends of a rule without a rotation ------------------------------------------------------

TEST(SelectBackend, EachIsTriedOnceAndTheNextRequestGoesOn) {
    OneRequest request({"a", "b", "c"});
    request.admit_and_scan("GET /chat/1.0/x");
    EXPECT_EQ(next_one(request), "a");
    EXPECT_EQ(next_one(request, Next::backend), "b");
    EXPECT_EQ(next_one(request, Next::backend), "c");
    EXPECT_EQ(request.exchange.tries.attempts, 3U);
    request.admit_and_scan("GET /chat/1.0/x");
    EXPECT_EQ(next_one(request), "b") << "second tries do not move the first ones' order";
}

TEST(SelectBackend, TheSameOneAgainIsTheSameOne) {
    OneRequest request({"a", "b"});
    request.admit_and_scan("GET /chat/1.0/x");
    EXPECT_EQ(next_one(request), "a");
    EXPECT_EQ(next_one(request, Next::same_backend), "a");
    EXPECT_EQ(next_one(request, Next::same_backend), "a");
    EXPECT_EQ(request.exchange.tries.attempts, 3U);
    EXPECT_EQ(next_one(request, Next::backend), "b");
}

TEST(SelectBackend, HealthChecksAreHeardWhileOneIsWell) {
    struct Row {
        const char* name;
        std::vector<bool> healthy;
        const char* first;
        const char* second;
    };
    const Row rows[] = {
        {"all are", {true, true, true}, "a", "b"},
        {"the first is not", {false, true, true}, "b", "c"},
        {"one is", {false, false, true}, "c", "a"},
        {"none is", {false, false, false}, "a", "b"},
    };
    for (const Row& row : rows) {
        OneRequest request({"a", "b", "c"});
        for (std::size_t i = 0; i < 3; ++i) request.backend(i).state->set_healthy(row.healthy[i]);
        request.admit_and_scan("GET /chat/1.0/x");
        EXPECT_EQ(next_one(request), row.first) << row.name;
        EXPECT_EQ(next_one(request, Next::backend), row.second) << row.name;
    }
}

TEST(SelectBackend, ARuleWithoutOneServesNobody) {
    OneRequest request(std::vector<std::string>{});
    request.admit_and_scan("GET /chat/1.0/x");
    EXPECT_EQ(next_one(request), "unavailable");
}

// --- after a try --------------------------------------------------------------------------------

struct AfterRow {
    const char* name;
    unsigned max_attempts;
    unsigned retry_count;  // Backend.retry.count; 0: there is no such rule
    unsigned attempts;     // so far, each at another one
    Attempted attempted;
    Next next;
};

Next after(OneRequest& request, const AfterRow& row) {
    request.route().budget_rules.min = 100;
    request.snapshot->config.routing.max_attempts = row.max_attempts;
    for (routing::Backend& backend : request.snapshot->backends) {
        if (row.retry_count > 0) backend.retry = routing::RetryRules{row.retry_count, 25ms, {503}};
    }
    request.admit_and_scan("POST /chat/1.0/x", "", "{}");
    for (unsigned i = 0; i < row.attempts; ++i) next_one(request, Next::backend);
    return next_after(request.context, request.exchange, row.attempted);
}

TEST(NextAfter, OfARotation) {
    const AfterRow rows[] = {
        {"an answer", 3, 0, 1, answered(200), Next::nowhere},
        {"the client's own mistake", 3, 0, 1, answered(400), Next::nowhere},
        {"a quota", 3, 0, 1, answered(429), Next::entry},
        {"a failing server", 3, 0, 1, answered(500), Next::entry},
        {"no connection", 3, 0, 1, failed(kRefused), Next::entry},
        {"silence", 3, 0, 1, failed(kSilent), Next::entry},
        {"the client went", 3, 0, 1, failed(Fault::client(FaultKind::client_gone)), Next::nowhere},
        {"its time was over", 3, 0, 1, failed(Fault::internal(FaultKind::upstream_timeout)),
         Next::nowhere},
        {"the last of its tries", 2, 0, 2, failed(kSilent), Next::nowhere},
        {"only one try", 1, 0, 1, failed(kRefused), Next::nowhere},
        {"a quota bounds itself", 1, 0, 1, answered(429), Next::entry},
        {"a quota without a time does not", 1, 0, 1, answered(429, {}), Next::nowhere},
        {"all were tried", 9, 0, 3, failed(kRefused), Next::nowhere},
        {"listed, within its count", 3, 1, 1, listed(418), Next::entry},
        {"listed, beyond its count", 3, 1, 2, listed(418), Next::nowhere},
        {"failing, beyond the count", 3, 1, 2, answered(500), Next::nowhere},
        {"no connection, beyond the count", 3, 1, 2, failed(kRefused), Next::entry},
    };
    for (const AfterRow& row : rows) {
        OneRequest request({"a"});
        request.rotate({"m0@a", "m1@a", "m2@a"});
        EXPECT_EQ(after(request, row), row.next) << row.name;
    }
}

TEST(NextAfter, OfBackendsAlone) {
    const AfterRow rows[] = {
        {"an answer", 3, 0, 1, answered(200), Next::nowhere},
        {"a quota", 3, 0, 1, answered(429), Next::nowhere},
        {"a failing server", 3, 0, 1, answered(500), Next::nowhere},
        {"a failing server that is not listed", 3, 2, 1, answered(500), Next::nowhere},
        {"no connection", 3, 0, 1, failed(kRefused), Next::backend},
        {"no connection, and no count bounds it", 3, 1, 2, failed(kRefused), Next::backend},
        {"silence: it may be at work", 3, 0, 1, failed(kSilent), Next::nowhere},
        {"the client went", 3, 0, 1, failed(Fault::client(FaultKind::client_gone)), Next::nowhere},
        {"only one try", 1, 0, 1, failed(kRefused), Next::nowhere},
        {"all were tried", 9, 0, 3, failed(kRefused), Next::nowhere},
        {"listed", 3, 1, 1, listed(503), Next::same_backend},
        {"listed, the last of its count", 3, 2, 2, listed(503), Next::same_backend},
        {"listed, beyond its count", 3, 2, 3, listed(503), Next::nowhere},
        {"listed, whatever the tries of a rotation", 1, 2, 2, listed(503), Next::same_backend},
    };
    for (const AfterRow& row : rows) {
        OneRequest request({"a", "b", "c"});
        EXPECT_EQ(after(request, row), row.next) << row.name;
    }
}

TEST(NextAfter, OthersThatAreOutAreNoneToTry) {
    OneRequest request({"a"});
    request.rotate({"m0@a", "m1@a"});
    request.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_EQ(next_one(request), "m0");
    const Attempted attempted = failed(kRefused);
    request.state(1).suspend(now(), 60s, SuspendReason::rate_limited, {});
    EXPECT_EQ(next_after(request.context, request.exchange, attempted), Next::nowhere);
    request.state(1).resume();
    request.state(1).suspend(now() - 10s, 5s, SuspendReason::rate_limited, {});
    EXPECT_EQ(next_after(request.context, request.exchange, attempted), Next::entry)
        << "its probe is due, and may be this request";
}

TEST(NextAfter, NothingIsTriedBehindTheDeadline) {
    OneRequest request({"a"});
    request.rotate({"m0@a", "m1@a"});
    request.admit_and_scan("POST /chat/1.0/x", "", "{}");
    EXPECT_EQ(next_one(request), "m0");
    request.exchange.outcome.deadline = now() + 60s;
    EXPECT_EQ(next_after(request.context, request.exchange, failed(kRefused)), Next::entry);
    request.exchange.outcome.deadline = now() - 1ms;
    EXPECT_EQ(next_after(request.context, request.exchange, failed(kRefused)), Next::nowhere);
}

// As long as its tries last: who bounds themselves cost none, the others do.
TEST(NextAfter, HowManyEntriesARequestMeets) {
    struct Row {
        const char* name;
        Attempted attempted;
        unsigned meets;
    };
    const Row rows[] = {
        {"quotas", answered(429), 5},
        {"quotas without a time", answered(429, {}), 3},
        {"failing servers", answered(503), 3},
        {"no connections", failed(kRefused), 3},
        {"a server that answers", answered(200), 1},
    };
    for (const Row& row : rows) {
        OneRequest request({"a"});
        request.rotate({"m0@a", "m1@a", "m2@a", "m3@a", "m4@a"});
        request.route().budget_rules.min = 100;
        request.admit_and_scan("POST /chat/1.0/x", "", "{}");
        for (int i = 0; i < 10; ++i) {
            next_one(request);
            const Next next = next_after(request.context, request.exchange, row.attempted);
            if (next != Next::entry) break;
        }
        EXPECT_EQ(request.exchange.tries.attempts, row.meets) << row.name;
    }
}

// --- the budget ---------------------------------------------------------------------------------

constexpr std::chrono::hours kNoEnd{24 * 365};  // no window ends meanwhile

TEST(NextAfter, WorkThatWasDoneIsPaidFor) {
    struct Row {
        const char* name;
        unsigned percent;
        unsigned min;
        unsigned requests;  // that earned before
        Attempted attempted;
        unsigned allowed;  // of ten such tries
    };
    const Row rows[] = {
        {"nothing is left", 0, 0, 10, answered(500), 0},
        {"a fifth of the requests", 20, 0, 10, answered(500), 2},
        {"part of a try is none", 20, 0, 4, answered(500), 0},
        {"what is always allowed", 0, 3, 0, answered(500), 3},
        {"both", 20, 3, 10, answered(500), 5},
        {"silence costs", 0, 3, 0, failed(kSilent), 3},
        {"no connection costs nothing", 0, 0, 0, failed(kRefused), 10},
        {"a quota costs nothing", 0, 0, 0, answered(429), 10},
        {"a quota without a time costs", 0, 3, 0, answered(429, {}), 3},
    };
    for (const Row& row : rows) {
        OneRequest request({"a"});
        request.rotate({"m0@a", "m1@a"});
        rotation::BudgetRules& rules = request.route().budget_rules;
        rules = {row.percent, row.min, kNoEnd};
        for (unsigned i = 0; i < row.requests; ++i) request.context.retry_budget.earn(now(), rules);
        unsigned allowed = 0;
        for (int i = 0; i < 10; ++i) {
            request.admit_and_scan("POST /chat/1.0/x", "", "{}");
            next_one(request);
            const Next next = next_after(request.context, request.exchange, row.attempted);
            if (next == Next::entry) ++allowed;
        }
        EXPECT_EQ(allowed, row.allowed) << row.name;
        EXPECT_EQ(request.registry.value(request.context.wiring->process.budget_exhausted),
                  10U - row.allowed)
            << row.name;
    }
}

// Without another entry or Backend to try the budget is not touched.
TEST(NextAfter, NothingIsPaidForNothing) {
    OneRequest request({"a"});
    request.rotate({"m0@a"});
    request.route().budget_rules = {0, 1, kNoEnd};
    for (int i = 0; i < 3; ++i) {
        request.admit_and_scan("POST /chat/1.0/x", "", "{}");
        next_one(request);
        EXPECT_EQ(next_after(request.context, request.exchange, answered(500)), Next::nowhere);
    }
    EXPECT_TRUE(request.route().retry_reserve->take(now(), request.route().budget_rules));
    EXPECT_EQ(request.registry.value(request.context.wiring->process.budget_exhausted), 0U);
}

}  // namespace
}  // namespace rotary::proxy
