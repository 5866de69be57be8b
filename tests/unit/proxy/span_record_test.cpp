// What a trace says of a request and its tries.
#include <rotary/proxy/span_record.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rotary/wire/json_document.hpp>

#include <chrono>
#include <string>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kParent =
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n";

class Spans : public testing::Test {
protected:
    Spans() {
        request_.rotate({"m0@a", "m1@b"});
        request_.route().provider = "openai";
        request_.snapshot->config.tracing.endpoint = "http://127.0.0.1/v1/traces";
        queue_.set_max_bytes(1 << 20);
    }
    void ask(const std::string& headers = kParent, const std::string& path = "chat/completions") {
        request_.admit_and_scan("POST /chat/1.0/" + path, headers, R"({"model":"any"})");
        start_ = request_.exchange.request.started;
    }
    // A try at the entry, which ended so long after the request began.
    void attempt(std::size_t entry, std::chrono::milliseconds ended, std::uint16_t status,
                 FaultKind fault = FaultKind::none) {
        request_.choose(entry);
        request_.exchange.trail.open(request_.exchange.tries.choice, start_ + 1ms);
        rotation::Verdict verdict;
        if (status == 429) verdict.effect = rotation::Effect::suspend_entry;
        request_.exchange.trail.judge(status, fault, verdict, start_ + ended);
    }
    std::string spans() {
        record_.record(request_.exchange, start_ + 10ms);
        record_.flush();
        const auto batch = queue_.take(1 << 20);
        const std::string all = "[" + batch.text + "]";
        const auto document = wire::JsonDocument::parse(all);
        EXPECT_TRUE(document) << all;
        if (document) {
            EXPECT_EQ(document->root().size(), batch.spans);
        }
        return all;
    }
    static std::string text(const std::string& name, const std::string& value) {
        return R"({"key":")" + name + R"(","value":{"stringValue":")" + value + R"("}})";
    }
    static std::string number(const std::string& name, const std::string& value) {
        return R"({"key":")" + name + R"(","value":{"intValue":")" + value + R"("}})";
    }

    OneRequest request_{{"a", "b"}};
    SpanQueue queue_;
    SpanRecord record_{queue_, 1 << 20};
    SteadyTime start_;
};

TEST_F(Spans, OneARequestAndOneATry) {
    ask();
    attempt(0, 2ms, 429);
    request_.exchange.trail.last().failed_over = true;
    attempt(1, 9ms, 200);
    request_.exchange.outcome.status = 200;
    request_.exchange.outcome.usage.source = llm::UsageSource::told;
    request_.exchange.outcome.usage.input = 7;
    request_.exchange.outcome.usage.output = 8;
    const Trace& trace = request_.exchange.trace;
    SpanIdText id;
    const std::string own(to_hex(trace.span, id));
    const std::string all = spans();
    EXPECT_EQ(count_of(all, R"("traceId":"0af7651916cd43dd8448eb211c80319c")"), 3U);
    EXPECT_THAT(all, HasSubstr("\"spanId\":\"" + own +
                               "\",\"parentSpanId\":\"b7ad6b7169203331\",\"flags\":1,"
                               "\"name\":\"POST chat\",\"kind\":2,"));
    for (const unsigned attempt : {1U, 2U}) {
        const std::string model = attempt == 1 ? "m0" : "m1";
        const std::string span(to_hex(trace.span_of_try(attempt), id));
        EXPECT_THAT(all, HasSubstr("\"spanId\":\"" + span + "\",\"parentSpanId\":\"" + own +
                                   "\",\"flags\":1,\"name\":\"chat " + model + "\",\"kind\":3,"));
    }
    EXPECT_EQ(count_of(all, number("gen_ai.usage.output_tokens", "8")), 2U)
        << "the request's, and that of the try which answered";
    EXPECT_EQ(count_of(all, text("gen_ai.provider.name", "openai")), 3U);
    EXPECT_EQ(count_of(all, text("gen_ai.original.model", "any")), 1U);
    EXPECT_THAT(all, HasSubstr(text("error.type", "429")));
    EXPECT_EQ(count_of(all, R"("status":{"code":2,"message":"429"})"), 1U);
    EXPECT_THAT(all, HasSubstr(text("rotary.effect", "suspend_entry")));
    EXPECT_THAT(all, HasSubstr(R"({"key":"rotary.failed_over","value":{"boolValue":true}})"));
    const std::chrono::nanoseconds since =
        request_.exchange.request.started_wall.time_since_epoch();
    EXPECT_THAT(
        all, HasSubstr("\"endTimeUnixNano\":\"" + std::to_string((since + 10ms).count()) + "\""));
    EXPECT_THAT(
        all, HasSubstr("\"startTimeUnixNano\":\"" + std::to_string((since + 1ms).count()) + "\""));
}

TEST_F(Spans, AFaultIsAnErrorByItsCode) {
    ask();
    attempt(0, 2ms, 0, FaultKind::upstream_connect_failed);
    request_.exchange.outcome.status = 502;
    request_.exchange.outcome.fault.kind = FaultKind::upstream_connect_failed;
    const std::string all = spans();
    EXPECT_EQ(count_of(all, text("error.type", "upstream_connect_failed")), 2U);
    EXPECT_EQ(count_of(all, R"("status":{"code":2,)"), 2U);
}

TEST_F(Spans, AClientsFaultIsNoErrorOfTheServers) {
    ask();
    request_.exchange.outcome.status = 401;
    request_.exchange.outcome.fault.kind = FaultKind::invalid_token;
    const std::string all = spans();
    EXPECT_THAT(all, HasSubstr(text("error.type", "invalid_token")));
    EXPECT_THAT(all, Not(HasSubstr("\"status\":")));
}

TEST_F(Spans, ANameIsNeverTheClientsToChoose) {
    ask(kParent, "no/such/thing");
    attempt(0, 2ms, 200);
    const std::string all = spans();
    EXPECT_THAT(all, HasSubstr(R"("name":"request m0")"));
    ask(kParent, "embeddings");
    attempt(0, 2ms, 200);
    EXPECT_THAT(spans(), HasSubstr(R"("name":"embeddings m0")"));
}

TEST_F(Spans, TriesThatWereLeftOutAreCounted) {
    ask();
    for (int i = 0; i < 20; ++i) attempt(0, 2ms, 429);
    const std::string all = spans();
    EXPECT_EQ(count_of(all, R"("kind":3)"), 12U);
    EXPECT_THAT(all, HasSubstr(number("rotary.tries_left_out", "8")));
    EXPECT_THAT(all, HasSubstr(number("rotary.attempt", "20")));
    SpanIdText id;
    EXPECT_THAT(all, HasSubstr(std::string(to_hex(request_.exchange.trace.span_of_try(20), id))));
}

TEST_F(Spans, NothingIsRecordedOfWhatIsNotSampled) {
    std::string parent = kParent;
    parent[parent.size() - 2] = '0';
    ask(parent);
    attempt(0, 2ms, 200);
    EXPECT_EQ(spans(), "[]");
}

}  // namespace
}  // namespace rotary::proxy
