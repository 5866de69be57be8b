#include <rotary/base/text.hpp>
#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

// Beast's parser as a second opinion: it takes more than we do, but what we take it must take too,
// and read the same out of it. Two parsers that differ are how requests are smuggled.
namespace rotary::wire {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Fields = std::vector<std::pair<std::string, std::string>>;

// Beast keeps lines of one name together: only their order among themselves is compared.
Fields grouped(Fields fields) {
    std::ranges::stable_sort(
        fields, [](const auto& a, const auto& b) { return beast::iless{}(a.first, b.first); });
    return fields;
}

Fields fields_of(const http::fields& fields) {
    Fields out;
    for (const auto& field : fields) {
        out.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    return grouped(std::move(out));
}

Fields fields_of(const HeaderTable& table) {
    Fields out;
    for (const Header& header : table) out.emplace_back(header.name, header.value);
    return grouped(std::move(out));
}

template <bool isRequest>
std::unique_ptr<http::parser<isRequest, http::empty_body>> beast_reads(std::string_view bytes) {
    auto parser = std::make_unique<http::parser<isRequest, http::empty_body>>();
    parser->header_limit(1U << 20U);
    parser->body_limit(boost::none);
    beast::error_code error;
    const auto used = parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error || used != bytes.size() || !parser->is_header_done()) parser.reset();
    return parser;
}

// Returns whether we accepted it.
bool compare_request(std::string_view bytes) {
    static RequestHead head;
    if (!parse_request_head(bytes, {}, head)) return false;
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // RFC 9112 section 2.2; not in Beast
    const auto theirs = beast_reads<true>(bytes);
    EXPECT_TRUE(theirs) << "only we accept: " << testing::PrintToString(bytes);
    if (!theirs) return true;
    const auto& message = theirs->get();
    EXPECT_EQ(std::string(message.method_string()), head.method);
    EXPECT_EQ(std::string(message.target()), head.target);
    EXPECT_EQ(message.version(), 10U + head.minor_version);
    EXPECT_EQ(fields_of(message.base()), fields_of(head.headers));
    EXPECT_EQ(theirs->chunked(), head.framing == Framing::chunked);
    const auto length = theirs->content_length();
    EXPECT_EQ(length.has_value(), head.framing == Framing::content_length);
    if (length) {
        EXPECT_EQ(*length, head.content_length);
    }
    // Of both "close" and "keep-alive" on HTTP/1.0 Beast takes the latter, RFC 9112 the former.
    EXPECT_TRUE(message.keep_alive() || !head.keep_alive);
    return true;
}

bool compare_response(std::string_view bytes) {
    static ResponseHead head;
    if (!parse_response_head(bytes, {}, false, head)) return false;
    // Beast wants the space before a reason phrase that is missing, and we don't.
    if (bytes.substr(12, 1) == "\r") return true;
    const auto theirs = beast_reads<false>(bytes);
    EXPECT_TRUE(theirs) << "only we accept: " << testing::PrintToString(bytes);
    if (!theirs) return true;
    const auto& message = theirs->get();
    EXPECT_EQ(message.result_int(), head.status);
    if (!head.reason.empty()) {  // Beast makes one up
        EXPECT_EQ(std::string(message.reason()), head.reason);
    }
    auto fields = fields_of(message.base());
    if (head.status < 200 || head.status == 204) {  // of these we leave the length out
        std::erase_if(
            fields, [](const auto& field) { return text::iequals(field.first, "content-length"); });
    }
    EXPECT_EQ(fields, fields_of(head.headers));
    return true;
}

const std::string kRequests[] = {
    "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /v1/chat?x=1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\nAccept: */*\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n",
    "PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n",
    "PATCH / HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\nAuthorization: Bearer a.b\r\n\r\n",
};
const std::string kResponses[] = {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.0 200 OK\r\nServer: x y\r\n\r\n",
    "HTTP/1.1 204 \r\n\r\n",
};
// What smuggling is made of, put in anywhere.
const std::string kPieces[] = {
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "\x0b",
    "\x0c",
    "\x7f",
    "\x80",
    "\xff",
    std::string(1, '\0'),
    "\r\n ",
    "\r\n\t",
    "0",
    "+",
    "-",
    "#",
    "/",
    "@",
    "[",
    "]",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Content-Length: 5\r\n",
    "Content-Length : 5\r\n",
    "Host: b\r\n",
    "chunked",
    "chunked, ",
    "HTTP/1.1",
    "http://b/",
    "Connection: close\r\n",
    "\"",
    "\\",
    "(",
    ")",
};

template <class Compare>
std::pair<int, int> run(const std::vector<std::string>& corpus, Compare compare) {
    int accepted = 0;
    int refused = 0;
    for (const std::string& bytes : corpus) {
        ++(compare(bytes) ? accepted : refused);
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << testing::PrintToString(bytes);
            return {accepted, refused};
        }
    }
    return {accepted, refused};
}

// Every piece at every place, every byte left out, and a fixed walk of several changes at once.
std::vector<std::string> mutations(const std::string& seed) {
    std::vector<std::string> corpus{seed};
    for (std::size_t at = 0; at <= seed.size(); ++at) {
        for (const std::string& piece : kPieces) {
            corpus.push_back(seed.substr(0, at) + piece + seed.substr(at));
            if (at < seed.size()) {
                corpus.push_back(seed.substr(0, at) + piece + seed.substr(at + 1));
            }
        }
        if (at < seed.size()) corpus.push_back(seed.substr(0, at) + seed.substr(at + 1));
    }
    std::mt19937 random(7);
    for (int i = 0; i < 5000; ++i) {
        std::string bytes = seed;
        for (int change = 0; change < 3; ++change) {
            bytes.insert(random() % bytes.size(), kPieces[random() % std::size(kPieces)]);
        }
        corpus.push_back(bytes);
    }
    return corpus;
}

TEST(Http1AgainstBeast, RequestsReadTheSame) {
    for (const std::string& seed : kRequests) {
        SCOPED_TRACE(seed);
        const auto [accepted, refused] = run(mutations(seed), compare_request);
        EXPECT_GT(accepted, 100);
        EXPECT_GT(refused, 100);
    }
}

TEST(Http1AgainstBeast, ResponsesReadTheSame) {
    for (const std::string& seed : kResponses) {
        SCOPED_TRACE(seed);
        const auto [accepted, refused] = run(mutations(seed), compare_response);
        EXPECT_GT(accepted, 25);
        EXPECT_GT(refused, 100);
    }
}

}  // namespace
}  // namespace rotary::wire
