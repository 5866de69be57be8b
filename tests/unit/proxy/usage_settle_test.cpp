// What an exchange is said to have used, told or estimated, and where that is counted.
#include "proxy/usage_settle.hpp"
#include "proxy/limits.hpp"
#include "proxy/record.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using Body = UsageStage::Body;
using llm::UsageSource;

constexpr const char* kAsked = R"({"messages":[{"role":"user","content":"0123456789abcdefghi"}]})";
constexpr std::uint64_t kInput = 6 + 4;  // 19 bytes at 3.5 each, and a message

// One request for the entry m0@a, and the answer to it.
class UsageSettle : public testing::Test {
protected:
    UsageSettle() { request_.rotate({"m0@a", "m1@a"}); }

    void ask(const std::string& path = "/v1/chat/completions", const std::string& body = kAsked) {
        request_.admit_and_scan("POST /chat/1.0" + path, "", body);
        request_.choose();
        request_.exchange.outcome.status = 200;
    }
    const llm::Usage& settle(Body body, const std::string& answer, bool is_whole = true) {
        wire::SseScanner events;
        UsageStage stage(events, body, false);
        stage.begin(request_.route().usage_places, headers_);
        if (body == Body::events) events.feed(answer);
        wire::Pieces pieces;
        pieces.clear();
        pieces.add(answer);
        stage.pass(pieces, true);
        settle_usage(request_.context, request_.exchange, stage, is_whole);
        return request_.exchange.outcome.usage;
    }
    std::uint64_t counted(std::size_t type, std::size_t entry = 0) {
        return request_.registry.value(request_.context.wiring->entries[0][entry].tokens[type]);
    }

    OneRequest request_;
    wire::HeaderTable headers_;  // of the answer
};

TEST_F(UsageSettle, WhatIsToldIsTaken) {
    ask();
    const llm::Usage usage = settle(
        Body::json, R"({"usage":{"prompt_tokens":90,"completion_tokens":7,"prompt_tokens_details":)"
                    R"({"cached_tokens":40,"cache_write_tokens":5},"completion_tokens_details":)"
                    R"({"reasoning_tokens":3}}})");
    EXPECT_TRUE(usage == (llm::Usage{.input = 90,
                                     .output = 7,
                                     .cached_read = 40,
                                     .cache_write = 5,
                                     .reasoning = 3,
                                     .source = UsageSource::told}));
    EXPECT_EQ(counted(0), 90u);
    EXPECT_EQ(counted(1), 7u);
    EXPECT_EQ(counted(2), 40u);
    EXPECT_EQ(counted(3), 5u);
    EXPECT_EQ(counted(4), 3u);
    EXPECT_EQ(counted(0, 1), 0u);
}

TEST_F(UsageSettle, WhatIsNotToldIsEstimated) {
    const std::string content = R"(data: {"choices":[{"delta":{"content":"01234567"}}]})"
                                "\n\n";
    const std::string start = R"(data: {"type":"message_start","message":)"
                              R"({"usage":{"input_tokens":50,"output_tokens":1}}})"
                              "\n\n";
    const std::string end = R"(data: {"type":"message_delta","usage":{"output_tokens":9}})"
                            "\n\n";
    const std::string text = R"(data: {"delta":{"text":"0123456789abcd"}})"
                             "\n\n";
    struct Row {
        const char* name;
        const char* path;
        Body body;
        std::string answer;
        bool is_whole;
        std::uint64_t input;
        std::uint64_t output;
        UsageSource source;
    };
    const std::vector<Row> rows{
        {"a stream", "/completions", Body::events, content, true, kInput, 3,
         UsageSource::estimated},
        {"a stream that broke", "/completions", Body::events, content, false, kInput, 3,
         UsageSource::estimated},
        {"a stream without a word", "/completions", Body::events, "data: {}\n\n", true, kInput, 0,
         UsageSource::estimated},
        {"Anthropic's, whole", "/messages", Body::events, start + text + end, true, 50, 9,
         UsageSource::told},
        {"Anthropic's, broken off behind its end", "/messages", Body::events, start + text + end,
         false, 50, 9, UsageSource::told},
        {"Anthropic's, broken off before", "/messages", Body::events, start + text, false, 50, 4,
         UsageSource::partial},
        {"Anthropic's, broken off at once", "/messages", Body::events, start, false, 50, 1,
         UsageSource::partial},
        {"plain", "/completions", Body::json, R"({"a":"0123456789"})", true, kInput, 6,
         UsageSource::estimated},
        {"plain, the prompt alone", "/embeddings", Body::json, R"({"usage":{"prompt_tokens":5}})",
         true, 5, 0, UsageSource::told},
        {"no text to count", "/embeddings", Body::json, R"({"data":[0.1,0.2,0.3]})", true, kInput,
         0, UsageSource::estimated},
        {"sounds", "/speech", Body::other, "abcdefghijkl", true, kInput, 0, UsageSource::estimated},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        ask(row.path);
        const llm::Usage usage = settle(row.body, row.answer, row.is_whole);
        EXPECT_EQ(usage.input, row.input);
        EXPECT_EQ(usage.output, row.output);
        EXPECT_EQ(usage.source, row.source);
    }
}

TEST_F(UsageSettle, AnErrorIsNoWork) {
    ask();
    request_.exchange.outcome.status = 400;
    EXPECT_TRUE(settle(Body::json, R"({"error":{"message":"no"}})") == llm::Usage{});
    ask();
    request_.exchange.outcome.status = 500;
    const llm::Usage usage = settle(Body::json, R"({"error":{},"usage":{"prompt_tokens":5}})");
    EXPECT_EQ(usage.input, 5u);
    EXPECT_EQ(usage.source, UsageSource::told);
}

TEST_F(UsageSettle, WhatCanBeNoCountIsCounted) {
    ask();
    settle(Body::json, R"({"usage":{"prompt_tokens":-5,"completion_tokens":1.5}})");
    EXPECT_EQ(request_.registry.value(request_.context.wiring->process.usage_invalid), 2u);
    EXPECT_EQ(request_.exchange.outcome.usage.source, UsageSource::estimated);
}

TEST_F(UsageSettle, ATryThatBroughtNothingMayHaveCost) {
    struct Row {
        const char* name;
        Fault fault;
        bool asked;
        std::uint64_t counted;
        std::uint64_t of_client;
    };
    const Fault late = Fault::upstream(FaultKind::upstream_timeout);
    const Fault gone = Fault::client(FaultKind::client_gone);
    const std::vector<Row> rows{
        {"a time-out", late, true, kInput, 0},
        {"one without a request", late, false, 0, 0},
        {"a client that left", gone, true, kInput, kInput},
        {"one that left before it was asked", gone, false, 0, 0},
        {"no connection", Fault::upstream(FaultKind::upstream_connect_failed), true, 0, 0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        ask();
        const std::uint64_t before = counted(0);
        settle_unanswered(request_.context, request_.exchange, row.fault, row.asked);
        EXPECT_EQ(counted(0) - before, row.counted);
        EXPECT_EQ(request_.exchange.outcome.usage.input, row.of_client);
        EXPECT_TRUE(request_.exchange.quotas.failed.empty());
    }
}

TEST_F(UsageSettle, ATryThatFellSilentMayBeTheCallersToPay) {
    request_.snapshot->config.usage.charges_failed = true;
    ask();
    settle_unanswered(request_.context, request_.exchange,
                      Fault::upstream(FaultKind::upstream_timeout), true);
    settle_unanswered(request_.context, request_.exchange, Fault::client(FaultKind::client_gone),
                      true);
    ASSERT_EQ(request_.exchange.quotas.failed.size(), 1u) << "what was left is paid for as it is";
    const FailedTry& failed = request_.exchange.quotas.failed.front();
    EXPECT_EQ(failed.usage.input, kInput);
    EXPECT_EQ(failed.usage.output, 0u);
    EXPECT_EQ(failed.usage.source, UsageSource::estimated);
    EXPECT_EQ(failed.choice.entry, request_.exchange.tries.choice.entry);
    EXPECT_EQ(request_.exchange.outcome.usage.input, kInput);
}

TEST_F(UsageSettle, EachRequestThatWasTriedIsCountedByItsSource) {
    const auto of = [this](UsageSource source) {
        const auto index = static_cast<std::size_t>(source);
        return request_.registry.value(request_.context.wiring->process.usage_sources[index]);
    };
    ask();
    settle(Body::json, R"({"usage":{"prompt_tokens":5}})");
    record(request_.context, request_.exchange);
    ask();
    settle(Body::other, "");
    record(request_.context, request_.exchange);
    request_.ask("POST /chat/1.0/x");  // refused before it was tried
    record(request_.context, request_.exchange);
    EXPECT_EQ(of(UsageSource::told), 1u);
    EXPECT_EQ(of(UsageSource::estimated), 1u);
    EXPECT_EQ(of(UsageSource::none), 0u);
    const std::string lines = request_.logged();
    EXPECT_EQ(count_of(lines, R"("input_tokens":5,"output_tokens":0,"usage":"told")"), 1u) << lines;
    EXPECT_EQ(count_of(lines, R"("usage":)"), 2u) << lines;
}

// What was told of sixteen requests is what the next one's silence is measured by.
TEST_F(UsageSettle, EstimatesGoByWhatAnswersHaveTold) {
    const std::string body =
        R"({"messages":[{"role":"user","content":")" + std::string(1000, 'x') + R"("}]})";
    request_.route().counts_tokens = true;
    for (int answers = 0; answers <= 16; ++answers) {
        ask("/v1/chat/completions", body);
        ASSERT_TRUE(reserve_tokens(request_.context, request_.exchange));
        const bool is_known = answers == 16;
        EXPECT_EQ(request_.exchange.quotas.estimate[quota::What::prompt], is_known ? 588 : 338);
        EXPECT_EQ(settle(Body::json, "{}").input, is_known ? 504u : 290u);
        settle(Body::json, R"({"usage":{"prompt_tokens":504,"completion_tokens":1}})");
    }
    // Of pictures the bytes say nothing; and the other entry has answered nothing.
    EXPECT_EQ(request_.context.wiring->entries[0][0].learnt->ratio(), 2 * 1024u);
    EXPECT_EQ(request_.context.wiring->entries[0][1].learnt->ratio(), 0u);
    EXPECT_EQ(request_.context.wiring->learnt[0]->ratio(), 2 * 1024u);
    settle(Body::json,
           R"({"usage":{"input_tokens":9000,"input_tokens_details":{"image_tokens":1}}})");
    EXPECT_EQ(request_.context.wiring->entries[0][0].learnt->ratio(), 2 * 1024u);
}

TEST_F(UsageSettle, PathsThatNoAnswerHasAreToldOnce) {
    request_.route().usage_places.members[0] = {"meta", "in"};
    request_.route().usage_places.members[1] = {"meta", "out"};
    request_.route().usage_places.headers[2] = "x-total";
    const auto unmatched = [&] {
        return request_.registry.value(request_.context.wiring->process.usage_paths_unmatched);
    };
    for (int answers = 0; answers < 120; ++answers) {
        ask();
        settle(Body::json, answers == 50 ? R"({"meta":{"in":5}})" : R"({"usage":{}})");
        EXPECT_EQ(unmatched(), answers < 99 ? 0u : 2u) << answers;
    }
    EXPECT_EQ(count_of(request_.logged(), "no answer has what rateLimitFields name"), 1u);
}

TEST_F(UsageSettle, PathsThatAnswersHaveAreAllRight) {
    request_.route().usage_places.members[0] = {"meta", "in"};
    for (int answers = 0; answers < 120; ++answers) {
        ask();
        settle(Body::json, answers == 50 ? R"({"meta":{"in":5}})" : "{}", answers != 70);
    }
    EXPECT_EQ(request_.registry.value(request_.context.wiring->process.usage_paths_unmatched), 0u);
    EXPECT_EQ(request_.logged(), "");
}

// Of each vendor's answers, plain and streamed: what is told is no more than all of it tells, and
// what is not told is no more than the text that came by.
TEST_F(UsageSettle, ARecordingCutAnywhereIsToldPartialOrEstimated) {
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(ROTARY_SOURCE_DIR "/tests/data/usage")) {
        SCOPED_TRACE(entry.path().filename().string());
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const Body body = entry.path().extension() == ".sse" ? Body::events : Body::json;
        ++files;
        ask();
        const llm::Usage whole = settle(body, text);
        for (std::size_t size = 0; size < text.size(); ++size) {
            const llm::Usage usage = settle(body, text.substr(0, size), false);
            ASSERT_NE(usage.source, UsageSource::none) << size;
            const bool is_told = usage.source != UsageSource::estimated;
            const std::uint64_t likely = size * 2 / 7 + 1;
            ASSERT_LE(usage.input, is_told ? whole.input : kInput) << size;
            // Of JSON all bytes are taken for text, names of members too.
            const bool has_rest = usage.source == UsageSource::partial && body == Body::json;
            const std::uint64_t most = has_rest ? std::max(whole.output, likely) : whole.output;
            ASSERT_LE(usage.output, is_told ? most : likely) << size;
        }
    }
    EXPECT_GE(files, 31u);
}

TEST_F(UsageSettle, KeepsWhichServiceAndModelItWas) {
    ask();
    const std::string answer =
        R"({"model":"m0-1","usage":{"prompt_tokens":5},"service_tier":"flex"})";
    EXPECT_EQ(settle(Body::json, answer).service, llm::Service::flex);
    EXPECT_EQ(request_.exchange.response_model(), "") << "it is not to be known";
    request_.route().usage_places.model_members = {"model"};
    wire::SseScanner events;
    UsageStage stage(events, Body::events, false);
    stage.begin(request_.route().usage_places, headers_, true);
    events.feed(
        "data: {\"message\":{\"model\":\"m0-1\",\"usage\":{\"service_tier\":\"batch\"}}}\n\n");
    settle_usage(request_.context, request_.exchange, stage, true);
    EXPECT_EQ(request_.exchange.response_model(), "m0-1");
    EXPECT_EQ(request_.exchange.outcome.usage.service, llm::Service::batch);
}

// Without a list there is a Backend to count for, and nothing to estimate.
TEST(UsageSettleAlone, ARequestWithoutARotationIsCountedToo) {
    OneRequest request;
    request.admit_and_scan("POST /chat/1.0/x", "", kAsked);
    request.choose();
    request.exchange.outcome.status = 200;
    wire::SseScanner events;
    const llm::UsagePlaces places;
    const wire::HeaderTable headers;
    UsageStage stage(events, Body::json, false);
    stage.begin(places, headers);
    settle_usage(request.context, request.exchange, stage, true);
    EXPECT_EQ(request.exchange.outcome.usage.source, UsageSource::none);
    wire::Pieces pieces;
    pieces.clear();
    pieces.add(R"({"usage":{"prompt_tokens":5}})");
    stage.pass(pieces, true);
    settle_usage(request.context, request.exchange, stage, true);
    EXPECT_EQ(request.registry.value(request.context.wiring->upstreams[0].tokens[0]), 5u);
    request.route().counts_tokens = true;
    UsageStage silent(events, Body::json, false);
    silent.begin(places, headers);
    settle_usage(request.context, request.exchange, silent, true);
    EXPECT_EQ(request.exchange.outcome.usage.input, kInput);
}

}  // namespace
}  // namespace rotary::proxy
