// Streams that begin well formed and say that they fail; streams that are none; and what failures
// in a row mean for an entry.
#include "fault_fixture.hpp"

#include <ostream>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

struct Beginning {
    const char* name;
    std::string stream;
};
void PrintTo(const Beginning& beginning, std::ostream* out) { *out << beginning.name; }

const auto kNameOf = [](const auto& test) { return std::string(test.param.name); };

// Two lists with the entry "a" of one provider: production has another one behind it.
class StreamBeginningTest : public testing::TestWithParam<Beginning> {
protected:
    // The events of a stream may come one by one, or all with the head in one piece.
    void say(bool at_once) {
        ProviderPlan plan;
        plan.answer = stream_answer(GetParam().stream);
        plan.answer->at_once = at_once;
        provider_.set_plan(plan);
    }

    GatewayOptions options() const {
        GatewayOptions options;
        options.backends = {provider_.backend("Bearer one"), healthy_.backend("Bearer two")};
        options.production = {{"a", 0}, {"b", 1}};
        options.sandbox = {{"a", 0}};
        return options;
    }

    void expect_healthy(const Response& response) const {
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-model"), "b");
        EXPECT_EQ(response.header("x-rotary-attempts"), "2");
        EXPECT_EQ(response.ending, Ending::framed);
        EXPECT_EQ(response.body, recorded_stream());
    }

    FaultyProvider provider_;
    FaultyProvider healthy_;
};

// Nothing but these bytes, and nobody else is asked.
class PassingStreamTest : public StreamBeginningTest {};

TEST_P(PassingStreamTest, ArrivesAsItIs) {
    for (const bool at_once : {false, true}) {
        SCOPED_TRACE(at_once ? "at once" : "one by one");
        say(at_once);
        const Gateway gateway(options());
        const Response response = ask(gateway, chat(kStreamed));
        EXPECT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-model"), "a");
        EXPECT_EQ(response.header("x-rotary-attempts"), "1");
        EXPECT_EQ(response.ending, Ending::framed);
        EXPECT_EQ(response.body, GetParam().stream);
        EXPECT_TRUE(all_settled(gateway));
        EXPECT_EQ(healthy_.request_count(), 0U);
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
    }
}

const std::string kEvent = R"(data: {"choices":[{"delta":{"content":"x"}}]})";
const std::string kDone = "data: [DONE]\n\n";

std::string filled(const std::string& begin, std::size_t size, const std::string& end) {
    return begin + std::string(size, 'x') + end;
}

INSTANTIATE_TEST_SUITE_P(
    All, PassingStreamTest,
    testing::Values(
        Beginning{"DoneAlone", kDone}, Beginning{"NoDone", kEvent + "\n\n"},
        Beginning{"Comments", ": processing\n\n: still\n\n" + kEvent + "\n\n" + kDone},
        Beginning{"CrLf", kEvent + "\r\n\r\n" + "data: [DONE]\r\n\r\n"},
        Beginning{"Cr", kEvent + "\r\r" + "data: [DONE]\r\r"},
        Beginning{"NoSpace", "data:{\"choices\":[]}\n\n" + kDone},
        Beginning{"OtherFields", "event: chunk\nid: 7\nretry: 5\n" + kEvent + "\n\n" + kDone},
        Beginning{"TwoDataLines", "data: {\"choices\":\ndata: []}\n\n" + kDone},
        Beginning{"ErrorIsNull", "data: {\"error\":null,\"choices\":[]}\n\n" + kDone},
        Beginning{"ErrorInside", "data: {\"choices\":[{\"delta\":{\"error\":\"x\"}}]}\n\n" + kDone},
        Beginning{"LargeFirstEvent",
                  filled("data: {\"choices\":\"", 50'000, "\"}\n\n") + kEvent + "\n\n" + kDone},
        Beginning{"HugeFirstEvent",
                  filled("data: {\"choices\":\"", 300'000, "\"}\n\n") + kEvent + "\n\n" + kDone},
        Beginning{"HugeLaterEvent",
                  kEvent + "\n\n" + filled("data: {\"choices\":\"", 300'000, "\"}\n\n") + kDone},
        Beginning{"LongComment", filled(": ", 50'000, "\n\n") + kEvent + "\n\n" + kDone}),
    kNameOf);

// Too late for another entry, but not for being counted.
TEST(LateErrorEventTest, IsPassedOnAndCounted) {
    FaultyProvider provider;
    ProviderPlan plan;
    plan.answer =
        stream_answer(kEvent + "\n\n" + R"(data: {"error":{"type":"server_error"}})" + "\n\n");
    provider.set_plan(plan);
    GatewayOptions options;
    options.backends = {provider.backend()};
    options.production = {{"a"}, {"b"}};
    const Gateway gateway(options);
    const Response response = ask(gateway, chat(kStreamed));
    EXPECT_EQ(response.body, plan.answer->body);
    EXPECT_EQ(response.ending, Ending::framed);
    EXPECT_EQ(response.header("x-rotary-attempts"), "1");
    EXPECT_TRUE(all_settled(gateway));
    EXPECT_EQ(failures(gateway, "production", "server_error"), 1.0);
    EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 1.0);
    EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
}

// 200 and text/event-stream, and then no event of a chat.
class NoStreamTest : public StreamBeginningTest {};

TEST_P(NoStreamTest, IsAFailureOfThatEntry) {
    for (const bool at_once : {false, true}) {
        SCOPED_TRACE(at_once ? "at once" : "one by one");
        say(at_once);
        const Gateway gateway(options());
        expect_healthy(ask(gateway, chat(kStreamed)));
        TestClient client = gateway.connect();
        const Response alone = client.exchange(sandboxed(chat(kStreamed)));
        EXPECT_EQ(alone.status, 502U) << alone.body;
        EXPECT_EQ(json_at(alone.body, "error.code"), "upstream_protocol_error") << alone.body;
        EXPECT_EQ(alone.ending, Ending::framed);
        EXPECT_EQ(client.exchange(chat(kStreamed)).status, 200U);
        EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total", "env=\"sandbox\""), 1.0);
        EXPECT_GE(sum_of(gateway, "rotary_upstream_failures_total", "env=\"production\""), 1.0);
    }
}

INSTANTIATE_TEST_SUITE_P(All, NoStreamTest,
                         testing::Values(Beginning{"Html", "<html>Bad Gateway</html>\n"},
                                         Beginning{"CommentsOnly", ": processing\n\n: bye\n\n"},
                                         Beginning{"NotJson", "data: Bad Gateway\n\n"},
                                         Beginning{"NoObject", "data: [1,2]\n\n"},
                                         Beginning{"NoObjectFirst", "event: ping\ndata: 1\n\n" +
                                                                        kEvent + "\n\n" + kDone},
                                         Beginning{"NoBlankLine", kEvent + "\n"}),
                         kNameOf);

// The first event says that there will be no answer.
struct ErrorEvent {
    const char* name;
    std::string stream;
    const char* reason;  // of the suspension when it begins with "suspended ", else of the failure
};
void PrintTo(const ErrorEvent& event, std::ostream* out) { *out << event.name; }

class ErrorEventTest : public testing::TestWithParam<ErrorEvent> {};

TEST_P(ErrorEventTest, CountsLikeTheStatusItStandsFor) {
    for (const bool at_once : {false, true}) {
        SCOPED_TRACE(at_once ? "at once" : "one by one");
        const std::string reason = GetParam().reason;
        const bool suspends = reason.starts_with("suspended ");
        FaultyProvider provider;
        FaultyProvider healthy;
        ProviderPlan plan;
        plan.answer = stream_answer(GetParam().stream);
        plan.answer->at_once = at_once;
        provider.set_plan(plan);
        GatewayOptions options;
        options.backends = {provider.backend("Bearer one"), healthy.backend("Bearer two")};
        options.production = {{"a", 0}, {"b", 1}};
        options.sandbox = {{"a", 0}};
        const Gateway gateway(options);
        const Response moved = ask(gateway, chat(kStreamed));
        EXPECT_EQ(moved.status, 200U);
        EXPECT_EQ(moved.header("x-rotary-model"), "b");
        EXPECT_EQ(moved.header("x-rotary-attempts"), "2");
        EXPECT_EQ(moved.body, recorded_stream());
        EXPECT_EQ(sum_of(gateway, "rotary_failovers_total"), 1.0);
        EXPECT_EQ(entry_field(gateway, "a", "state"), suspends ? "suspended" : "active");
        if (suspends) {
            EXPECT_EQ(entry_field(gateway, "a", "reason"), reason.substr(reason.find(' ') + 1));
        } else {
            EXPECT_EQ(failures(gateway, "production", reason), 1.0);
        }
        // An account without money is out in both lists: there is nobody left to be asked.
        const bool both = reason.ends_with("account_exhausted");
        const Response alone = ask(gateway, sandboxed(chat(kStreamed)));
        const bool as_it_is = alone.status == 200 && alone.body == GetParam().stream;
        const bool told = alone.status == (suspends ? 429U : 502U) &&
                          alone.ending == Ending::framed &&
                          !json_at(alone.body, "error.code").empty();
        EXPECT_TRUE((as_it_is && !both) || told) << alone.status << " " << alone.body;
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, ErrorEventTest,
    testing::Values(
        ErrorEvent{"RateLimit",
                   R"(data: {"error":{"message":"Slow down","type":"requests","param":null,)"
                   R"("code":"rate_limit_exceeded"}})"
                   "\n\n",
                   "suspended rate_limited"},
        ErrorEvent{"RateLimitBehindAComment",
                   ": processing\n\n"
                   R"(data: {"error":{"code":429,"message":"Slow down"}})"
                   "\n\ndata: [DONE]\n\n",
                   "suspended rate_limited"},
        ErrorEvent{"NoMoney",
                   R"(data: {"error":{"message":"You exceeded your current quota",)"
                   R"("type":"insufficient_quota","code":"insufficient_quota"}})"
                   "\n\n",
                   "suspended account_exhausted"},
        ErrorEvent{"Overloaded",
                   "event: error\n"
                   R"(data: {"type":"error","error":{"type":"overloaded_error",)"
                   R"("message":"Overloaded"}})"
                   "\n\n",
                   "overloaded"},
        ErrorEvent{"ServerError",
                   R"(data: {"error":{"message":"The server had an error","type":"server_error",)"
                   R"("param":null,"code":null}})"
                   "\n\n",
                   "server_error"},
        ErrorEvent{"BadGateway",
                   R"(data: {"id":"gen-1","error":{"code":502,"message":"Gone"},"choices":[]})"
                   "\n\n",
                   "server_error"}),
    kNameOf);

// Five in a row suspend an entry, wherever in the answer they happen; a success between them
// begins the count anew.
TEST(FailuresInARowTest, SuspendTheEntry) {
    struct Row {
        ProviderFault fault;
        ProviderPhase phase;
        std::size_t offset;
    };
    const Row rows[] = {{ProviderFault::fin, ProviderPhase::before_head, 0},
                        {ProviderFault::rst, ProviderPhase::in_first_event, 0},
                        {ProviderFault::fin, ProviderPhase::mid_body, 400},
                        {ProviderFault::garbage, ProviderPhase::in_head, 0}};
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(to_string(row.fault)) + " " + to_string(row.phase));
        FaultyProvider provider;
        ProviderPlan plan;
        plan.fault = row.fault;
        plan.phase = row.phase;
        plan.offset = row.offset;
        GatewayOptions options;
        options.backends = {provider.backend()};
        options.production = {{"a"}};
        const Gateway gateway(options);
        const auto fail = [&](int times) {
            provider.set_plan(plan);
            for (int i = 0; i < times; ++i) {
                EXPECT_FALSE(ask(gateway, chat(kStreamed)).body.ends_with(kDone));
                EXPECT_TRUE(all_settled(gateway));
            }
        };
        fail(4);
        provider.set_plan({});
        EXPECT_TRUE(ask(gateway, chat(kStreamed)).body.ends_with(kDone));
        EXPECT_TRUE(all_settled(gateway));
        fail(4);
        EXPECT_EQ(entry_field(gateway, "a", "state"), "active");
        fail(1);
        EXPECT_EQ(entry_field(gateway, "a", "state"), "suspended");
        EXPECT_EQ(entry_field(gateway, "a", "reason"), "failing");
        const std::size_t asked = provider.request_count();
        EXPECT_EQ(ask(gateway, chat(kStreamed)).status, 503U);
        EXPECT_EQ(provider.request_count(), asked);
    }
}

}  // namespace
}  // namespace rotary::test
