#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

using namespace std::string_literals;

constexpr std::string_view kHost = "Host: api.test\r\n";

// Memory of exactly that size, so that AddressSanitizer sees a single byte read past its end.
std::vector<char> exact(std::string_view bytes) { return {bytes.begin(), bytes.end()}; }

std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

std::size_t end_at_once(std::string_view bytes) {
    const auto copy = exact(bytes);
    return HeadEnd{}.find(view(copy));
}

std::size_t end_byte_by_byte(std::string_view bytes) {
    HeadEnd end;
    constexpr std::size_t kCopied = 1024;  // a large head is not worth that many copies
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
        const auto copy = exact(size < kCopied ? bytes.substr(0, size) : "");
        if (const auto found = end.find(size < kCopied ? view(copy) : bytes.substr(0, size))) {
            return found;
        }
    }
    return 0;
}

struct Request {
    std::vector<char> bytes;
    RequestHead head;
    FaultKind fault = FaultKind::none;
};

Request read_request(std::string_view bytes, const HeadLimits& limits = {}) {
    Request request;
    request.bytes = exact(bytes);
    const auto result = parse_request_head(view(request.bytes), limits, request.head);
    if (result.has_error()) {
        request.fault = result.error().kind;
        EXPECT_EQ(result.error().origin, Origin::client);
    }
    return request;
}

// A GET with `lines` after its Host.
std::string with(std::string_view lines) {
    return "GET /v1/models HTTP/1.1\r\n" + std::string(kHost) + std::string(lines) + "\r\n";
}

// A request line and nothing else of note.
std::string line(std::string_view request_line) {
    return std::string(request_line) + "\r\n" + std::string(kHost) + "\r\n";
}

std::string host(std::string_view value) {
    return "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n";
}

struct Refused {
    const char* name;
    std::string bytes;
    FaultKind fault = FaultKind::bad_request;
};

void expect_refused(const Refused& row) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(read_request(row.bytes).fault, row.fault);
    const std::size_t end = end_at_once(row.bytes);
    EXPECT_EQ(end_byte_by_byte(row.bytes), end);
    if (end != 0) {
        EXPECT_EQ(read_request(row.bytes.substr(0, end)).fault, row.fault);
    }
}

TEST(Http1Request, RefusesMalformedLines) {
    const Refused rows[] = {
        {"nothing", ""},
        {"empty line only", "\r\n"},
        {"two empty lines", "\r\n\r\n"},
        {"two empty lines first", "\r\n\r\n" + line("GET / HTTP/1.1")},
        {"no empty line", "GET / HTTP/1.1\r\nHost: a\r\n"},
        {"bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"},
        {"bare LF first", "\n" + line("GET / HTTP/1.1")},
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"},
        {"bare LF empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        {"bare LF in a value", with("X: a\nb\r\n")},
        {"bare CR in a value", with("X: a\rb\r\n")},
        {"bare CR ends a field", "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n"},
        {"bare CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"},
        {"CR CR LF", with("X: a\r\r\n")},
        {"CR where a field begins", with("\rX: a\r\n")},
        {"NUL in a value", with("X: a\0b\r\n"s)},
        {"NUL in a name", with("X\0: a\r\n"s)},
        {"NUL in the target", line("GET /\0 HTTP/1.1"s)},
        {"control in a value", with("X: a\x01\r\n")},
        {"DEL in a value", with("X: a\x7f\r\n")},
        {"control far into a value", with("X: " + std::string(40, 'a') + "\x0b" + "b\r\n")},
        {"obs-fold by space", with("X: a\r\n b\r\n")},
        {"obs-fold by tab", with("X: a\r\n\tb\r\n")},
        {"obs-fold of Transfer-Encoding", with("Transfer-Encoding:\r\n chunked\r\n")},
        {"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        {"space before colon", with("X : a\r\n")},
        {"tab before colon", with("X\t: a\r\n")},
        {"space before colon of Transfer-Encoding", with("Transfer-Encoding : chunked\r\n")},
        {"empty name", with(": a\r\n")},
        {"no colon", with("Xa\r\n")},
        {"name with a slash", with("X/Y: a\r\n")},
        {"name with obs-text", with("X\xff: a\r\n")},
        {"name with quotes", with("\"X\": a\r\n")},
        {"empty method", line(" / HTTP/1.1")},
        {"method with a slash", line("GE/T / HTTP/1.1")},
        {"method with a colon", line("GET: / HTTP/1.1")},
        {"method with obs-text", line("G\x80T / HTTP/1.1")},
        {"no version", line("GET /")},
        {"version 0.9", line("GET / HTTP/0.9")},
        {"version 1.2", line("GET / HTTP/1.2")},
        {"version 2.0", line("GET / HTTP/2.0")},
        {"version 1.10", line("GET / HTTP/1.10")},
        {"version 01.1", line("GET / HTTP/01.1")},
        {"lower-case version", line("GET / http/1.1")},
        {"version cut", line("GET / HTTP/1.")},
        {"space after the version", line("GET / HTTP/1.1 ")},
        {"two spaces before the target", line("GET  / HTTP/1.1")},
        {"two spaces after the target", line("GET /  HTTP/1.1")},
        {"tab between", line("GET\t/ HTTP/1.1")},
        {"space first", line(" GET / HTTP/1.1")},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"TLS record", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n"s},
    };
    for (const Refused& row : rows) expect_refused(row);
    // More than one head is the caller's mistake, and no harm.
    EXPECT_EQ(read_request(line("GET / HTTP/1.1") + "\r\n\r\n").fault, FaultKind::bad_request);
}

TEST(Http1Request, RefusesTargetsThatAreNoPath) {
    const Refused rows[] = {
        {"asterisk of another method", line("GET * HTTP/1.1")},
        {"asterisk with more", line("OPTIONS *? HTTP/1.1")},
        {"absolute, another scheme", line("GET ftp://api.test/v1 HTTP/1.1")},
        {"absolute without an authority", line("GET http:///v1 HTTP/1.1")},
        {"absolute with a user", line("GET http://user@api.test/v1 HTTP/1.1")},
        {"absolute with an empty port", line("GET http://api.test:/v1 HTTP/1.1")},
        {"absolute of CONNECT", line("CONNECT http://api.test/ HTTP/1.1")},
        {"authority", line("CONNECT api.test:443 HTTP/1.1")},
        {"CONNECT with a path", line("CONNECT /v1 HTTP/1.1")},
        {"exclamation mark", line("GET ! HTTP/1.1")},
        {"fragment", line("GET /#x HTTP/1.1")},
        {"fragment after a query", line("GET /?a#x HTTP/1.1")},
        {"obs-text", line("GET /\x80 HTTP/1.1")},
        {"control", line("GET /\x1f HTTP/1.1")},
        {"DEL", line("GET /\x7f HTTP/1.1")},
        {"space inside", line("GET /a b HTTP/1.1")},
        {"query without a path", line("GET ?a HTTP/1.1")},
    };
    for (const Refused& row : rows) expect_refused(row);
}

TEST(Http1Request, RefusesAmbiguousHosts) {
    const Refused rows[] = {
        {"missing", "GET / HTTP/1.1\r\nAccept: x\r\n\r\n"},
        {"no fields at all", "GET / HTTP/1.1\r\n\r\n"},
        {"twice", with("Host: api.test\r\n")},
        {"twice, other case", with("hOST: other.test\r\n")},
        {"twice on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"invalid on 1.0", "GET / HTTP/1.0\r\nHost: a@b\r\n\r\n"},
        {"empty", host("")},
        {"white space only", host(" \t ")},
        {"userinfo and path", host("a@b/c?d")},
        {"path", host("a/b")},
        {"list", host("a, b")},
        {"space inside", host("a b")},
        {"obs-text", host("a\xc3\xa4")},
        {"port only", host(":443")},
        {"empty port", host("a:")},
        {"port with letters", host("a:44x")},
        {"port with a sign", host("a:+443")},
        {"port too large", host("a:65536")},
        {"port of six digits", host("a:000443")},
        {"two ports", host("a:1:2")},
        {"percent cut", host("a%2")},
        {"percent without hex", host("a%zz")},
        {"bare IPv6", host("::1")},
        {"open bracket", host("[::1")},
        {"empty brackets", host("[]")},
        {"brackets around a name", host("[api.test]")},
        {"IPv6 zone", host("[fe80::1%25eth0]")},
        {"IPv6 and more", host("[::1]x")},
        {"IPv6 with an empty port", host("[::1]:")},
    };
    for (const Refused& row : rows) expect_refused(row);
}

TEST(Http1Request, RefusesAmbiguousFraming) {
    const std::string huge(400, '9');
    const Refused rows[] = {
        {"length and chunked", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
        {"chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
        {"length and garbled", with("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n")},
        {"identity and length", with("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")},
        {"identity", with("Transfer-Encoding: identity\r\n")},
        {"xchunked", with("Transfer-Encoding: xchunked\r\n")},
        {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n")},
        {"chunked, gzip", with("Transfer-Encoding: chunked, gzip\r\n")},
        {"chunked, chunked", with("Transfer-Encoding: chunked, chunked\r\n")},
        {"chunked with a parameter", with("Transfer-Encoding: chunked;q=1\r\n")},
        {"comma first", with("Transfer-Encoding: ,chunked\r\n")},
        {"comma last", with("Transfer-Encoding: chunked,\r\n")},
        {"cow, chunked", with("Transfer-Encoding: cow, chunked\r\n")},
        {"obs-text after", with("Transfer-Encoding: chunked\xff\r\n")},
        {"obs-text before", with("Transfer-Encoding: \xa0"
                                 "chunked\r\n")},
        {"vertical tab", with("Transfer-Encoding: \x0b"
                              "chunked\r\n")},
        {"tab before", with("Transfer-Encoding:\tchunked\r\n")},
        {"tab after", with("Transfer-Encoding: chunked\t\r\n")},
        {"quoted", with("Transfer-Encoding: \"chunked\"\r\n")},
        {"empty coding", with("Transfer-Encoding:\r\n")},
        {"two fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        {"second field differs", with("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n")},
        {"chunked on 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"leading zeros", with("Content-Length: 005\r\n")},
        {"two zeros", with("Content-Length: 00\r\n")},
        {"list", with("Content-Length: 5,5\r\n")},
        {"list with a space", with("Content-Length: 5, 5\r\n")},
        {"repeated", with("Content-Length: 5\r\nContent-Length: 5\r\n")},
        {"repeated, differing", with("Content-Length: 5\r\ncontent-length: 6\r\n")},
        {"plus", with("Content-Length: +5\r\n")},
        {"minus", with("Content-Length: -5\r\n")},
        {"hex", with("Content-Length: 0x5\r\n")},
        {"fraction", with("Content-Length: 5.0\r\n")},
        {"space inside", with("Content-Length: 1 0\r\n")},
        {"empty length", with("Content-Length:\r\n")},
        {"tab before the length", with("Content-Length:\t5\r\n")},
        {"2^63", with("Content-Length: 9223372036854775808\r\n")},
        {"2^64", with("Content-Length: 18446744073709551616\r\n")},
        {"400 digits", with("Content-Length: " + huge + "\r\n")},
    };
    for (const Refused& row : rows) expect_refused(row);
}

TEST(Http1Request, RefusesOtherFieldsAndSizes) {
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "X: 1\r\n";
    const std::string target = "/" + std::string(8192, 'a');
    const Refused rows[] = {
        {"two Authorization", with("Authorization: Bearer a\r\nauthorization: Bearer b\r\n")},
        {"same Authorization twice", with("Authorization: Bearer a\r\n"
                                          "Authorization: Bearer a\r\n")},
        {"Connection with a parenthesis", with("Connection: cl(ose\r\n")},
        {"Connection with a space", with("Connection: close x\r\n")},
        {"Connection with obs-text", with("Connection: \xa0"
                                          "close\r\n")},
        {"other expectation", with("Expect: 200-ok\r\n")},
        {"two expectations", with("Expect: 100-continue, x\r\n")},
        {"1001 fields", with(many), FaultKind::headers_too_large},
        {"long target", line("GET " + target + " HTTP/1.1"), FaultKind::uri_too_long},
        {"long field", with("X: " + std::string(32768, 'a') + "\r\n"),
         FaultKind::headers_too_large},
        {"long target and fields", "GET " + target + " HTTP/1.1\r\n" + with(many),
         FaultKind::uri_too_long},
    };
    for (const Refused& row : rows) expect_refused(row);
}

TEST(Http1Request, LimitsAreExact) {
    const std::string bytes = line("GET /abc HTTP/1.1");
    EXPECT_EQ(read_request(bytes, {4, 1, bytes.size()}).fault, FaultKind::none);
    EXPECT_EQ(read_request(bytes, {3, 1, bytes.size()}).fault, FaultKind::uri_too_long);
    EXPECT_EQ(read_request(bytes, {4, 0, bytes.size()}).fault, FaultKind::headers_too_large);
    EXPECT_EQ(read_request(bytes, {4, 1, bytes.size() - 1}).fault, FaultKind::headers_too_large);

    std::string lines;
    for (std::size_t i = 1; i < kHeaderTableSize; ++i) lines += "X: 1\r\n";
    EXPECT_EQ(read_request(with(lines), {8192, 5000, 32768}).fault, FaultKind::none);
    EXPECT_EQ(read_request(with(lines + "X: 1\r\n"), {8192, 5000, 32768}).fault,
              FaultKind::headers_too_large);
}

struct Accepted {
    const char* name;
    std::string bytes;
    bool keep_alive = true;
    Framing framing = Framing::none;
    std::uint64_t length = 0;
    bool expect = false;
    std::uint8_t minor = 1;
};

TEST(Http1Request, AcceptsAndFrames) {
    const std::string post10 = "POST / HTTP/1.0\r\n";
    const Accepted rows[] = {
        {"no framing", with("")},
        {"one empty line first", "\r\n" + with("")},
        {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", false, Framing::none, 0, false, 0},
        {"1.0 kept alive", post10 + "Connection: Keep-Alive\r\n\r\n", true, Framing::none, 0, false,
         0},
        {"1.0 with a length", post10 + "Content-Length: 7\r\n\r\n", false, Framing::content_length,
         7, false, 0},
        {"1.0 ignores Expect", post10 + "Expect: 100-continue\r\n\r\n", false, Framing::none, 0,
         false, 0},
        {"close", with("Connection: close\r\n"), false},
        {"close in a list", with("Connection: x, ,\tCLOSE \r\n"), false},
        {"close wins", with("Connection: keep-alive\r\nConnection: close\r\n"), false},
        {"not close", with("Connection: closed\r\n")},
        {"upgrade goes unheeded", with("Connection: Upgrade\r\nUpgrade: h2c\r\n")},
        {"length", with("Content-Length: 5\r\n"), true, Framing::content_length, 5},
        {"length zero", with("Content-Length: 0\r\n"), true, Framing::content_length, 0},
        {"length in odd case", with("cONTENT-lENGTH:  5  \r\n"), true, Framing::content_length, 5},
        {"length 2^63-1", with("Content-Length: 9223372036854775807\r\n"), true,
         Framing::content_length, 9223372036854775807U},
        {"chunked", with("Transfer-Encoding: chunked\r\n"), true, Framing::chunked},
        {"chunked in odd case", with("tRANSFER-encoding:CHUNKED\r\n"), true, Framing::chunked},
        {"expectation", with("Expect: 100-Continue\r\nContent-Length: 1\r\n"), true,
         Framing::content_length, 1, true},
        {"obs-text in a value", with("X: caf\xc3\xa9 \x80\xff\r\n")},
        {"tab in a value", with("X: a\tb\r\n")},
        {"unknown method", "FOO~BAR / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"every tchar in a name", with("!#$%&'*+-.^_`|~09azAZ: x\r\n")},
    };
    for (const Accepted& row : rows) {
        SCOPED_TRACE(row.name);
        const Request request = read_request(row.bytes);
        ASSERT_EQ(request.fault, FaultKind::none);
        EXPECT_EQ(request.head.keep_alive, row.keep_alive);
        EXPECT_EQ(request.head.framing, row.framing);
        EXPECT_EQ(request.head.content_length, row.length);
        EXPECT_EQ(request.head.expect_continue, row.expect);
        EXPECT_EQ(request.head.minor_version, row.minor);
        EXPECT_EQ(end_at_once(row.bytes), row.bytes.size());
        EXPECT_EQ(end_byte_by_byte(row.bytes), row.bytes.size());
        EXPECT_EQ(end_at_once(row.bytes + "GET / HTTP/1.1\r\n\r\n"), row.bytes.size());
    }
}

TEST(Http1Request, ReadsHosts) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"api.test", "api.test"},
        {"API.test:9095", "API.test"},
        {"127.0.0.1:80", "127.0.0.1"},
        {"[::1]", "[::1]"},
        {"[2001:db8::1.2.3.4]:443", "[2001:db8::1.2.3.4]"},
        {"a%20b", "a%20b"},
        {"a_b.test:0", "a_b.test"},
        {"a:65535", "a"},
        {"  a \t", "a"},
    };
    for (const auto& [value, wanted] : rows) {
        SCOPED_TRACE(value);
        const Request request = read_request(host(value));
        ASSERT_EQ(request.fault, FaultKind::none);
        EXPECT_EQ(request.head.host, wanted);
    }
}

TEST(Http1Request, ReadsLineAndFields) {
    const std::string bytes =
        "\r\nPOST /v1/chat?a=b?c&d=%20 HTTP/1.1\r\nHost:h\r\nAccept: \t a b \t\r\nX-Empty:\r\n"
        "Accept: second\r\n\r\n";
    const Request request = read_request(bytes);
    ASSERT_EQ(request.fault, FaultKind::none);
    const RequestHead& head = request.head;
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/v1/chat?a=b?c&d=%20");
    EXPECT_EQ(head.path, "/v1/chat");
    EXPECT_EQ(head.query, "a=b?c&d=%20");
    ASSERT_EQ(head.headers.size(), 4U);
    EXPECT_EQ(head.headers.find("ACCEPT")->value, "a b");
    EXPECT_EQ(head.headers.count("accept"), 2U);
    EXPECT_EQ(head.headers.find("x-empty")->value, "");
    EXPECT_EQ(head.headers.find("x-none"), nullptr);
}

// RFC 9112 section 3.2: in absolute-form the target says where, whatever Host says.
TEST(Http1Request, ReadsTheFormsOfATarget) {
    struct Row {
        const char* line;
        const char* path;
        const char* query;
        const char* host;
        const char* port;
    };
    const Row rows[] = {
        {"GET /v1?a HTTP/1.1", "/v1", "a", "api.test", ""},
        {"GET http://other.test/v1?a=b HTTP/1.1", "/v1", "a=b", "other.test", ""},
        {"GET HTTPS://Other.test:9095/ HTTP/1.1", "/", "", "Other.test", "9095"},
        {"GET http://[::1]:80 HTTP/1.1", "/", "", "[::1]", "80"},
        {"GET http://other.test?a=/ HTTP/1.1", "/", "a=/", "other.test", ""},
        {"OPTIONS * HTTP/1.1", "*", "", "api.test", ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.line);
        const Request request = read_request(line(row.line));
        ASSERT_EQ(request.fault, FaultKind::none);
        EXPECT_EQ(request.head.path, row.path);
        EXPECT_EQ(request.head.query, row.query);
        EXPECT_EQ(request.head.host, row.host);
        EXPECT_EQ(request.head.port, row.port);
    }
    EXPECT_EQ(read_request("GET http://a.test/ HTTP/1.1\r\nHost: a b\r\n\r\n").fault,
              FaultKind::bad_request);
    EXPECT_EQ(read_request("GET http://a.test/ HTTP/1.1\r\n\r\n").fault, FaultKind::bad_request);
}

// "user_" and "x-user" are one name to CGI and its kin, and so are the fields that frame a
// message.
TEST(Http1Request, NamesWithUnderscoresAreDropped) {
    const Request request =
        read_request(with("X-User: a\r\nX_User: b\r\nContent_Length: 5\r\nTransfer_Encoding: x\r\n"
                          "Content_Type: text/plain\r\n_: c\r\nX-End: d\r\n"));
    ASSERT_EQ(request.fault, FaultKind::none);
    EXPECT_EQ(request.head.headers.size(), 3U) << "Host, X-User, X-End";
    EXPECT_EQ(request.head.headers.find("user_"), nullptr);
    EXPECT_EQ(request.head.headers.find("x-user")->value, "a");
    EXPECT_EQ(request.head.framing, Framing::none);
    EXPECT_EQ(read_request(with("X_A: \x01\r\n")).fault, FaultKind::bad_request) << "still read";
    EXPECT_EQ(read_request(with("X_A: 1\r\nX_B: 1\r\n"), {8192, 2, 32768}).fault,
              FaultKind::headers_too_large)
        << "still counted";
}

// Sixteen bytes of a name are looked at at once: whatever is special is seen at every place of it.
TEST(Http1Request, ReadsNamesOfEveryLength) {
    for (std::size_t size = 1; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            const auto named = [&](char c) {
                std::string name(size, 'n');
                name[at] = c;
                return read_request(with(name + ": v\r\n"));
            };
            for (const char c : std::string_view("Zz09-!~^")) {
                const Request request = named(c);
                ASSERT_EQ(request.fault, FaultKind::none) << size << ' ' << at << c;
                ASSERT_EQ(request.head.headers.size(), 2U);
                EXPECT_EQ((request.head.headers.begin() + 1)->name.size(), size);
            }
            EXPECT_EQ(named('_').head.headers.size(), 1U) << "dropped";
            for (const char c : std::string_view(" @[{/(\x7f\x80\xff\r\n\0", 12)) {
                EXPECT_NE(named(c).fault, FaultKind::none) << size << ' ' << at << ' ' << int{c};
            }
        }
    }
}

// A head that was used before must leave nothing behind.
TEST(Http1Request, ForgetsTheLastHead) {
    RequestHead head;
    ASSERT_TRUE(parse_request_head(with("Content-Length: 5\r\nConnection: x-a, close\r\n"
                                        "Expect: 100-continue\r\n"),
                                   {}, head));
    EXPECT_TRUE(head.headers.names_hops());
    const std::string next = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    ASSERT_TRUE(parse_request_head(next, {}, head));
    EXPECT_EQ(head.framing, Framing::none);
    EXPECT_EQ(head.content_length, 0U);
    EXPECT_FALSE(head.expect_continue);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_TRUE(head.host.empty());
    EXPECT_EQ(head.headers.size(), 1U);
    EXPECT_FALSE(head.headers.names_hops());
}

}  // namespace
}  // namespace rotary::wire
