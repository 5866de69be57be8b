#include <rotary/wire/http1_writer.hpp>

#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <string>

namespace rotary::wire {
namespace {

using namespace std::string_view_literals;

TEST(HeadWriter, WritesARequest) {
    std::array<char, 256> memory{};
    HeadWriter writer(memory.data(), memory.size());
    writer.request_line("POST", "/v1/chat?a=b");
    writer.header("Host", "api.test");
    writer.line("content-length: ", std::numeric_limits<std::uint64_t>::max());
    writer.line("x-id: ", "1-2");
    writer.line(Header{"X-Read", "as it came"});
    writer.append("api-key: k\r\n");
    writer.header("X-Empty", "");
    writer.finish();
    EXPECT_TRUE(writer.ok());
    EXPECT_EQ(writer.view(),
              "POST /v1/chat?a=b HTTP/1.1\r\nHost: api.test\r\n"
              "content-length: 18446744073709551615\r\nx-id: 1-2\r\nX-Read: as it came\r\n"
              "api-key: k\r\nX-Empty: \r\n\r\n");
    EXPECT_EQ(writer.size(), writer.view().size());
}

TEST(HeadWriter, WritesAResponseThatReadsBack) {
    std::array<char, 128> memory{};
    HeadWriter writer(memory.data(), memory.size());
    writer.status_line(429, reason_phrase(429));
    writer.line("content-length: ", std::uint64_t{0});
    writer.finish();
    ASSERT_TRUE(writer.ok());
    EXPECT_EQ(writer.view(), "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n");
    ResponseHead head;
    ASSERT_TRUE(parse_response_head(writer.view(), {}, false, head));
    EXPECT_EQ(head.status, 429);
    EXPECT_EQ(head.reason, "Too Many Requests");

    HeadWriter bare(memory.data(), memory.size());
    bare.status_line(599, "");
    EXPECT_EQ(bare.view(), "HTTP/1.1 599 \r\n");
}

struct Injection {
    const char* name;
    std::function<void(HeadWriter&)> write;
};

TEST(HeadWriter, RefusesWhatCouldBeReadAsTwoLines) {
    const Injection rows[] = {
        {"CRLF in a value", [](HeadWriter& w) { w.header("Host", "h\r\nEvil: 1"); }},
        {"LF in a value", [](HeadWriter& w) { w.header("X", "a\nb"); }},
        {"CR in a value", [](HeadWriter& w) { w.header("X", "a\rb"); }},
        {"NUL in a value", [](HeadWriter& w) { w.header("X", "a\0b"sv); }},
        {"DEL in a value", [](HeadWriter& w) { w.header("X", "\x7f"); }},
        {"CR behind sixteen bytes", [](HeadWriter& w) { w.header("X", "0123456789abcdef0\r"); }},
        {"CRLF behind a name of ours", [](HeadWriter& w) { w.line("x: ", "a\r\nEvil: 1"); }},
        {"empty name", [](HeadWriter& w) { w.header("", "a"); }},
        {"colon in a name", [](HeadWriter& w) { w.header("X:", "a"); }},
        {"space in a name", [](HeadWriter& w) { w.header("X Y", "a"); }},
        {"CRLF in a name", [](HeadWriter& w) { w.header("X\r\nY", "a"); }},
        {"obs-text in a name", [](HeadWriter& w) { w.header("X\xff", "a"); }},
        {"CRLF in a reason", [](HeadWriter& w) { w.status_line(200, "OK\r\nEvil: 1"); }},
        {"status 99", [](HeadWriter& w) { w.status_line(99, "x"); }},
        {"status 1000", [](HeadWriter& w) { w.status_line(1000, "x"); }},
        {"space in a target", [](HeadWriter& w) { w.request_line("GET", "/a HTTP/1.1"); }},
        {"CRLF in a target", [](HeadWriter& w) { w.request_line("GET", "/\r\nX: 1"); }},
        {"fragment in a target", [](HeadWriter& w) { w.request_line("GET", "/a#b"); }},
        {"obs-text in a target", [](HeadWriter& w) { w.request_line("GET", "/\x80"); }},
        {"target without a slash", [](HeadWriter& w) { w.request_line("GET", "a"); }},
        {"empty target", [](HeadWriter& w) { w.request_line("GET", ""); }},
        {"space in a method", [](HeadWriter& w) { w.request_line("GET /x", "/"); }},
        {"empty method", [](HeadWriter& w) { w.request_line("", "/"); }},
    };
    for (const Injection& row : rows) {
        SCOPED_TRACE(row.name);
        std::array<char, 128> memory{};
        HeadWriter writer(memory.data(), memory.size());
        row.write(writer);
        EXPECT_FALSE(writer.ok());
        EXPECT_EQ(writer.size(), 0U);
        writer.header("A", "b");
        writer.finish();
        EXPECT_FALSE(writer.ok()) << "one refusal spoils the head";
        EXPECT_EQ(writer.size(), 0U);
    }
}

TEST(HeadWriter, StaysInsideItsMemory) {
    const std::string_view whole = "HTTP/1.1 200 OK\r\nA: bc\r\nn: 1234\r\n\r\n";
    for (std::size_t capacity = 0; capacity <= whole.size(); ++capacity) {
        std::array<char, 64> memory;
        memory.fill('#');
        HeadWriter writer(memory.data(), capacity);
        writer.status_line(200, "OK");
        writer.header("A", "bc");
        writer.line("n: ", std::uint64_t{1234});
        writer.finish();
        EXPECT_EQ(writer.ok(), capacity == whole.size()) << capacity;
        EXPECT_EQ(writer.view(), whole.substr(0, writer.size()));
        EXPECT_EQ(memory[capacity], '#');
    }
}

TEST(HeadFields, Tokens) {
    EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
    for (const char c : "\"(),/:;<=>?@[\\]{} \t\r\n\x7f\x80\xff"sv) {
        EXPECT_FALSE(is_token(std::string_view(&c, 1))) << static_cast<int>(c);
    }
    EXPECT_FALSE(is_token(""));
}

TEST(HeadFields, EveryByteOfAValueAtEveryPlace) {
    for (int c = 0; c < 256; ++c) {
        const bool fine = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (std::size_t place = 0; place < 37; ++place) {
            std::string value(37, 'a');
            value[place] = static_cast<char>(c);
            ASSERT_EQ(is_field_value(value), fine) << c << " at " << place;
        }
    }
    EXPECT_TRUE(is_field_value(""));
}

TEST(HeadFields, HopByHop) {
    HeaderTable plain;
    plain.push({"Connection", "keep-alive"});
    for (const auto* name :
         {"Connection", "keep-alive", "Proxy-Connection", "TE", "trailer", "Transfer-Encoding",
          "UPGRADE", "proxy-authenticate", "proxy-authorization"}) {
        EXPECT_TRUE(is_hop_by_hop(name, plain)) << name;
    }
    for (const auto* name : {"content-type", "x-trace", "accept", "t", "upgraded", ""}) {
        EXPECT_FALSE(is_hop_by_hop(name, plain)) << name;
    }
    HeaderTable naming;
    naming.push({"Accept", "x-not"});
    naming.push({"connection", "close"});
    naming.push({"CONNECTION", "Keep-Alive, X-Trace ,,\tx-Other"});
    EXPECT_TRUE(is_hop_by_hop("x-trace", naming));
    EXPECT_TRUE(is_hop_by_hop("X-OTHER", naming));
    EXPECT_FALSE(is_hop_by_hop("x-not", naming));
    EXPECT_FALSE(is_hop_by_hop("x-trac", naming));
    naming.clear();
    EXPECT_FALSE(is_hop_by_hop("x-trace", naming));
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
}

// Every letter of a name matters: the same name with one changed is somebody else's.
void expect_only(const std::function<bool(std::string_view)>& withheld, std::string_view name) {
    EXPECT_TRUE(withheld(name)) << name;
    EXPECT_TRUE(withheld(upper(name))) << name;
    EXPECT_FALSE(withheld(std::string(name) + "z")) << name;
    EXPECT_FALSE(withheld("z" + std::string(name))) << name;
}

TEST(HeadFields, WithheldFromClient) {
    for (const auto* name : {"set-cookie", "server", "alt-svc", "openai-organization",
                             "openai-project", "openai-project-id"}) {
        expect_only(is_withheld_from_client, name);
    }
    EXPECT_TRUE(is_withheld_from_client("X-Envoy-Upstream-Service-Time"));
    for (const auto* name :
         {"content-type", "x-request-id", "openai-processing-ms", "openai-version", "retry-after",
          "x-ratelimit-remaining-tokens", "strict-transport-security", "cf-ray", "x-envo", ""}) {
        EXPECT_FALSE(is_withheld_from_client(name)) << name;
    }
}

}  // namespace
}  // namespace rotary::wire
