// What is counted of a request's time: streams' first token and the others.
#include <rotary/proxy/request_metrics.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class StreamTimes : public testing::Test {
protected:
    StreamTimes() { request_.rotate({"m0@a"}); }
    // An answer whose first event came after 40 ms, and its end after 240 ms.
    void answered(std::uint16_t status, std::uint64_t tokens, bool is_stream = true) {
        request_.admit_and_scan("POST /chat/1.0/x", "", "{}");
        request_.choose();
        Exchange& exchange = request_.exchange;
        const SteadyTime start = exchange.request.started;
        exchange.trail.open(exchange.tries.choice, start);
        exchange.trail.judge(status, FaultKind::none, {}, start + 40ms);
        exchange.trail.end({}, start + 240ms);
        exchange.outcome.status = status;
        exchange.outcome.first_byte = start + 40ms;
        if (is_stream) exchange.outcome.overhead = 1ms;
        exchange.outcome.usage.output = tokens;
        exchange.outcome.usage.source =
            tokens == 0 ? llm::UsageSource::estimated : llm::UsageSource::told;
        request_.request_metrics.record(exchange, start + 241ms);
    }
    std::string page() { return request_.registry.scrape(); }
    static std::string series(const std::string& name) {
        return name + R"({policy="rr",env="production",model="m0",backend="a"})";
    }
    OneRequest request_;
};

TEST_F(StreamTimes, TheFirstTokenAndThoseBehindIt) {
    answered(200, 11);
    EXPECT_THAT(page(), HasSubstr(series("rotary_time_to_first_token_seconds_sum") + " 0.04\n"));
    EXPECT_THAT(page(), HasSubstr(series("rotary_time_per_output_token_seconds_sum") + " 0.02\n"))
        << "200 ms for ten of them";
    answered(200, 1);
    EXPECT_THAT(page(), HasSubstr(series("rotary_time_per_output_token_seconds_count") + " 1\n"))
        << "behind a single one there is none";
    answered(200, 0);
    EXPECT_THAT(page(), HasSubstr(series("rotary_time_per_output_token_seconds_count") + " 1\n"))
        << "an estimate says nothing";
    EXPECT_THAT(page(), HasSubstr(series("rotary_time_to_first_token_seconds_count") + " 3\n"));
}

TEST_F(StreamTimes, OnlyOfStreamsThatWereOnes) {
    answered(200, 11, false);
    answered(500, 11);
    EXPECT_THAT(page(), Not(HasSubstr("rotary_time_")));
    EXPECT_THAT(page(), HasSubstr("rotary_request_duration_seconds_count"));
}

TEST_F(StreamTimes, ASampledTraceIsTheirExemplar) {
    answered(200, 11);
    EXPECT_THAT(request_.registry.scrape(metrics::Format::open_metrics),
                Not(HasSubstr("trace_id")));
    request_.snapshot->config.tracing.endpoint = "http://127.0.0.1/v1/traces";
    answered(200, 11);
    const std::string page = request_.registry.scrape(metrics::Format::open_metrics);
    TraceIdText id;
    const std::string exemplar =
        "# {trace_id=\"" + std::string(to_hex(request_.exchange.trace.id, id)) + "\"} ";
    EXPECT_EQ(count_of(page, exemplar), 2U) << page;
}

}  // namespace
}  // namespace rotary::proxy
