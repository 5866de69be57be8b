#include "fleet/redis_protocol.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {
namespace {

// A reply as one line: what kind of thing each node is, and what it holds.
std::string shown(const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::none:
            return "none";
        case Reply::Kind::nil:
            return "nil";
        case Reply::Kind::integer:
            return std::to_string(reply.integer);
        case Reply::Kind::text:
            return "'" + reply.text + "'";
        case Reply::Kind::error:
            return "error '" + reply.text + "'";
        case Reply::Kind::array:
            break;
    }
    std::string text = "[";
    for (const Reply& element : reply.elements)
        text += (text.size() > 1 ? " " : "") + shown(element);
    return text + "]";
}

std::string all_of(ReplyReader& reader) {
    std::string text;
    while (const std::optional<Reply> reply = reader.next()) {
        text += (text.empty() ? "" : ", ") + shown(*reply);
    }
    return text;
}

struct Row {
    const char* name;
    std::string bytes;
    const char* replies;
};

const Row kRows[] = {
    {"a status", "+OK\r\n", "'OK'"},
    {"an empty status", "+\r\n", "''"},
    {"an error", "-NOSCRIPT No matching script.\r\n", "error 'NOSCRIPT No matching script.'"},
    {"numbers", ":0\r\n:-7\r\n:9223372036854775807\r\n", "0, -7, 9223372036854775807"},
    {"a string", "$5\r\nhello\r\n", "'hello'"},
    {"an empty string", "$0\r\n\r\n", "''"},
    {"a string with the end of a line in it", "$4\r\n\r\n\r\n\r\n", "'\r\n\r\n'"},
    {"no string", "$-1\r\n", "nil"},
    {"no array", "*-1\r\n", "nil"},
    {"an empty array", "*0\r\n", "[]"},
    {"an array", "*3\r\n$1\r\na\r\n:1\r\n$-1\r\n", "['a' 1 nil]"},
    {"arrays in an array", "*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n*0\r\n", "[[1 2] [[]]]"},
    {"what is published", "*3\r\n$7\r\nmessage\r\n$2\r\nev\r\n$3\r\na b\r\n",
     "['message' 'ev' 'a b']"},
    {"several behind each other", "+PONG\r\n*1\r\n:1\r\n-ERR x\r\n:2\r\n",
     "'PONG', [1], error 'ERR x', 2"},
};

TEST(FleetRedisProtocol, RepliesAreRead) {
    for (const Row& row : kRows) {
        SCOPED_TRACE(row.name);
        ReplyReader reader;
        EXPECT_TRUE(reader.feed(row.bytes)) << reader.error();
        EXPECT_EQ(all_of(reader), row.replies);
    }
}

TEST(FleetRedisProtocol, RepliesAreReadWhereverTheyAreCut) {
    for (const Row& row : kRows) {
        for (std::size_t cut = 0; cut <= row.bytes.size(); ++cut) {
            SCOPED_TRACE(std::string(row.name) + " at " + std::to_string(cut));
            ReplyReader reader;
            const std::string_view bytes = row.bytes;
            EXPECT_TRUE(reader.feed(bytes.substr(0, cut)));
            EXPECT_TRUE(reader.feed(bytes.substr(cut)));
            EXPECT_EQ(all_of(reader), row.replies);
        }
        SCOPED_TRACE(row.name);
        ReplyReader reader;
        for (const char byte : row.bytes) EXPECT_TRUE(reader.feed({&byte, 1}));
        EXPECT_EQ(all_of(reader), row.replies);
    }
}

TEST(FleetRedisProtocol, NothingIsAReplyBeforeItsEnd) {
    for (const Row& row : kRows) {
        if (std::string_view(row.replies).find(", ") != std::string_view::npos) continue;
        SCOPED_TRACE(row.name);
        ReplyReader reader;
        EXPECT_TRUE(reader.feed(std::string_view(row.bytes).substr(0, row.bytes.size() - 1)));
        EXPECT_FALSE(reader.next());
    }
}

std::string nested(int arrays) {
    std::string bytes;
    for (int i = 0; i < arrays; ++i) bytes += "*1\r\n";
    return bytes + ":1\r\n";
}

std::string bulk(std::size_t size) {
    return "$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}

std::string elements(std::size_t count) {
    std::string bytes = "*" + std::to_string(count) + "\r\n";
    for (std::size_t i = 0; i < count; ++i) bytes += ":1\r\n";
    return bytes;
}

TEST(FleetRedisProtocol, BoundsAreMetAtTheirEdge) {
    const std::size_t line = kMostLineBytes;
    struct Edge {
        const char* name;
        std::string bytes;
        bool fits;
    };
    const Edge edges[] = {
        {"a string of 1 MiB", bulk(kMostBulkBytes), true},
        {"and a byte more", bulk(kMostBulkBytes + 1), false},
        {"a line of 60 KiB", "+" + std::string(60 * 1024, 'x') + "\r\n", true},
        {"of 64 KiB and a byte", "+" + std::string(line + 1, 'x') + "\r\n", false},
        {"an array of 65,536", elements(kMostNodes), true},
        {"and one more", elements(kMostNodes + 1), false},
        {"arrays in arrays that are too many together",
         "*2\r\n" + elements(kMostNodes / 2) + elements(kMostNodes / 2), false},
        {"two replies that are not one", elements(kMostNodes) + elements(kMostNodes), true},
        {"seven arrays deep", nested(kMostDepth), true},
        {"nine arrays deep", nested(kMostDepth + 2), false},
    };
    for (const Edge& edge : edges) {
        SCOPED_TRACE(edge.name);
        ReplyReader reader;
        EXPECT_EQ(reader.feed(edge.bytes), edge.fits) << reader.error();
        EXPECT_EQ(reader.next().has_value(), edge.fits);
        EXPECT_EQ(reader.error().empty(), edge.fits);
    }
}

TEST(FleetRedisProtocol, WhatHasNoEndIsLeftWithoutOne) {
    const std::string chunk(16 * 1024, '7');
    for (const char* head : {"+", "-", ":", "$", "*", "$9999999\r\n"}) {
        SCOPED_TRACE(head);
        ReplyReader reader;
        EXPECT_TRUE(reader.feed(head));
        std::size_t fed = 0;
        while (fed <= 2 * kMostBulkBytes && reader.feed(chunk)) fed += chunk.size();
        EXPECT_LE(fed, kMostBulkBytes + 2 * kMostLineBytes);
    }
}

TEST(FleetRedisProtocol, JunkEndsIt) {
    for (const char* junk :
         {"HTTP/1.1 400 Bad Request\r\n", "%1\r\n+a\r\n+b\r\n", "_\r\n", "\r\n", "$-2\r\n",
          "*-2\r\n", "$x\r\n", "*x\r\n", "*99999999999\r\n", "\x16\x03\x01", "\n"}) {
        SCOPED_TRACE(junk);
        ReplyReader reader;
        EXPECT_FALSE(reader.feed(std::string("+OK\r\n") + junk));
        EXPECT_FALSE(reader.error().empty());
        EXPECT_EQ(all_of(reader), "'OK'");  // was whole before it
        EXPECT_FALSE(reader.feed("+OK\r\n"));
        EXPECT_FALSE(reader.next());
    }
}

TEST(FleetRedisProtocol, CommandsAreArraysOfStrings) {
    const std::string raw("\0\r\n", 3);
    const std::vector<std::string> words{"SET", "a b", raw, ""};
    EXPECT_EQ(format_command(words),
              "*4\r\n$3\r\nSET\r\n$3\r\na b\r\n$3\r\n" + raw + "\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace rotary::fleet
