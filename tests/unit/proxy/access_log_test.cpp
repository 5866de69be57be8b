#include <rotary/proxy/access_log.hpp>

#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

// A log whose writer has a file without a name for its sink.
class Sink {
public:
    explicit Sink(AccessLogFormat format, std::size_t buffer_bytes = 1 << 20)
        : file_(std::tmpfile()),
          writer_(LogWriterOptions{fileno(file_)}),
          log_(&writer_, format, buffer_bytes) {}
    ~Sink() { std::fclose(file_); }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    AccessLog& log() { return log_; }

    // All that reached the file.
    std::string text() {
        EXPECT_TRUE(writer_.flush(10s));
        std::string all;
        std::array<char, 65536> piece;
        for (;;) {
            const auto size =
                ::pread(fileno(file_), piece.data(), piece.size(), static_cast<off_t>(all.size()));
            if (size <= 0) return all;
            all.append(piece.data(), static_cast<std::size_t>(size));
        }
    }

    std::string one(const AccessLine& line) {
        log_.write(line);
        log_.flush();
        return text();
    }

private:
    std::FILE* file_;
    LogWriter writer_;
    AccessLog log_;
};

constexpr WallTime kStart{std::chrono::milliseconds(1'767'323'045'678)};

AccessLine refused() {
    AccessLine line;
    line.start = kStart;
    line.method = "POST";
    line.path = "/chat/1.0/chat/completions";
    line.status = 401;
    line.duration = 1500us;
    line.overhead = 1500us;
    line.bytes_received = 10;
    line.bytes_sent = 20;
    line.request_id = "r-1";
    line.host = "llm.example.com";
    line.client_address = "192.0.2.7";
    line.error_code = "invalid_token";
    line.error_reason = "unknown kid";
    return line;
}

AccessLine served() {
    AccessLine line = refused();
    line.status = 200;
    line.error_code = line.error_reason = "";
    line.subject = "alice";
    line.consumer = "team-a";
    line.key_id = "0123abcd";
    line.stream = true;
    line.upstream_request_id = "req_1";
    line.first_byte = 250ms;
    line.duration = 1250ms;
    line.overhead = 120us;
    line.user_agent = "OpenAI/Python 1.0";
    line.client_request_id = "c-1";
    line.retry_count = "1";
    line.api = "chat";
    line.policy = "rr";
    line.environment = "production";
    line.provider = "OpenAI";
    line.original_model = "gpt-5";
    line.request_model = "gpt-4o";
    line.response_model = "gpt-4o-2024-08-06";
    line.backend = "a";
    line.upstream_host = "api.example.com";
    line.cost = 150'000;
    line.attempts = 2;
    line.reused_connection = true;
    line.usage = {.input = 90,
                  .output = 7,
                  .cached_read = 40,
                  .cache_write = 3,
                  .cache_write_long = 2,
                  .reasoning = 5,
                  .source = llm::UsageSource::partial};
    return line;
}

TEST(AccessLog, JsonOfAServedRequest) {
    EXPECT_EQ(Sink(AccessLogFormat::json).one(served()),
              R"({"start_time":"2026-01-02T03:04:05.678Z","method":"POST",)"
              R"("request.path":"/chat/1.0/chat/completions","response_code":200,)"
              R"("duration_ms":1250.000,"ttft_ms":250.000,"overhead_us":120,"bytes_received":10,)"
              R"("bytes_sent":20,"host":"llm.example.com","client_address":"192.0.2.7",)"
              R"("sub":"alice","consumer":"team-a","key_id":"0123abcd","stream":true,)"
              R"("user-agent":"OpenAI/Python 1.0",)"
              R"("request_id":"r-1",)"
              R"("x-request-id":"c-1","x-stainless-retry-count":"1","api":"chat","policy":"rr",)"
              R"("env":"production","gen_ai.provider.name":"OpenAI",)"
              R"("gen_ai.original.model":"gpt-5","gen_ai.request.model":"gpt-4o",)"
              R"("gen_ai.response.model":"gpt-4o-2024-08-06","backend":"a",)"
              R"("upstream_host":"api.example.com","upstream_request_id":"req_1","attempts":2,)"
              R"("input_tokens":90,"output_tokens":7,"cached_tokens":40,"cache_write_tokens":5,)"
              R"("reasoning_tokens":5,"usage":"partial","cost_nd":150000,)"
              R"("reused_connection":true})"
              "\n");
}

TEST(AccessLog, JsonLeavesOutWhatIsNotKnown) {
    EXPECT_EQ(Sink(AccessLogFormat::json).one(refused()),
              R"({"start_time":"2026-01-02T03:04:05.678Z","method":"POST",)"
              R"("request.path":"/chat/1.0/chat/completions","response_code":401,)"
              R"("duration_ms":1.500,"overhead_us":1500,"bytes_received":10,"bytes_sent":20,)"
              R"("host":"llm.example.com","client_address":"192.0.2.7","stream":false,)"
              R"("request_id":"r-1","attempts":0,"error.code":"invalid_token",)"
              R"("error.reason":"unknown kid"})"
              "\n");
}

TEST(AccessLog, TextOfAServedRequest) {
    EXPECT_EQ(Sink(AccessLogFormat::text).one(served()),
              "2026-01-02T03:04:05.678Z \"POST\" \"/chat/1.0/chat/completions\" 200 1250.000ms "
              "gpt-4o@a 192.0.2.7 r-1\n");
}

TEST(AccessLog, TextOfARefusedRequest) {
    EXPECT_EQ(Sink(AccessLogFormat::text).one(refused()),
              "2026-01-02T03:04:05.678Z \"POST\" \"/chat/1.0/chat/completions\" 401 1.500ms -@- "
              "192.0.2.7 invalid_token \"unknown kid\" r-1\n");
}

TEST(AccessLog, WhatAClientWritesStaysOneLine) {
    struct Row {
        const char* name;
        std::string value;
    };
    const Row rows[] = {
        {"a line break", "a\nb"},
        {"a carriage return", "a\rb"},
        {"quotes", "a\"b\\c"},
        {"an escape sequence", "\x1b[31mred"},
        {"a zero", std::string("a\0b", 3)},
        {"not UTF-8", "\xff\xfe\xc3"},
        {"a forged line", "/\"}\n{\"request.path\":\"/forged"},
    };
    for (const Row& row : rows) {
        AccessLine line = served();
        line.method = line.path = line.user_agent = line.client_request_id = row.value;
        line.original_model = line.retry_count = line.host = row.value;
        line.subject = line.consumer = line.upstream_request_id = row.value;
        for (const auto format : {AccessLogFormat::json, AccessLogFormat::text}) {
            const std::string text = Sink(format).one(line);
            ASSERT_FALSE(text.empty()) << row.name;
            EXPECT_EQ(text.find('\n'), text.size() - 1) << row.name;
            EXPECT_EQ(text.find_first_of(std::string_view("\r\x1b\0", 3)), text.npos) << row.name;
            if (format == AccessLogFormat::text) continue;
            const auto document = wire::JsonDocument::parse(text);
            ASSERT_TRUE(document.has_value()) << row.name << text;
            EXPECT_EQ(document->root().find("request.path")->string()->substr(0, 1),
                      row.value[0] == '\xff' ? "\xef" : row.value.substr(0, 1))
                << row.name;
        }
    }
}

TEST(AccessLog, LongValuesAreClipped) {
    // Clipped in the middle of a character, which must not break the line.
    for (const std::string unit : {"x", "\u00e9", "\U0001f600"}) {
        std::string value = "/";
        while (value.size() < 100'000) value += unit;
        AccessLine line = served();
        line.path = line.user_agent = line.original_model = line.method = value;
        line.host = line.subject = line.consumer = line.upstream_request_id = value;
        const std::string text = Sink(AccessLogFormat::json).one(line);
        EXPECT_LT(text.size(), 16'384U);
        const auto document = wire::JsonDocument::parse(text);
        ASSERT_TRUE(document.has_value()) << unit;
        const std::string agent(*document->root().find("user-agent")->string());
        EXPECT_THAT(agent, StartsWith("/" + unit));
        EXPECT_LT(Sink(AccessLogFormat::text).one(line).size(), 16'384U);
    }
}

TEST(AccessLog, LinesWaitUntilTheyAreFlushed) {
    Sink sink(AccessLogFormat::text);
    sink.log().write(refused());
    sink.log().write(served());
    EXPECT_EQ(sink.text(), "");
    sink.log().flush();
    const std::string text = sink.text();
    EXPECT_THAT(text, HasSubstr(" 401 "));
    EXPECT_LT(text.find(" 401 "), text.find(" 200 ")) << "in order";
    sink.log().flush();
    EXPECT_EQ(sink.text(), text) << "nothing twice";
}

TEST(AccessLog, AFullBufferIsHandedOver) {
    Sink sink(AccessLogFormat::json, 1000);
    int lines = 0;
    while (sink.text().empty() && lines < 100) {
        sink.log().write(served());
        ++lines;
    }
    EXPECT_GE(lines, 2);
    EXPECT_LE(lines, 4);
    for (int i = 0; i < 1000; ++i) sink.log().write(served());
    sink.log().flush();
    const std::string text = sink.text();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), lines + 1000);
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        ASSERT_THAT(line, testing::AllOf(StartsWith("{\"start_time\""), testing::EndsWith("}")));
    }
}

TEST(AccessLog, OffWritesNothing) {
    EXPECT_EQ(Sink(AccessLogFormat::off).one(served()), "");
    AccessLog without(nullptr, AccessLogFormat::json, 1000);
    without.write(served());
    without.flush();
}

}  // namespace
}  // namespace rotary::proxy
