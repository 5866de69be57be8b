// What a try does to the rotation, to the counters and to the logs.
#include "proxy/settle.hpp"
#include "proxy/record.hpp"

#include <gtest/gtest.h>

#include <rotary/wire/problem.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using rotation::Failure;
using rotation::Standing;
using rotation::SuspendReason;

SteadyTime now() { return std::chrono::steady_clock::now(); }

rotation::Answer answer_of(std::uint16_t status, llm::ErrorKind kind = llm::ErrorKind::unknown) {
    rotation::Answer answer;
    answer.status = status;
    answer.error.is_error = kind != llm::ErrorKind::unknown;
    answer.error.kind = kind;
    answer.has_our_key = true;
    return answer;
}

// A list of m0 and m1 behind one key and m2 behind another; m0 was tried.
class Settle : public testing::Test {
protected:
    Settle() {
        request_.rotate({"m0@a", "m1@a", "m2@b"});
        request_.snapshot->lists.front().rules.duration = 60s;
        ask();
    }
    void ask() {
        request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
        request_.choose();
    }

    rotation::Verdict settle(const rotation::Answer& answer, bool probe = false) {
        return settle_answer(request_.context, request_.exchange, answer, {probe, true, 5ms});
    }
    rotation::Verdict settle(const Fault& fault, bool probe = false, bool asked = true) {
        return settle_failure(request_.context, request_.exchange, fault, {probe, asked, 5ms});
    }

    // "out" or "in" for each entry, with the reason.
    std::string standing() {
        std::string text;
        for (std::size_t i = 0; i < 3; ++i) {
            const bool is_out = request_.state(i).standing(now()) == Standing::out;
            const std::string_view reason = rotation::to_string(request_.state(i).reason());
            text.append(i == 0 ? "" : " ").append(is_out ? reason : "in");
        }
        return text;
    }
    // How long m0 stays out, from a time that lies between the two.
    void expect_out_for(std::chrono::milliseconds expected, SteadyTime begun) {
        EXPECT_GE(request_.state(0).until(), begun + expected);
        EXPECT_LE(request_.state(0).until(), now() + expected);
    }
    // m0's suspension is over, and this request is its probe.
    void probe_first() {
        request_.state(0).resume();
        request_.state(0).suspend(now() - 60s, 5s, SuspendReason::rate_limited, {});
        ASSERT_TRUE(request_.state(0).claim_probe(now(), {}));
    }

    const EntrySeries& series(std::size_t entry) {
        return request_.context.wiring->entries.at(0).at(entry);
    }
    std::uint64_t failures(Failure failure) {
        return request_.registry.value(series(0).failures.at(static_cast<std::size_t>(failure)));
    }
    std::uint64_t suspensions(std::size_t entry, SuspendReason reason) {
        return request_.registry.value(
            series(entry).suspensions.at(static_cast<std::size_t>(reason)));
    }

    OneRequest request_{{"a", "b"}};
};

TEST_F(Settle, AnswersTakeOutWhomTheyConcern) {
    struct Row {
        const char* name;
        rotation::Answer answer;
        const char* standing;
        Failure failure;
        bool moves_on;
    };
    using enum llm::ErrorKind;
    const Row rows[] = {
        {"served", answer_of(200), "in in in", Failure::none, false},
        {"the client's mistake", answer_of(400, request), "in in in", Failure::none, false},
        {"too fast", answer_of(429, rate), "rate_limited in in", Failure::none, true},
        {"the day's", answer_of(429, daily), "daily_exhausted in in", Failure::none, true},
        {"no money behind the key", answer_of(429, account),
         "account_exhausted account_exhausted in", Failure::none, true},
        {"the key is refused", answer_of(401), "credential_refused credential_refused in",
         Failure::credential_refused, true},
        {"the model is unknown", answer_of(404, model), "model_unknown in in",
         Failure::model_unknown, true},
        {"a path is unknown", answer_of(404), "in in in", Failure::none, false},
        {"one failure", answer_of(500), "in in in", Failure::server_error, true},
    };
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < 3; ++i) request_.state(i).resume();
        const std::uint64_t before = failures(row.failure);
        EXPECT_EQ(settle(row.answer).try_next, row.moves_on) << row.name;
        EXPECT_EQ(standing(), row.standing) << row.name;
        EXPECT_EQ(failures(row.failure), before + (row.failure == Failure::none ? 0 : 1))
            << row.name;
    }
}

TEST_F(Settle, EachSuspensionIsCountedAndToldOnce) {
    const SteadyTime begun = now();
    settle(answer_of(429));
    expect_out_for(60s, begun);
    settle(answer_of(429));
    EXPECT_EQ(suspensions(0, SuspendReason::rate_limited), 1U) << "it was out already";
    settle(answer_of(401));
    settle(answer_of(401));
    EXPECT_EQ(suspensions(1, SuspendReason::credential_refused), 1U) << "behind the same key";
    EXPECT_EQ(suspensions(2, SuspendReason::credential_refused), 0U);
    EXPECT_EQ(request_.registry.status_value(series(0).upstream_requests, 429), 2U);
    EXPECT_EQ(request_.registry.status_value(series(0).upstream_requests, 401), 2U);
    EXPECT_EQ(request_.registry.count(series(0).upstream_duration), 4U);
    const std::string log = request_.logged();
    EXPECT_EQ(count_of(log, "\"entry\":\"m0@a\""), 1U) << log;
    EXPECT_EQ(count_of(log, "\"entry\":\"m1@a\""), 1U) << log;
    EXPECT_EQ(count_of(log, std::string(request_.exchange.request_id())), 2U) << log;
}

TEST_F(Settle, ARefusedKeyIsToldOfOnce) {
    settle(answer_of(401));
    settle(answer_of(401));
    EXPECT_EQ(count_of(request_.logged(), "the provider refuses the key of a Backend"), 1U);
}

TEST_F(Settle, FiveFailuresInARowTakeAnEntryOut) {
    struct Row {
        const char* name;
        Fault fault;
        Failure failure;
        std::chrono::milliseconds out;
    };
    const Row rows[] = {
        {"no connection", Fault::upstream(FaultKind::upstream_connect_failed), Failure::connect,
         5s},
        {"no address", Fault::upstream(FaultKind::upstream_dns_failed), Failure::dns, 5s},
        {"garbage", Fault::upstream(FaultKind::upstream_protocol_error), Failure::protocol, 5s},
        {"silence", Fault::upstream(FaultKind::upstream_timeout), Failure::timeout, 30s},
    };
    for (const Row& row : rows) {
        request_.state(0).resume();
        const std::uint64_t before = suspensions(0, SuspendReason::failing);
        for (int i = 0; i < 4; ++i) settle(row.fault);
        EXPECT_EQ(standing(), "in in in") << row.name;
        const SteadyTime begun = now();
        settle(row.fault);
        EXPECT_EQ(standing(), "failing in in") << row.name;
        expect_out_for(row.out, begun);
        EXPECT_EQ(failures(row.failure), 5U) << row.name;
        EXPECT_EQ(suspensions(0, SuspendReason::failing), before + 1) << row.name;
    }
}

// The request of the failure that took the entry out, and those behind it, move on for nothing: no
// new request meets that entry.
TEST_F(Settle, AFailureOfWhatIsOutCostsNoBudget) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(settle(answer_of(500)).costs_budget) << i;
    EXPECT_FALSE(settle(answer_of(500)).costs_budget);
    EXPECT_FALSE(settle(answer_of(500)).costs_budget);
    EXPECT_FALSE(settle(Fault::upstream(FaultKind::upstream_timeout)).costs_budget);
    request_.state(0).resume();
    EXPECT_TRUE(settle(Fault::upstream(FaultKind::upstream_timeout)).costs_budget);
}

TEST_F(Settle, NobodySuffersForWhatIsNotTheProviders) {
    const Fault faults[] = {
        Fault::client(FaultKind::client_gone),
        Fault::client(FaultKind::headers_too_large),
        Fault::internal(FaultKind::overloaded),
        Fault::internal(FaultKind::upstream_timeout, "The request's time is over."),
    };
    for (const Fault& fault : faults) {
        for (int i = 0; i < 10; ++i) settle(fault);
        EXPECT_EQ(standing(), "in in in") << wire::problem_of(fault.kind).code;
    }
    EXPECT_EQ(failures(Failure::timeout), 0U);
    EXPECT_EQ(request_.registry.status_value(series(0).upstream_requests, 504), 0U);
}

TEST_F(Settle, TheVerdictOnAProbe) {
    struct Row {
        const char* name;
        rotation::Answer answer;
        Standing standing;
    };
    rotation::Answer later = answer_of(429);
    later.is_later = true;  // and without a hint: the request may be to blame
    const Row rows[] = {
        {"served", answer_of(200), Standing::active},
        {"the client's mistake: it works", answer_of(400), Standing::active},
        {"refused", answer_of(429), Standing::out},
        {"failed", answer_of(500), Standing::out},
        {"it tells nothing", later, Standing::probe_due},
    };
    for (const Row& row : rows) {
        probe_first();
        settle(row.answer, true);
        EXPECT_EQ(request_.state(0).standing(now()), row.standing) << row.name;
    }
    EXPECT_EQ(count_of(request_.logged(), "model is back"), 2U);
    probe_first();
    settle(Fault::client(FaultKind::client_gone), true);
    EXPECT_EQ(request_.state(0).standing(now()), Standing::probe_due) << "the client went";
    probe_first();
    settle(Fault::upstream(FaultKind::upstream_timeout), true);
    EXPECT_EQ(request_.state(0).standing(now()), Standing::out) << "it fell silent";
    probe_first();
    settle(answer_of(200));
    EXPECT_EQ(request_.state(0).standing(now()), Standing::out) << "it was another's, from before";
}

// The others behind an account that is used up stay out as long as the one that found it out.
TEST_F(Settle, ADoubledSuspensionIsTheWholeKeys) {
    request_.state(0).suspend(now() - 200s, 100s, SuspendReason::account_exhausted, {});
    ASSERT_TRUE(request_.state(0).claim_probe(now(), {}));
    const SteadyTime begun = now();
    settle(answer_of(402), true);
    expect_out_for(200s, begun);
    EXPECT_GE(request_.state(1).until(), begun + 200s);
    EXPECT_EQ(request_.state(2).standing(now()), Standing::active);
}

TEST_F(Settle, WhatBecameOfAnAnswerLater) {
    struct Row {
        const char* name;
        Result<void> relayed;
        bool saw_error;  // among the events of the stream
        std::uint16_t status;
        rotation::Effect at_its_head;
        const char* standing;  // after four failures before, and this
        bool forgets;          // the four failures
    };
    using rotation::Effect;
    const Row rows[] = {
        {"served", {}, false, 200, Effect::none, "in in in", true},
        {"a refusal is an answer", {}, false, 404, Effect::none, "in in in", true},
        {"a failure that was passed on", {}, false, 500, Effect::none, "in in in", false},
        {"one that was counted before", {}, false, 408, Effect::count_failure, "in in in", false},
        {"an error event", {}, true, 200, Effect::none, "failing in in", false},
        {"it broke off", Fault::upstream(FaultKind::upstream_stream_interrupted), false, 200,
         Effect::none, "failing in in", false},
        {"the client went", Fault::client(FaultKind::client_gone), false, 200, Effect::none,
         "in in in", false},
        {"we end", Fault::internal(FaultKind::draining), false, 200, Effect::none, "in in in",
         false},
    };
    for (const Row& row : rows) {
        ask();
        request_.state(0).resume();
        request_.exchange.events = wire::SseScanner();
        for (int i = 0; i < 4; ++i) settle(answer_of(500));
        if (row.saw_error) request_.exchange.events.feed("event: error\ndata: {\"error\":{}}\n\n");
        request_.exchange.outcome.status = row.status;
        rotation::Verdict head;
        head.effect = row.at_its_head;
        settle_relayed(request_.context, request_.exchange, row.relayed, head);
        EXPECT_EQ(standing(), row.standing) << row.name;
        settle(answer_of(500));
        EXPECT_EQ(standing(), row.forgets ? "in in in" : "failing in in") << row.name;
    }
}

// --- without an entry ---------------------------------------------------------------------------

TEST(SettleBackend, ARefusedKeyIsWithheldAndToldOfNowAndThen) {
    OneRequest request;
    request.backend().has_credential = true;
    request.admit_and_scan("GET /chat/1.0/x");
    request.choose();
    const auto settled = [&] {
        return settle_answer(request.context, request.exchange, answer_of(401), {});
    };
    EXPECT_TRUE(settled().is_withheld);
    EXPECT_TRUE(settled().is_withheld);
    constexpr std::string_view kTold = "the provider refuses the key of a Backend";
    EXPECT_EQ(count_of(request.logged(), kTold), 1U);
    request.exchange.request.started += 60s;
    settled();
    EXPECT_EQ(count_of(request.logged(), kTold), 2U);
    const Wiring::Upstream& upstream = request.context.wiring->upstreams.front();
    EXPECT_EQ(request.registry.status_value(upstream.requests, 401), 3U);
    EXPECT_EQ(request.registry.count(upstream.duration), 3U);
}

// --- the log and the counters -------------------------------------------------------------------

TEST(Record, SaysWhoServedAndWhy) {
    struct Row {
        const char* name;
        void (*prepare)(OneRequest& request);
        std::vector<std::string> said;
        std::vector<std::string> unsaid;
    };
    const Row rows[] = {
        {"refused before a route",
         [](OneRequest& request) {
             request.ask("GET /elsewhere?secret");
             request.exchange.outcome.status = 404;
             request.exchange.outcome.fault = Fault::client(FaultKind::route_not_found, "Where?");
         },
         {"\"request.path\":\"/elsewhere\"", "\"response_code\":404",
          "\"error.code\":\"route_not_found\"", "\"error.reason\":\"Where?\"", "\"attempts\":0"},
         {"secret", "\"api\":", "\"backend\":"}},
        {"refused by its token, of which the log knows more than the client",
         [](OneRequest& request) {
             request.ask("GET /chat/1.0/x");
             request.exchange.outcome.status = 401;
             request.exchange.outcome.fault = Fault::client(FaultKind::invalid_token, "Not good.");
             request.exchange.outcome.reason = "unknown kid";
         },
         {"\"api\":\"chat\"", "\"error.reason\":\"unknown kid\""},
         {"Not good.", "\"backend\":"}},
        {"served by an entry",
         [](OneRequest& request) {
             request.rotate({"m@a"});
             request.admit_and_scan("POST /chat/1.0/x", "user-agent: sdk\n",
                                    "{\"model\":\"mine\",\"stream\":true}");
             request.choose();
             request.exchange.outcome.status = 200;
             request.exchange.keep_upstream_request_id("req_1");
         },
         {"\"policy\":\"rr\"", "\"gen_ai.original.model\":\"mine\"",
          "\"gen_ai.request.model\":\"m\"", "\"backend\":\"a\"",
          "\"upstream_host\":\"a.example.net\"", "\"upstream_request_id\":\"req_1\"",
          "\"stream\":true", "\"attempts\":1", "\"user-agent\":\"sdk\""},
         {"error."}},
        {"served by a Backend alone",
         [](OneRequest& request) {
             request.ask("GET /chat/1.0/x");
             request.choose();
             request.exchange.outcome.status = 200;
         },
         {"\"backend\":\"a\"", "\"attempts\":1"},
         {"gen_ai.request.model", "\"policy\":"}},
    };
    for (const Row& row : rows) {
        OneRequest request;
        row.prepare(request);
        record(request.context, request.exchange);
        const std::string line = request.logged();
        EXPECT_EQ(count_of(line, "\n"), 1U) << row.name;
        for (const std::string& part : row.said) {
            EXPECT_EQ(count_of(line, part), 1U) << row.name << ": " << part << "\n" << line;
        }
        for (const std::string& part : row.unsaid) {
            EXPECT_EQ(count_of(line, part), 0U) << row.name << ": " << part << "\n" << line;
        }
    }
}

TEST(Record, CountsByRoute) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    request.exchange.outcome.status = 200;
    record(request.context, request.exchange);
    request.ask("GET /elsewhere");
    request.exchange.match.route = nullptr;
    request.exchange.outcome.status = 404;
    record(request.context, request.exchange);
    const Wiring& wiring = *request.context.wiring;
    EXPECT_EQ(request.registry.status_value(wiring.routes.front().requests, 200), 1U);
    EXPECT_EQ(request.registry.status_value(wiring.routes.front().requests, 404), 0U);
    EXPECT_EQ(request.registry.status_value(wiring.process.unrouted, 404), 1U);
    EXPECT_EQ(request.registry.count(wiring.process.overhead), 1U) << "of what was let in";
}

}  // namespace
}  // namespace rotary::proxy
