// Which streams are asked to tell their usage, and the body that asks.
#include "proxy/usage_ask.hpp"

#include "proxy/upstream_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/proxy/doubles.hpp"

namespace rotary::proxy {
namespace {

using config::StreamUsage;

constexpr const char* kStream = R"({"model":"x","stream":true})";
constexpr const char* kAsking =
    R"({"stream_options":{"include_usage":true},"model":"m0","stream":true})";
constexpr const char* kNotAsking = R"({"model":"m0","stream":true})";

// The body as it goes to the first entry.
std::string sent(OneRequest& request, const std::string& path, const std::string& body) {
    request.admit_and_scan("POST /chat/1.0" + path, "", body);
    plan_usage_ask(request.context, request.exchange);
    request.choose();
    request.exchange.tries.asks_usage = asks_usage(request.exchange);
    HandMadeProvider provider(request);
    wire::Pieces pieces;
    EXPECT_TRUE(write_upstream_request(request.context, request.exchange, provider, pieces));
    const std::string length = "content-length: " + std::to_string(pieces.payload_bytes());
    EXPECT_NE(provider.request_head().find(length), std::string::npos);
    std::string text;
    for (const std::string_view piece : pieces.all()) text += piece;
    return text;
}

TEST(UsageAsk, AsksWhereItMattersAndOnlyThere) {
    struct Row {
        const char* name;
        StreamUsage streams;
        bool counts_tokens;
        const char* provider;
        const char* path;
        const char* body;
        std::string expected;
    };
    const std::vector<Row> rows{
        {"auto, nothing depends on it", StreamUsage::automatic, false, "OpenAI",
         "/chat/completions", kStream, kNotAsking},
        {"auto, a limit does", StreamUsage::automatic, true, "OpenAI", "/chat/completions", kStream,
         kAsking},
        {"ask", StreamUsage::ask, false, "", "/chat/completions", kStream, kAsking},
        {"the older endpoint", StreamUsage::ask, false, "", "/completions", kStream, kAsking},
        {"observe", StreamUsage::observe, true, "OpenAI", "/chat/completions", kStream, kNotAsking},
        {"Mistral tells unasked", StreamUsage::ask, true, "MistralAI", "/chat/completions", kStream,
         kNotAsking},
        {"so do responses", StreamUsage::ask, true, "OpenAI", "/responses", kStream, kNotAsking},
        {"and messages", StreamUsage::ask, true, "Anthropic", "/messages", kStream, kNotAsking},
        {"no stream", StreamUsage::ask, true, "OpenAI", "/chat/completions",
         R"({"model":"x","stream":false})", R"({"model":"m0","stream":false})"},
        {"the client asks itself", StreamUsage::ask, true, "OpenAI", "/chat/completions",
         R"({"model":"x","stream":true,"stream_options":{"include_usage":true}})",
         R"({"model":"m0","stream":true,"stream_options":{"include_usage":true}})"},
        {"the client says false", StreamUsage::ask, true, "OpenAI", "/chat/completions",
         R"({"stream":true,"stream_options":{"include_usage":false},"model":"x"})",
         R"({"stream":true,"stream_options":{"include_usage":true},"model":"m0"})"},
        {"the model is missing", StreamUsage::ask, true, "OpenAI", "/chat/completions",
         R"({"stream":true})",
         R"({"stream_options":{"include_usage":true},"model":"m0","stream":true})"},
        {"the model is missing, the options are not", StreamUsage::ask, true, "OpenAI",
         "/chat/completions", R"({"stream":true,"stream_options":{}})",
         R"({"model":"m0","stream":true,"stream_options":{"include_usage":true}})"},
        {"the model stands behind the options", StreamUsage::ask, true, "OpenAI",
         "/chat/completions", R"({"stream":true,"stream_options":null,"model":"x","n":1})",
         R"({"stream":true,"stream_options":{"include_usage":true},"model":"m0","n":1})"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        OneRequest request;
        request.rotate({"m0@a"});
        request.route().provider = row.provider;
        request.route().counts_tokens = row.counts_tokens;
        request.snapshot->config.usage.streams = row.streams;
        EXPECT_EQ(sent(request, row.path, row.body), row.expected);
    }
}

TEST(UsageAsk, GoesWithAModelInAHeader) {
    OneRequest request;
    request.rotate({"m0@a"}, {config::ValueLocation::In::header, "X-Model", {}});
    request.snapshot->config.usage.streams = StreamUsage::ask;
    EXPECT_EQ(sent(request, "/chat/completions", R"({"stream":true})"),
              R"({"stream_options":{"include_usage":true},"stream":true})");
}

TEST(UsageAsk, ABackendThatRefusedIsAskedNoMore) {
    OneRequest request({"a", "b"});
    request.rotate({"m0@a", "m1@b"});
    request.snapshot->config.usage.streams = StreamUsage::ask;
    EXPECT_EQ(sent(request, "/chat/completions", kStream), kAsking);
    request.context.wiring->upstreams[0].refuses_usage_ask->store(true);
    EXPECT_EQ(sent(request, "/chat/completions", kStream), kNotAsking);
    request.choose(1);
    EXPECT_TRUE(asks_usage(request.exchange));
}

}  // namespace
}  // namespace rotary::proxy
