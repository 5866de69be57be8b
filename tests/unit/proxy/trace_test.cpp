// Where a request stands in a trace, and what its provider and the log are told of it.
#include "proxy/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "proxy/upstream_request.hpp"
#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr TraceId kTrace{0x0af7651916cd43dd, 0x8448eb211c80319c};

TEST(BeginTrace, GoesOnWithTheClientsAndDoesAsItSays) {
    config::Tracing tracing;
    tracing.sample_ratio = 0;
    std::uint64_t random = 1;
    const Trace trace = begin_trace(tracing, kParent, random);
    EXPECT_EQ(trace.id, kTrace);
    EXPECT_EQ(trace.parent, 0xb7ad6b7169203331);
    EXPECT_TRUE(trace.is_sampled) << "the ratio is for traces that begin here";
    EXPECT_NE(trace.span, 0U);
    tracing.sample_ratio = 1;
    std::string not_sampled = kParent;
    not_sampled.back() = '0';
    EXPECT_FALSE(begin_trace(tracing, not_sampled, random).is_sampled);
}

TEST(BeginTrace, BeginsOneOfItsOwn) {
    const config::Tracing tracing;
    std::uint64_t random = 1;
    for (const char* parent : {"", "00-none-of-it-01"}) {
        const Trace trace = begin_trace(tracing, parent, random);
        EXPECT_TRUE(trace.is_on());
        EXPECT_NE(trace.id, kTrace);
        EXPECT_EQ(trace.parent, 0U);
        EXPECT_TRUE(trace.is_sampled);
    }
}

TEST(BeginTrace, TakesAsManyAsTheRatioSays) {
    for (const double ratio : {0.0, 0.25, 1.0}) {
        config::Tracing tracing;
        tracing.sample_ratio = ratio;
        std::uint64_t random = 7;
        double taken = 0;
        constexpr double kTraces = 10'000;
        for (int i = 0; i < static_cast<int>(kTraces); ++i) {
            taken += begin_trace(tracing, "", random).is_sampled ? 1 : 0;
        }
        EXPECT_NEAR(taken / kTraces, ratio, 0.02);
    }
}

TEST(BeginTrace, EachTryHasASpan) {
    const config::Tracing tracing;
    std::uint64_t random = 1;
    const Trace trace = begin_trace(tracing, "", random);
    std::set<std::uint64_t> spans{trace.span};
    for (unsigned attempt = 1; attempt <= 64; ++attempt) {
        EXPECT_TRUE(spans.insert(trace.span_of_try(attempt)).second) << attempt;
    }
}

class Traced : public testing::Test {
protected:
    Traced() { request_.rotate({"m0@a"}); }
    std::string head_for(const std::string& headers) {
        request_.admit_and_scan("POST /chat/1.0/x", headers, "{}");
        request_.choose();
        HandMadeProvider provider(request_);
        wire::Pieces pieces;
        EXPECT_TRUE(write_upstream_request(request_.context, request_.exchange, provider, pieces));
        return provider.request_head();
    }
    OneRequest request_;
};

TEST_F(Traced, TheProvidersParentIsTheTry) {
    request_.snapshot->config.tracing.endpoint = "http://127.0.0.1/v1/traces";
    const std::string head =
        head_for(std::string("traceparent: ") + kParent + "\ntracestate: a=b\n");
    wire::TraceParentText text;
    const Trace& trace = request_.exchange.trace;
    const auto parent = wire::write_traceparent(trace.parent_of_try(1), text);
    EXPECT_THAT(head, HasSubstr("traceparent: " + std::string(parent) + "\n"));
    EXPECT_THAT(head, Not(HasSubstr(kParent)));
    EXPECT_THAT(head, HasSubstr("tracestate: a=b\n"));
    EXPECT_EQ(count_of(head, "traceparent"), 1U);
}

TEST_F(Traced, AStateWithoutItsTraceDoesNotGoOn) {
    request_.snapshot->config.tracing.endpoint = "http://127.0.0.1/v1/traces";
    for (const std::string& parent :
         {std::string("traceparent: 1\n"),
          std::string("traceparent: ") + kParent + "\ntraceparent: " + kParent + "\n"}) {
        const std::string head = head_for(parent + "tracestate: a=b\n");
        EXPECT_THAT(head, Not(HasSubstr("tracestate"))) << parent;
        EXPECT_EQ(count_of(head, "traceparent: 00-"), 1U) << parent;
        EXPECT_FALSE(request_.exchange.trace.id == kTrace) << parent;
    }
}

TEST_F(Traced, WithoutACollectorAllGoesOnAsItCame) {
    const std::string lines = std::string("traceparent: ") + kParent + "\ntracestate: a=b\n";
    const std::string head = head_for(lines);
    EXPECT_THAT(head, HasSubstr(kParent));
    EXPECT_THAT(head, HasSubstr("tracestate: a=b\n"));
    EXPECT_FALSE(request_.exchange.trace.is_on());
}

}  // namespace
}  // namespace rotary::proxy
