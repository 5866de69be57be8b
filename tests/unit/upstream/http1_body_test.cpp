// The body of a provider's answer, as it comes, is looked at and is taken.
#include "unit/upstream/one_try.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::upstream {
namespace {

const char* const kSized = "HTTP/1.1 200 OK\ncontent-length: 5\n";
const char* const kChunked = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n";
const char* const kUntilClose = "HTTP/1.1 200 OK\n";

TEST(Http1ProviderBody, TheBodyAtHandIsItsPayload) {
    struct Row {
        const char* name;
        const char* head;
        const char* bytes;
        const char* payload;
    };
    const char* const chunked = "HTTP/1.1 429 Slow\ntransfer-encoding: chunked\n";
    const Row rows[] = {
        {"none", "HTTP/1.1 204 None\n", "", ""},
        {"all of it", "HTTP/1.1 429 Slow\ncontent-length: 5\n", "hello", "hello"},
        {"part of it", "HTTP/1.1 429 Slow\ncontent-length: 9\n", "hello", "hello"},
        {"more than it", "HTTP/1.1 429 Slow\ncontent-length: 4\n", "hello", "hell"},
        {"chunks", chunked, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"},
        {"part of a chunk", chunked, "2\r\nhe\r\n3\r\nl", "hel"},
        {"up to what is no chunk", chunked, "2\r\nhe\r\nhello", "he"},
        {"to the end of the connection", "HTTP/1.1 429 Slow\n", "hello", "hello"},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        attempt.answer(row.head, row.bytes);
        std::string space = "of another one";
        EXPECT_EQ(attempt.provider.payload_at_hand(space), row.payload) << row.name;
        static_cast<void>(attempt.provider.peek());
        EXPECT_EQ(attempt.provider.payload_at_hand(space), row.payload) << row.name << ", again";
    }
}

const char* const kFault = "FAULT";

// All that can be looked at now, a piece each.
std::vector<std::string> peeked(OneTry& attempt) {
    std::vector<std::string> pieces;
    for (;;) {
        const auto piece = attempt.provider.peek();
        if (!piece) {
            EXPECT_EQ(piece.error().kind, FaultKind::upstream_protocol_error);
            pieces.push_back(kFault);
            return pieces;
        }
        if (piece->empty()) return pieces;
        pieces.emplace_back(*piece);
    }
}

// All that can be passed on now.
std::vector<std::string> taken(OneTry& attempt) {
    std::vector<std::string> pieces;
    attempt.pieces.clear();
    const auto took = attempt.provider.take(attempt.pieces);
    for (const std::string_view piece : attempt.pieces.payload()) pieces.emplace_back(piece);
    if (!took) {
        EXPECT_EQ(took.error().kind, FaultKind::upstream_protocol_error);
        pieces.push_back(kFault);
    }
    return pieces;
}

using Strings = std::vector<std::string>;

// What comes of the body is read.
void receive(OneTry& attempt, std::string_view bytes) {
    attempt.far->say(bytes);
    test::settle(attempt.reactor);
    EXPECT_TRUE(attempt.provider.receive(32768).value()) << bytes;
}

// Small runs of payload that came together are taken as one.
Strings together(const Strings& runs) {
    if (runs.empty() || runs == Strings{kFault}) return runs;
    std::string all;
    for (const std::string& run : runs) all += run;
    return {all};
}

// Each arrival is looked at, and then taken.
TEST(Http1ProviderBody, IsLookedAtAndTakenAsItComes) {
    struct Step {
        const char* bytes;
        Strings pieces;
        bool ends;
    };
    struct Row {
        const char* name;
        const char* head;
        std::vector<Step> steps;
    };
    const Row rows[] = {
        {"none", "HTTP/1.1 204 None\n", {{"", {}, true}}},
        {"an empty one", "HTTP/1.1 200 OK\ncontent-length: 0\n", {{"", {}, true}}},
        {"all of it", kSized, {{"hello", {"hello"}, true}}},
        {"in pieces",
         kSized,
         {{"", {}, false}, {"he", {"he"}, false}, {"l", {"l"}, false}, {"lo", {"lo"}, true}}},
        {"chunks", kChunked, {{"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", {"he", "llo"}, true}}},
        {"chunks in pieces",
         kChunked,
         {{"2\r", {}, false},
          {"\nh", {"h"}, false},
          {"e\r\n3\r\nll", {"e", "ll"}, false},
          {"o\r\n0\r\na: b\r\n", {"o"}, false},
          {"\r\n", {}, true}}},
        {"chunks that are none", kChunked, {{"hello", {kFault}, false}}},
        {"to the end of the connection",
         kUntilClose,
         {{"he", {"he"}, false}, {"llo", {"llo"}, false}}},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        attempt.answer(row.head, row.steps.front().bytes);
        for (std::size_t i = 0; i < row.steps.size(); ++i) {
            const Step& step = row.steps[i];
            if (i > 0) {
                receive(attempt, step.bytes);
            }
            EXPECT_EQ(peeked(attempt), step.pieces) << row.name << ": " << i;
            EXPECT_EQ(attempt.provider.peeked_all(), step.ends) << row.name << ": " << i;
        }
        OneTry again;
        again.answer(row.head, row.steps.front().bytes);
        for (std::size_t i = 0; i < row.steps.size(); ++i) {
            const Step& step = row.steps[i];
            if (i > 0) {
                receive(again, step.bytes);
            }
            EXPECT_EQ(taken(again), together(step.pieces)) << row.name << ": " << i;
            EXPECT_EQ(again.provider.took_all(), step.ends) << row.name << ": " << i;
            const bool is_fault = step.pieces == Strings{kFault};
            EXPECT_EQ(again.provider.drop_taken(), is_fault) << row.name << ": " << i;
        }
    }
}

TEST(Http1ProviderBody, WhatWasLookedAtIsStillThereToBeTaken) {
    OneTry attempt;
    attempt.answer(kChunked, "2\r\nhe\r\n");
    EXPECT_EQ(peeked(attempt), Strings{"he"});
    EXPECT_EQ(peeked(attempt), Strings{}) << "each once";
    receive(attempt, "3\r\nllo\r\n0\r\n\r\n");
    EXPECT_EQ(peeked(attempt), Strings{"llo"});
    EXPECT_TRUE(attempt.provider.peeked_all());
    EXPECT_FALSE(attempt.provider.took_all());
    EXPECT_EQ(taken(attempt), Strings{"hello"});
    EXPECT_TRUE(attempt.provider.took_all());
    EXPECT_FALSE(attempt.provider.drop_taken());
}

// What stood before the bad byte is the client's.
TEST(Http1ProviderBody, AFaultComesBehindWhatWasWellFormed) {
    OneTry attempt;
    attempt.answer(kChunked, "2\r\nhe\r\nhello");
    EXPECT_EQ(taken(attempt), Strings{"he"});
    EXPECT_FALSE(attempt.provider.took_all());
    EXPECT_TRUE(attempt.provider.drop_taken());
    EXPECT_EQ(taken(attempt), Strings{kFault});
}

TEST(Http1ProviderBody, IsTakenAsFarAsThereIsRoomForItsPieces) {
    constexpr std::size_t kMost = wire::Pieces::kPayload;
    OneTry attempt;
    std::string chunks;
    const std::string large(1025, 'x');
    for (std::size_t i = 0; i < kMost + 2; ++i) chunks += "401\r\n" + large + "\r\n";
    attempt.answer(kChunked, chunks + "0\r\n\r\n");
    EXPECT_EQ(taken(attempt), Strings(kMost, large));
    EXPECT_FALSE(attempt.provider.took_all());
    EXPECT_TRUE(attempt.provider.drop_taken()) << "there is more";
    EXPECT_EQ(taken(attempt), Strings(2, large));
    EXPECT_TRUE(attempt.provider.took_all());
    EXPECT_FALSE(attempt.provider.drop_taken());
}

// However small a burst's chunks are, it goes on as a whole; a large one is not moved.
TEST(Http1ProviderBody, ABurstOfSmallChunksIsOnePiece) {
    OneTry attempt;
    const std::string large(1025, 'l');
    std::string chunks;
    std::string payload;
    for (int i = 0; i < 500; ++i) {
        const std::string event = "data: " + std::to_string(1000 + i) + "\n\n";
        chunks += "c\r\n" + event + "\r\n";
        payload += event;
    }
    attempt.answer(kChunked, chunks + "401\r\n" + large + "\r\n3\r\nend\r\n0\r\n\r\n");
    std::string after = large;
    after += "end";
    EXPECT_EQ(taken(attempt), (Strings{payload, after}));
    EXPECT_TRUE(attempt.provider.took_all());
}

TEST(Http1ProviderBody, IsFullUntilSomeOfItWasTaken) {
    OneTry attempt({}, 256);
    attempt.answer("HTTP/1.1 200 OK\ncontent-length: 1000\n", std::string(1000, 'x'));
    while (!attempt.provider.is_full()) EXPECT_TRUE(attempt.provider.receive(32768).value());
    std::string space;
    const std::size_t held = attempt.provider.payload_at_hand(space).size();
    EXPECT_GT(held, 100U);
    EXPECT_LT(held, 256U) << "the head stands there too";
    EXPECT_EQ(taken(attempt), Strings{std::string(held, 'x')});
    attempt.provider.drop_taken();
    EXPECT_FALSE(attempt.provider.is_full());
    std::size_t got = held;
    while (!attempt.provider.took_all()) {
        EXPECT_TRUE(attempt.provider.receive(32768).value());
        for (const std::string& piece : taken(attempt)) got += piece.size();
        attempt.provider.drop_taken();
    }
    EXPECT_EQ(got, 1000U);
}

TEST(Http1ProviderBody, IsReceivedInPortions) {
    OneTry attempt;
    attempt.answer(kSized);
    EXPECT_FALSE(attempt.provider.receive(32768).value()) << "nothing has come";
    attempt.far->say("hello");
    test::settle(attempt.reactor);
    EXPECT_TRUE(attempt.provider.receive(2).value());
    EXPECT_EQ(taken(attempt), Strings{"he"});
    EXPECT_FALSE(attempt.provider.drop_taken());
    EXPECT_TRUE(attempt.provider.receive(32768).value());
    EXPECT_EQ(taken(attempt), Strings{"llo"});
}

// The longest of the pieces that an answer of so many bytes, which are there, is taken in.
std::size_t longest_piece(std::size_t bytes) {
    OneTry attempt;
    attempt.answer("HTTP/1.1 200 OK\ncontent-length: " + std::to_string(bytes) + "\n",
                   std::string(bytes, 'x'));
    std::size_t longest = 0;
    std::size_t all = 0;
    for (;;) {
        for (const std::string& piece : taken(attempt)) {
            longest = std::max(longest, piece.size());
            all += piece.size();
        }
        if (attempt.provider.took_all()) break;
        attempt.provider.drop_taken();
        EXPECT_TRUE(attempt.provider.receive(65536).value());
        test::settle(attempt.reactor);
    }
    EXPECT_EQ(all, bytes);
    return longest;
}

TEST(Http1ProviderBody, ALongOneComesInLargerPieces) {
    EXPECT_EQ(longest_piece(20000), 20000U);
    EXPECT_EQ(longest_piece(150000), 65536U);
}

// A stream may be silent for minutes.
TEST(Http1ProviderBody, RestsWithoutABuffer) {
    OneTry attempt;
    attempt.answer(kSized, "he");
    EXPECT_EQ(taken(attempt), Strings{"he"});
    EXPECT_FALSE(attempt.provider.drop_taken());
    const std::size_t before = attempt.buffers.kept_bytes();
    attempt.provider.rest();
    EXPECT_GT(attempt.buffers.kept_bytes(), before);
    net::WaitFor what;
    attempt.provider.watch(what);
    ASSERT_NE(what.read, nullptr);
    EXPECT_EQ(what.read->fd(), attempt.far->near());
    receive(attempt, "llo");
    EXPECT_EQ(taken(attempt), Strings{"llo"});
    EXPECT_TRUE(attempt.provider.took_all());
}

TEST(Http1ProviderBody, EndsWithItsConnectionOnlyWhereNothingElseTells) {
    struct Row {
        const char* name;
        const char* head;
        bool is_end;
    };
    const Row rows[] = {
        {"of a length", kSized, false},
        {"chunks", kChunked, false},
        {"neither", kUntilClose, true},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        attempt.answer(row.head);
        attempt.far->shut_down();
        const auto read = attempt.run(attempt.provider.read(SteadyTime::max()));
        EXPECT_EQ(read.has_value(), row.is_end) << row.name;
        if (read.has_error()) {
            EXPECT_EQ(read.error().kind, FaultKind::upstream_protocol_error) << row.name;
        }
        EXPECT_EQ(attempt.provider.peeked_all(), row.is_end) << row.name;
        EXPECT_EQ(taken(attempt), Strings{}) << row.name;
        EXPECT_EQ(attempt.provider.took_all(), row.is_end) << row.name;
    }
}

TEST(Http1ProviderBody, TheConnectionsEndIsTheBodysOnceAllWasTaken) {
    OneTry attempt;
    attempt.answer(kUntilClose);
    attempt.far->say("hello");
    attempt.far->shut_down();
    EXPECT_TRUE(attempt.run(attempt.provider.read(SteadyTime::max())).has_value());
    EXPECT_TRUE(attempt.run(attempt.provider.read(SteadyTime::max())).has_value());
    EXPECT_TRUE(attempt.provider.peeked_all());
    EXPECT_FALSE(attempt.provider.took_all());
    EXPECT_EQ(taken(attempt), Strings{"hello"});
    EXPECT_TRUE(attempt.provider.took_all());
}

TEST(Http1ProviderBody, MoreOfItIsWaitedFor) {
    struct Row {
        const char* name;
        void (*happens)(OneTry& attempt, net::Descriptor& near, test::FarEnd& client);
        SteadyTime deadline;
        FaultKind kind;
    };
    using enum FaultKind;
    const SteadyTime never = SteadyTime::max();
    const Row rows[] = {
        {"it comes", [](OneTry& attempt, net::Descriptor&, test::FarEnd&) { attempt.say("h"); },
         never, none},
        {"it breaks off",
         [](OneTry& attempt, net::Descriptor&, test::FarEnd&) { attempt.far->close(); }, never,
         upstream_protocol_error},
        {"nothing comes", [](OneTry&, net::Descriptor&, test::FarEnd&) {}, SteadyTime{},
         upstream_timeout},
        {"its client goes", [](OneTry&, net::Descriptor&, test::FarEnd& client) { client.close(); },
         never, client_gone},
        {"the process goes", [](OneTry&, net::Descriptor& near, test::FarEnd&) { near.cancel(); },
         never, draining},
    };
    for (const Row& row : rows) {
        OneTry attempt;
        test::FarEnd client;
        net::Descriptor near(attempt.reactor, client.near());
        attempt.terms.wait.client = &near;
        attempt.answer(kSized);
        test::Running<Result<void>> reading(attempt.provider.read(row.deadline));
        EXPECT_EQ(reading.ended(), row.deadline != never) << row.name;
        row.happens(attempt, near, client);
        const auto read = reading.result(attempt.reactor);
        EXPECT_EQ(read ? none : read.error().kind, row.kind) << row.name;
    }
}

}  // namespace
}  // namespace rotary::upstream
