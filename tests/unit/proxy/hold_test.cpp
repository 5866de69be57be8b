// How long an answer is kept back, and what is found in it meanwhile.
#include "proxy/hold.hpp"

#include <rotary/upstream/http1_provider.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/far_end.hpp"
#include "support/running.hpp"
#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

const std::string kStream =
    "HTTP/1.1 200 OK\ncontent-type: text/event-stream\ntransfer-encoding: chunked\n";
const std::string kBody = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n";
const std::string kRefusal = "HTTP/1.1 429 Slow\ntransfer-encoding: chunked\n";

// An exchange whose provider has answered, and the beginning of its answer's body.
struct OneAnswer {
    explicit OneAnswer(const std::string& head, const std::vector<std::string>& arrivals,
                       const std::string& method = "POST") {
        request.ask(method + " /chat/1.0/x");
        provider.answers(head);
        provider.arrivals = arrivals;
        provider.ends = false;
    }

    OneRequest request;
    HandMadeProvider provider{request};
};

enum class Found { more, held, error_event, malformed, no_event, no_object, too_large };

Found found_in(const std::optional<Result<Held>>& seen) {
    if (!seen) return Found::more;
    if (*seen) return seen->value().is_error_event ? Found::error_event : Found::held;
    const Fault& fault = seen->error();
    EXPECT_EQ(fault.kind, FaultKind::upstream_protocol_error);
    if (fault.origin == Origin::internal) {
        EXPECT_EQ(fault.retry, Retry::never);
        return Found::too_large;
    }
    EXPECT_EQ(fault.retry, Retry::next_entry);
    const std::string_view detail = fault.detail;
    if (detail.find("no event") != detail.npos) return Found::no_event;
    return detail.find("malformed") != detail.npos ? Found::malformed : Found::no_object;
}

std::string event_of(const std::string& data) { return "data: " + data + "\n\n"; }

struct Look {
    const char* name;
    std::string head;
    std::vector<std::string> arrivals;  // there is but the first of them
    void (*prepare)(OneAnswer& answer);
    Found found;
    bool is_unproven = false;
};

void expect_looks(const std::vector<Look>& rows) {
    for (const Look& row : rows) {
        OneAnswer answer(row.head, row.arrivals);
        row.prepare(answer);
        Hold hold(answer.request.context, answer.request.exchange, answer.provider);
        EXPECT_EQ(found_in(hold.look()), row.found) << row.name;
        EXPECT_EQ(answer.request.exchange.outcome.is_unproven, row.is_unproven) << row.name;
    }
}

void as_it_is(OneAnswer&) {}
void is_all(OneAnswer& answer) { answer.provider.ends = true; }
void is_full(OneAnswer& answer) { answer.provider.full = true; }
void is_due(OneAnswer& answer) {
    answer.request.snapshot->config.timeouts.stream_head_patience = config::Duration::zero();
}

TEST(Hold, AStreamIsKeptBackUntilItsFirstEvent) {
    const std::string event = event_of(R"({"a":1})");
    expect_looks({
        {"an event", kStream, {event}, as_it_is, Found::held},
        {"an event that is all", kStream, {event}, is_all, Found::held},
        {"several", kStream, {event + event}, as_it_is, Found::held},
        {"an event and a part", kStream, {event + "data: {"}, as_it_is, Found::held},
        {"a comment before it", kStream, {": hi\n\n" + event}, as_it_is, Found::held},
        {"its name before it", kStream, {"event: a\n" + event}, as_it_is, Found::held},
        {"nothing yet", kStream, {""}, as_it_is, Found::more},
        {"a part", kStream, {"data: {\"a\""}, as_it_is, Found::more},
        {"a part, and the rest is not there yet",
         kStream,
         {"data: {\"a\":", "1}\n\n"},
         as_it_is,
         Found::more},
        {"a comment", kStream, {": hi\n\n"}, as_it_is, Found::more},
        {"an event without data", kStream, {"event: a\n\n"}, as_it_is, Found::more},
        {"the end", kStream, {event_of("[DONE]")}, as_it_is, Found::held},
        {"one too long to be kept",
         kStream,
         {event_of("{" + std::string(100, ' '))},
         [](OneAnswer& answer) { answer.request.snapshot->config.limits.sse_line_bytes = 16; },
         Found::held},
        {"an event with a content-length",
         "HTTP/1.1 200 OK\ncontent-length: 99999999\ncontent-type: text/event-stream\n",
         {event},
         as_it_is,
         Found::held},
    });
}

TEST(Hold, AStreamIsNotKeptBackForEver) {
    expect_looks({
        {"a part, and no more fits", kStream, {"data: {"}, is_full, Found::held, true},
        {"a part, and its head is due", kStream, {"data: {"}, is_due, Found::held, true},
        {"nothing, and its head is due", kStream, {""}, is_due, Found::held, true},
        {"an event, and its head is due", kStream, {event_of("{}")}, is_due, Found::held},
        {"an event, and no more fits", kStream, {event_of("{}")}, is_full, Found::held},
        {"a body has no such time", kBody, {"{"}, is_due, Found::more},
        {"a body of which no more fits", kBody, {"{"}, is_full, Found::held},
    });
}

TEST(Hold, WhatIsNoStreamIsAFault) {
    expect_looks({
        {"no JSON", kStream, {event_of("hello")}, as_it_is, Found::no_object},
        {"a number", kStream, {event_of("5")}, as_it_is, Found::no_object},
        {"half an object", kStream, {event_of("{\"a\":")}, as_it_is, Found::no_object},
        {"half an object, from behind", kStream, {event_of("1}")}, as_it_is, Found::no_object},
        {"spaces around an object", kStream, {event_of(" {} ")}, as_it_is, Found::held},
        {"nothing at all", kStream, {}, is_all, Found::no_event},
        {"a comment alone", kStream, {": hi\n\n"}, is_all, Found::no_event},
        {"a part alone", kStream, {"data: {}\n"}, is_all, Found::no_event},
        {"framing that is broken", kStream, {"FAULT"}, as_it_is, Found::malformed},
        {"the same, of a body", kBody, {"FAULT"}, as_it_is, Found::malformed},
    });
}

TEST(Hold, AnErrorMayBeTheFirstEvent) {
    const auto error = [](const std::string& code) {
        return event_of(R"({"error":{"code":")" + code + R"(","message":"a"}})");
    };
    expect_looks({
        {"the provider's", kStream, {error("server_error")}, as_it_is, Found::error_event},
        {"of too many requests",
         kStream,
         {error("rate_limit_exceeded")},
         as_it_is,
         Found::error_event},
        {"of no known kind", kStream, {error("a")}, as_it_is, Found::error_event},
        {"in words", kStream, {event_of(R"({"error":"a"})")}, as_it_is, Found::error_event},
        {"the client's", kStream, {error("invalid_request_error")}, as_it_is, Found::held},
        {"none", kStream, {event_of(R"({"error":null})")}, as_it_is, Found::held},
        {"only its name", kStream, {event_of(R"({"a":"\"error\""})")}, as_it_is, Found::held},
        {"behind another event",
         kStream,
         {event_of("{}") + error("server_error")},
         as_it_is,
         Found::held},
        {"of a body, which its status tells",
         kBody,
         {R"({"error":{"code":"server_error"}})"},
         is_all,
         Found::held},
    });
    OneAnswer answer(kStream, {error("rate_limit_exceeded")});
    Hold hold(answer.request.context, answer.request.exchange, answer.provider);
    const auto seen = hold.look();
    ASSERT_TRUE(seen && *seen);
    EXPECT_EQ(seen->value().error.kind, llm::ErrorKind::rate);
}

TEST(Hold, AnythingElseIsKeptBackToItsEnd) {
    const auto at_most = [](OneAnswer& answer) {
        answer.request.snapshot->config.limits.upstream_body_bytes = 5;
    };
    const auto sized = [](const char* length) {
        return std::string("HTTP/1.1 200 OK\ncontent-length: ") + length + "\n";
    };
    expect_looks({
        {"none", "HTTP/1.1 204 None\n", {}, is_all, Found::held},
        {"all of it", kBody, {"hello"}, is_all, Found::held},
        {"a part", kBody, {"he"}, as_it_is, Found::more},
        {"a refusal", kRefusal, {"{}"}, is_all, Found::held},
        {"a part of a refusal", kRefusal, {"{"}, as_it_is, Found::more},
        {"a refusal that calls itself a stream",
         "HTTP/1.1 500 No\ncontent-type: text/event-stream\n",
         {event_of("{}")},
         as_it_is,
         Found::more},
        {"as large as may be", sized("5"), {"he"}, at_most, Found::more},
        {"larger", sized("6"), {"he"}, at_most, Found::too_large},
        {"a stream that may be larger",
         sized("6") + "content-type: text/event-stream\n",
         {"da"},
         at_most,
         Found::more},
    });
}

TEST(Hold, HeadHasNoStreamToWaitFor) {
    OneAnswer answer(kStream, {}, "HEAD");
    is_all(answer);
    Hold hold(answer.request.context, answer.request.exchange, answer.provider);
    EXPECT_EQ(found_in(hold.look()), Found::held);
}

TEST(Hold, ReadsUntilThereIsSomethingToSay) {
    struct Row {
        const char* name;
        std::string head;
        std::vector<std::string> arrivals;
        bool ends;
        Found found;
        std::size_t read;  // bytes
    };
    const std::string error = event_of(R"({"error":"a"})");
    const Row rows[] = {
        {"an event in parts",
         kStream,
         {"da", "ta: {}\n", "\n", "data: {}\n\n"},
         false,
         Found::held,
         10},
        {"comments before an error",
         kStream,
         {": a\n\n", ": b\n\n", error},
         false,
         Found::error_event,
         10 + error.size()},
        {"no event", kStream, {": a\n\n", ": b\n\n"}, true, Found::no_event, 10},
        {"a body in parts", kBody, {"he", "l", "lo"}, true, Found::held, 5},
        {"a body that breaks", kBody, {"he", "FAULT", "lo"}, true, Found::malformed, 7},
        {"an event before the break",
         kStream,
         {"data: {", "}\n\n", "FAULT"},
         true,
         Found::held,
         10},
    };
    for (const Row& row : rows) {
        OneAnswer answer(row.head, row.arrivals);
        answer.provider.ends = row.ends;
        Hold hold(answer.request.context, answer.request.exchange, answer.provider);
        EXPECT_EQ(found_in(hold.look()), Found::more) << row.name;
        const auto held = test::run(answer.request.reactor, hold.run());
        EXPECT_EQ(found_in(held), row.found) << row.name;
        std::string space;
        EXPECT_EQ(answer.provider.payload_at_hand(space).size(), row.read) << row.name;
    }
}

TEST(Hold, WhatDoesNotComeEndsTheWait) {
    struct Row {
        const char* name;
        std::string head;
        Fault fault;  // of the read
        bool answer_is_late;
        bool head_is_due;
        bool request_is_late;
        FaultKind kind;  // none: it goes on as it is
        bool is_unproven;
    };
    using enum FaultKind;
    const Fault late = Fault::upstream(upstream_timeout);
    const Fault broken = Fault::upstream(upstream_protocol_error);
    const Fault gone = Fault::client(client_gone);
    const Row rows[] = {
        {"a stream breaks off", kStream, broken, false, false, false, upstream_protocol_error,
         false},
        {"a body breaks off", kBody, broken, false, false, false, upstream_protocol_error, false},
        {"a refusal breaks off", kRefusal, broken, false, false, false, upstream_protocol_error,
         false},
        {"the client goes", kStream, gone, false, true, false, client_gone, false},
        {"a stream falls silent, and its head is due", kStream, late, false, true, false, none,
         true},
        {"a stream falls silent for too long", kStream, late, true, true, false, upstream_timeout,
         false},
        {"a body falls silent", kBody, late, false, false, false, upstream_timeout, false},
        {"a refusal falls silent: its status says enough", kRefusal, late, true, false, false, none,
         false},
        {"a refusal, at the request's own end", kRefusal, late, false, false, true,
         upstream_timeout, false},
        {"a stream, at the request's own end", kStream, late, false, true, true, upstream_timeout,
         false},
    };
    for (const Row& row : rows) {
        OneAnswer answer(row.head, {": a\n\n"});
        answer.provider.fault = row.fault;
        const SteadyTime now = answer.request.reactor.now();
        if (row.answer_is_late) answer.provider.head().answer_by = now - 1ms;
        if (row.head_is_due) is_due(answer);
        if (row.request_is_late) answer.request.exchange.outcome.deadline = now;
        Hold hold(answer.request.context, answer.request.exchange, answer.provider);
        const auto held = test::run(answer.request.reactor, hold.run());
        EXPECT_EQ(held ? none : held.error().kind, row.kind) << row.name;
        EXPECT_EQ(answer.request.exchange.outcome.is_unproven, row.is_unproven) << row.name;
    }
}

// --- providers that fall silent -----------------------------------------------------------------

// An exchange whose provider has sent this over a connection, and then nothing.
class SilentProvider {
public:
    // `first_byte`: the provider's time for one.
    SilentProvider(OneRequest& request, const std::string& sent,
                   std::chrono::milliseconds first_byte)
        : provider_(request.providers) {
        request.ask("POST /chat/1.0/x");
        request.choose();
        const std::size_t bucket = request.pool.hold("a", request.backend().state, {});
        auto connection = request.pool.take(bucket, request.reactor.now());
        connection.open(std::make_unique<net::Stream>(request.reactor, request.buffers, far_.near(),
                                                      net::Stream::Role{}));
        test::settle(request.reactor);
        request.pool.put(bucket, std::move(connection), request.reactor.now());
        upstream::Terms terms;
        terms.config = &request.snapshot->config;
        terms.first_byte = first_byte;
        EXPECT_TRUE(provider_.begin(bucket, terms).has_value());
        wire::HeadWriter head = provider_.begin_request("POST");
        EXPECT_TRUE(provider_.start(head, 0));
        wire::Pieces pieces;
        EXPECT_TRUE(provider_.send(pieces));
        far_.say(test::with_crlf(sent));
        test::settle(request.reactor);
        EXPECT_TRUE(test::run(request.reactor, provider_.read_head()).has_value()) << sent;
    }
    upstream::Provider& end() { return provider_; }

private:
    test::FarEnd far_;
    upstream::Http1Provider provider_;
};

// Of all times only one is over: no wait would end by itself otherwise.
TEST(Hold, EachAnswerHasItsTime) {
    struct Row {
        const char* name;
        std::string head;
        config::Duration config::Timeouts::*limit;  // which is over, of the configuration
        std::chrono::milliseconds first_byte;
        std::chrono::milliseconds gap;  // the Backend's own
        FaultKind kind;                 // none: it goes on as it is
    };
    using config::Timeouts;
    using enum FaultKind;
    const Row rows[] = {
        {"a stream's head", kStream, &Timeouts::stream_head_patience, 60s, 60s, none},
        {"a stream's first event", kStream, nullptr, 1ms, 60s, upstream_timeout},
        {"a refusal's body", kRefusal, &Timeouts::error_body, 60s, 60s, none},
        {"a body's next piece", kBody, &Timeouts::event_gap, 60s, 0s, upstream_timeout},
        {"the same, of this Backend", kBody, nullptr, 60s, 1ms, upstream_timeout},
    };
    for (const Row& row : rows) {
        OneRequest request;
        config::Timeouts& timeouts = request.snapshot->config.timeouts;
        timeouts.stream_head_patience = timeouts.error_body = timeouts.event_gap = 60s;
        if (row.limit != nullptr) timeouts.*row.limit = config::Duration::zero();
        request.backend().event_gap = row.gap;
        SilentProvider provider(request, row.head + "\n", row.first_byte);
        Hold hold(request.context, request.exchange, provider.end());
        const auto held = test::run(request.reactor, hold.run());
        EXPECT_EQ(held ? none : held.error().kind, row.kind) << row.name;
        request.pool.clear();
    }
}

// --- refusals that must be read to be judged ----------------------------------------------------

Task<bool> refusal_is_read(OneRequest& request, upstream::Provider& provider) {
    co_await read_refusal(request.context, request.exchange, provider);
    co_return true;
}

TEST(ReadRefusal, ReadsItToItsEndOrAsFarAsItMay) {
    struct Row {
        const char* name;
        std::vector<std::string> arrivals;
        void (*prepare)(OneAnswer& answer);
        std::string read;
    };
    const auto at_most = [](OneAnswer& answer) {
        answer.request.snapshot->config.limits.error_body_bytes = 4;
    };
    const Row rows[] = {
        {"all of it is there", {"hello"}, is_all, "hello"},
        {"it comes in parts", {"he", "l", "lo"}, is_all, "hello"},
        {"more than is read of one", {"he", "llo", " there"}, at_most, "hello"},
        {"as much as is read of one", {"he", "ll", "o"}, at_most, "hell"},
        {"no more fits", {"he", "llo"}, is_full, "he"},
        {"it breaks off", {"he", "l"}, as_it_is, "hel"},
        {"its framing is broken", {"he", "FAULT", "llo"}, is_all, "heFAULT"},
    };
    for (const Row& row : rows) {
        OneAnswer answer(kRefusal, row.arrivals);
        answer.provider.fault = Fault::upstream(FaultKind::upstream_protocol_error);
        row.prepare(answer);
        EXPECT_TRUE(
            test::run(answer.request.reactor, refusal_is_read(answer.request, answer.provider)))
            << row.name;
        std::string space;
        EXPECT_EQ(answer.provider.payload_at_hand(space), row.read) << row.name;
    }
}

TEST(ReadRefusal, HasItsTime) {
    OneRequest request;
    request.snapshot->config.timeouts.error_body = config::Duration::zero();
    SilentProvider provider(request, kRefusal + "\n5\nhe", 60s);
    EXPECT_TRUE(test::run(request.reactor, refusal_is_read(request, provider.end())));
    request.pool.clear();
}

}  // namespace
}  // namespace rotary::proxy
