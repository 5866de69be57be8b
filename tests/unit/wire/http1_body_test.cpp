#include <rotary/wire/http1_reader.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

using namespace std::string_literals;

// What came out of a body that was fed in pieces.
struct Outcome {
    std::string payload;
    std::string raw;  // what a relay that leaves trailers out would pass on
    std::size_t consumed = 0;
    bool done = false;
    bool fault = false;
    bool operator==(const Outcome&) const = default;
};

class Feeder {
public:
    Feeder(Framing framing, std::uint64_t length) { reader_.begin(framing, length); }

    // Feeds one piece the way a caller does: what a step did not take is offered again.
    void feed(std::string_view piece) {
        const std::vector<char> copy(piece.begin(), piece.end());
        std::string_view rest(copy.data(), copy.size());
        while (!outcome_.fault) {
            const auto step = reader_.next(rest);
            if (step.has_error()) {
                outcome_.fault = true;
                EXPECT_EQ(step.error().kind, FaultKind::bad_request);
                EXPECT_TRUE(reader_.next(rest).has_error()) << "a fault stays";
                break;
            }
            EXPECT_LE(step->consumed, rest.size());
            EXPECT_LE(step->payload.size(), step->consumed);
            outcome_.payload += step->payload;
            if (!step->trailer) outcome_.raw += rest.substr(0, step->consumed);
            outcome_.consumed += step->consumed;
            if (step->consumed == 0) break;
            rest.remove_prefix(step->consumed);
        }
        outcome_.done = reader_.done();
    }
    const Outcome& outcome() const { return outcome_; }

private:
    BodyReader reader_;
    Outcome outcome_;
};

struct Row {
    const char* name;
    std::string bytes;
    std::string payload = {};
    std::string rest = {};  // what stands behind the body
};

Outcome whole(const std::string& bytes, Framing framing, std::uint64_t length = 0) {
    Feeder feeder(framing, length);
    feeder.feed(bytes);
    return feeder.outcome();
}

// Whatever the pieces, the outcome is the same.
void expect_same_at_every_split(const std::string& bytes, Framing framing,
                                std::uint64_t length = 0) {
    const Outcome expected = whole(bytes, framing, length);
    Feeder single(framing, length);
    for (const char& c : bytes) single.feed({&c, 1});
    EXPECT_EQ(single.outcome(), expected) << "byte by byte";
    for (std::size_t split = 1; split < bytes.size() && split < 600; ++split) {
        Feeder feeder(framing, length);
        feeder.feed(std::string_view(bytes).substr(0, split));
        feeder.feed(std::string_view(bytes).substr(split));
        ASSERT_EQ(feeder.outcome(), expected) << "split at " << split;
    }
}

std::string extension(std::size_t header_bytes) {
    return "5;" + std::string(header_bytes - 4, 'x') + "\r\nhello\r\n0\r\n\r\n";
}

// A trailer section of `bytes` bytes, its empty line included.
std::string trailers(std::size_t bytes) { return "T: " + std::string(bytes - 7, 'x') + "\r\n\r\n"; }

TEST(Http1Body, ReadsChunks) {
    const Row rows[] = {
        {"empty", "0\r\n\r\n", "", ""},
        {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", ""},
        {"two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
        {"hex in both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n",
         "01234567890123456789a", ""},
        {"sixteen digits", "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", ""},
        {"payload looks like framing", "9\r\n0\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "0\r\n\r\n0\r\n\r",
         ""},
        {"extension", "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello", ""},
        {"extension of the largest size", extension(256), "hello", ""},
        {"quoted extension", "5;a=\";\\\"\\\\ \t\";b\r\nhello\r\n0;c=\"\"\r\n\r\n", "hello", ""},
        {"trailers", "5\r\nhello\r\n0\r\nA: 1\r\nB:2\r\n\r\n", "hello", ""},
        {"credentials as a trailer", "0\r\nAuthorization: Bearer x\r\n\r\n", "", ""},
        {"trailers of the largest size", "0\r\n" + trailers(8192), "", ""},
        {"another request behind", "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "x",
         "GET / HTTP/1.1\r\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Outcome outcome = whole(row.bytes, Framing::chunked);
        EXPECT_FALSE(outcome.fault);
        EXPECT_TRUE(outcome.done);
        EXPECT_EQ(outcome.payload, row.payload);
        EXPECT_EQ(outcome.consumed, row.bytes.size() - row.rest.size());
        expect_same_at_every_split(row.bytes, Framing::chunked);
    }
}

TEST(Http1Body, RawPassesEverythingButTrailers) {
    EXPECT_EQ(whole("5;x\r\nhello\r\n0\r\nA: 1\r\nSet-Cookie: b\r\n\r\nNEXT", Framing::chunked).raw,
              "5;x\r\nhello\r\n0\r\n\r\n");
}

TEST(Http1Body, RefusesMalformedChunks) {
    const Row rows[] = {
        {"no size", "\r\nhello"},
        {"no size but an extension", ";a\r\n"},
        {"not hex", "g\r\n"},
        {"0x", "0x5\r\nhello\r\n"},
        {"sign", "+5\r\nhello\r\n"},
        {"minus", "-1\r\n"},
        {"space first", " 5\r\nhello\r\n"},
        {"space after the size", "5 \r\nhello\r\n"},
        {"space before the extension", "5 ;a\r\nhello\r\n"},
        {"underscore", "1_0\r\n"},
        {"seventeen digits", "00000000000000005\r\nhello\r\n"},
        {"2^63", "8000000000000000\r\n"},
        {"2^64-1", "ffffffffffffffff\r\n"},
        {"2^64+5", "10000000000000005\r\nhello\r\n"},
        {"bare LF after the size", "5\nhello\r\n0\r\n\r\n"},
        {"bare CR after the size", "5\rhello\r\n0\r\n\r\n"},
        {"bare LF in the extension", "5;a\nhello\r\n0\r\n\r\n"},
        {"bare CR in the extension", "5;a\rb\r\nhello\r\n"},
        {"NUL in the extension", "5;\0\r\nhello\r\n"s},
        {"extension too long", extension(257)},
        {"extension without a name", "5;\r\nhello\r\n0\r\n\r\n"},
        {"second extension without a name", "5;a;\r\nhello\r\n"},
        {"extension that is a value alone", "5;=b\r\nhello\r\n"},
        {"extension without the value it promises", "5;a=\r\nhello\r\n"},
        {"extension with an open quote", "5;a=\"b\r\nhello\r\n0\r\n\r\n"},
        {"extension with an escaped closing quote", "5;a=\"b\\\"\r\nhello\r\n"},
        {"text behind a quoted value", "5;a=\"b\"c\r\nhello\r\n"},
        {"quote within a token", "5;a=b\"c\"\r\nhello\r\n"},
        {"space before an extension's name", "5; a\r\nhello\r\n"},
        {"space within an extension", "5;a b\r\nhello\r\n"},
        {"control character in a quoted value", "5;a=\"\x01\"\r\nhello\r\n"},
        {"chunk too long", "5\r\nhello!\r\n0\r\n\r\n", "hello"},
        {"bare LF after the data", "5\r\nhello\n0\r\n\r\n", "hello"},
        {"bare CR after the data", "5\r\nhello\r0\r\n\r\n", "hello"},
        {"no CRLF after the data", "5\r\nhello0\r\n\r\n", "hello"},
        {"X after the last chunk", "0\r\nX", "", "incomplete"},
        {"bad byte after the last CR", "0\r\n\rX"},
        {"bare LF ends the body", "0\r\n\n"},
        {"trailer without a colon", "0\r\nabc\r\n\r\n"},
        {"trailer without a name", "0\r\n: x\r\n\r\n"},
        {"folded trailer", "0\r\nA: x\r\n y\r\n\r\n"},
        {"space before the colon of a trailer", "0\r\nA : x\r\n\r\n"},
        {"bare LF after a trailer", "0\r\nA: x\n\r\n"},
        {"bare CR after a trailer", "0\r\nA: x\rB: y\r\n\r\n"},
        {"NUL in a trailer", "0\r\nA: \0\r\n\r\n"s},
        {"trailers too large", "0\r\n" + trailers(8193)},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Outcome outcome = whole(row.bytes, Framing::chunked);
        EXPECT_EQ(outcome.fault, row.rest.empty());
        EXPECT_FALSE(outcome.done);
        EXPECT_EQ(outcome.payload, row.payload) << "what stood before the fault is handed out";
        expect_same_at_every_split(row.bytes, Framing::chunked);
    }
}

// Twenty megabytes of trailers, and of an extension, as Beast 1.81 would take them.
TEST(Http1Body, BoundsWhatItIsFedForEver) {
    for (const std::string_view begin : {"0\r\n", "5;"}) {
        Feeder feeder(Framing::chunked, 0);
        feeder.feed(begin);
        const std::string x(1019, 'x');
        const std::string line = begin == "5;" ? x : "A: " + x + "\r\n";
        for (int i = 0; i < 20000 && !feeder.outcome().fault; ++i) feeder.feed(line);
        EXPECT_TRUE(feeder.outcome().fault);
        EXPECT_LE(feeder.outcome().consumed, BodyReader::kTrailerBytes + begin.size());
    }
}

TEST(Http1Body, ChunkHeaderLimitIsTheCallers) {
    for (const std::size_t limit : {7U, 16U, 4096U}) {
        for (const std::size_t size : {limit, limit + 1}) {
            // "5;" and CRLF with an extension between them that fills the line.
            const std::string body = "5;" + std::string(size - 4, 'x') + "\r\nhello\r\n0\r\n\r\n";
            BodyReader reader;
            reader.begin(Framing::chunked, 0, limit);
            const auto piece = reader.next(body);
            const bool passes = piece.has_value() && piece->payload == "hello";
            EXPECT_EQ(passes, size == limit) << limit << ", " << size;
        }
    }
}

TEST(Http1Body, EveryPrefixWaits) {
    const std::string bytes = "5;x\r\nhello\r\n0\r\nA: 1\r\n\r\n";
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Outcome outcome = whole(bytes.substr(0, size), Framing::chunked);
        EXPECT_FALSE(outcome.done) << size;
        EXPECT_FALSE(outcome.fault) << size;
        EXPECT_EQ(outcome.consumed, size);
    }
}

// Framing around a chunk is taken along with it: one step for the usual event of a stream.
TEST(Http1Body, OneStepTakesAWholeChunk) {
    BodyReader reader;
    reader.begin(Framing::chunked, 0);
    const std::string_view bytes = "5\r\nhello\r\n3\r\nabc\r\n";
    const auto first = reader.next(bytes);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->payload, "hello");
    EXPECT_EQ(first->consumed, 13U);
    EXPECT_EQ(reader.remaining(), 3U);
    const auto second = reader.next(bytes.substr(first->consumed));
    ASSERT_TRUE(second);
    EXPECT_EQ(second->payload, "abc");
    EXPECT_EQ(second->consumed, 5U);
}

TEST(Http1Body, ReadsLengths) {
    const Outcome five = whole("helloGET /", Framing::content_length, 5);
    EXPECT_EQ(five.payload, "hello");
    EXPECT_EQ(five.consumed, 5U);
    EXPECT_TRUE(five.done);
    expect_same_at_every_split("helloGET /", Framing::content_length, 5);

    EXPECT_FALSE(whole("hell", Framing::content_length, 5).done);
    EXPECT_TRUE(whole("", Framing::content_length, 0).done);
    EXPECT_EQ(whole("x", Framing::content_length, 0).consumed, 0U);
    EXPECT_TRUE(whole("x", Framing::none).done);
    EXPECT_EQ(whole("x", Framing::none).consumed, 0U);
    EXPECT_EQ(whole(std::string(9, 'x'), Framing::content_length, 1ULL << 62U).payload.size(), 9U);
}

TEST(Http1Body, UntilCloseNeverEnds) {
    const Outcome outcome = whole("0\r\n\r\n", Framing::until_close);
    EXPECT_EQ(outcome.payload, "0\r\n\r\n");
    EXPECT_FALSE(outcome.done);
    expect_same_at_every_split("0\r\n\r\nabc", Framing::until_close);
}

TEST(Http1Body, BeginsAfresh) {
    BodyReader reader;
    EXPECT_TRUE(reader.done());
    reader.begin(Framing::chunked, 0);
    EXPECT_TRUE(reader.next("zz").has_error());
    reader.begin(Framing::chunked, 0);
    EXPECT_TRUE(reader.next("0\r\n\r\n").has_value());
    EXPECT_TRUE(reader.done());
    reader.begin(Framing::content_length, 2);
    EXPECT_EQ(reader.remaining(), 2U);
    EXPECT_EQ(reader.framing(), Framing::content_length);
}

}  // namespace
}  // namespace rotary::wire
