// The client against a server that says what no Redis should: junk, halves, nothing.
#include "fleet/redis_protocol.hpp"
#include "redis_fixture.hpp"

#include <support/loopback_port.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <functional>
#include <memory>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;
using Kind = Reply::Kind;
using Link = fleet::Redis::Link;
using Words = std::vector<std::string>;

// Answers each command on the test's loop as it is told. An empty answer is silence.
class ScriptedRedis {
public:
    using Answer = std::function<std::string(const Words& words)>;

    ScriptedRedis(asio::io_context& context, Answer answer)
        : acceptor_(context, {asio::ip::address_v4::loopback(), 0}), answer_(std::move(answer)) {
        accept();
    }
    std::uint16_t port() { return acceptor_.local_endpoint().port(); }
    std::size_t connections() const { return peers_.size(); }
    std::size_t heard(const std::string& command) const {
        return static_cast<std::size_t>(std::count(heard_.begin(), heard_.end(), command));
    }
    // To all that are connected, by itself.
    void say(const std::string& bytes) {
        for (const auto& peer : peers_) write(*peer, bytes);
    }
    void answer_with(Answer answer) { answer_ = std::move(answer); }

    // As a Redis answers at the beginning.
    static std::string usual(const Words& words) {
        if (words[0] == "SUBSCRIBE") {
            return "*3\r\n$9\r\nsubscribe\r\n$2\r\nev\r\n:1\r\n";
        }
        return words[0] == "PING" ? "+PONG\r\n" : "+OK\r\n";
    }

private:
    struct Peer {
        explicit Peer(tcp::socket of) : socket(std::move(of)) {}
        tcp::socket socket;
        std::array<char, 4096> bytes{};
        fleet::ReplyReader reader;
    };

    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            peers_.push_back(std::make_shared<Peer>(std::move(socket)));
            read(peers_.back());
            accept();
        });
    }
    void read(const std::shared_ptr<Peer>& peer) {
        peer->socket.async_read_some(
            asio::buffer(peer->bytes),
            [this, peer](boost::system::error_code error, std::size_t size) {
                if (error) return;
                peer->reader.feed({peer->bytes.data(), size});
                while (const auto command = peer->reader.next()) {
                    Words words;
                    for (const Reply& word : command->elements) words.push_back(word.text);
                    heard_.push_back(words[0]);
                    write(*peer, answer_(words));
                }
                read(peer);
            });
    }
    static void write(Peer& peer, const std::string& bytes) {
        boost::system::error_code ignored;
        if (bytes == "close") {
            peer.socket.close(ignored);
        } else if (!bytes.empty()) {
            asio::write(peer.socket, asio::buffer(bytes), ignored);
        }
    }

    tcp::acceptor acceptor_;
    Answer answer_;
    std::vector<std::shared_ptr<Peer>> peers_;
    std::vector<std::string> heard_;
};

class RedisScript : public RedisTest {
protected:
    bool until_failed() {
        return until([&] { return redis_.counts().failures > 0; });
    }
    fleet::RedisOptions quick() {
        fleet::RedisOptions to = options("127.0.0.1", server_.port());
        to.login = 200ms;
        to.silence = 1s;
        return to;
    }

    ScriptedRedis server_{context_, ScriptedRedis::usual};
};

TEST_F(RedisScript, IsReadyOnlyOnceBothConnectionsWereAnswered) {
    for (const char* silent : {"PING", "SUBSCRIBE"}) {
        SCOPED_TRACE(silent);
        const std::uint64_t failures = redis_.counts().failures;
        server_.answer_with([&](const Words& words) {
            return words[0] == silent ? std::string() : ScriptedRedis::usual(words);
        });
        fleet::RedisOptions to = quick();
        to.redis.url = silent;
        redis_.configure(to);
        ASSERT_TRUE(until([&] { return redis_.counts().failures > failures; }));
        EXPECT_EQ(redis_.error(), "read: no answer in time");
        EXPECT_EQ(told_, "");
    }
    server_.answer_with(ScriptedRedis::usual);
    ASSERT_TRUE(until_connected(1));
}

TEST_F(RedisScript, AConnectHasItsTime) {
    LoopbackPort full;
    full.listen(0);
    std::vector<std::unique_ptr<tcp::socket>> others;
    for (int i = 0; i < 4; ++i) {  // its backlog takes one or two
        others.push_back(std::make_unique<tcp::socket>(context_));
        others.back()->async_connect({asio::ip::address_v4::loopback(), full.number()},
                                     [](boost::system::error_code) {});
    }
    context_.run_one_for(20ms);
    fleet::RedisOptions to = options("127.0.0.1", full.number());
    to.connect = 300ms;
    const auto before = std::chrono::steady_clock::now();
    redis_.configure(to);
    ASSERT_TRUE(until_failed());
    EXPECT_EQ(redis_.error(), "connect: no answer in time");
    EXPECT_GE(std::chrono::steady_clock::now() - before, 300ms);
}

TEST_F(RedisScript, ALoginHasItsTime) {
    server_.answer_with([](const Words&) { return std::string(); });
    fleet::RedisOptions to = quick();
    to.login = 300ms;
    const auto before = std::chrono::steady_clock::now();
    redis_.configure(to);
    ASSERT_TRUE(until_failed());
    EXPECT_GE(std::chrono::steady_clock::now() - before, 300ms);
}

TEST_F(RedisScript, WhatIsNoRedisIsLeft) {
    struct Row {
        const char* name;
        const char* answer;
        const char* why;
    };
    const Row rows[] = {
        {"a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", "protocol: "},
        {"one that closes", "close", "read: "},
        {"one that loads", "-LOADING Redis is loading\r\n", "LOADING"},
        {"one that is full", "-ERR max number of clients reached\r\n", "max number of clients"},
        {"one that is protected", "-DENIED Redis is running in protected mode\r\n", "DENIED"},
        {"RESP3", "%1\r\n+a\r\n+b\r\n", "protocol: "},
        {"one without an end", "$99999999\r\n", "no answer in time"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const std::uint64_t failures = redis_.counts().failures;
        server_.answer_with([&](const Words& words) {
            return words[0] == "CLIENT" ? ScriptedRedis::usual(words) : std::string(row.answer);
        });
        fleet::RedisOptions to = quick();
        to.redis.url = row.name;
        redis_.configure(to);
        ASSERT_TRUE(until([&] { return redis_.counts().failures > failures; }));
        EXPECT_THAT(redis_.error(), HasSubstr(row.why));
        EXPECT_EQ(told_, "");
    }
}

TEST_F(RedisScript, AWrongAnswerEndsTheSession) {
    struct Row {
        const char* name;
        const char* answer;
        const char* why;
    };
    const Row rows[] = {
        {"junk", "junk\r\n", "protocol: "},
        {"more than was asked", "+a\r\n+b\r\n", "an answer to nothing"},
        {"a string without bounds", "$2000000\r\n", "silent to a question"},
        {"half an answer, and an end", "close", "read: "},
        {"silence", "", "silent to a question"},
    };
    std::uint64_t connects = 0;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        server_.answer_with([&](const Words& words) {
            return words[0] == "GET" ? std::string(row.answer) : ScriptedRedis::usual(words);
        });
        fleet::RedisOptions to = quick();
        to.redis.deadline = 20ms;
        to.redis.url = row.name;
        redis_.configure(to);
        ASSERT_TRUE(until_connected(++connects));
        told_.clear();
        const std::uint64_t failures = redis_.counts().failures;
        const Reply reply = ask({"GET", "a"});
        EXPECT_TRUE(reply.kind == Kind::none || reply.text == "a");
        ASSERT_TRUE(until([&] { return redis_.counts().failures > failures; }));
        EXPECT_THAT(redis_.error(), HasSubstr(row.why));
        EXPECT_EQ(told_, "lost ");
        connects = redis_.counts().connects;
    }
}

TEST_F(RedisScript, AnAnswerInPiecesIsOne) {
    ASSERT_TRUE(connect(quick()));
    server_.answer_with([](const Words&) { return std::string(); });
    Reply answer;
    redis_.ask({"GET", "a"}, [&](const Reply& reply) { answer = reply; });
    ASSERT_TRUE(until([&] { return server_.heard("GET") == 1; }));
    // The connection that hears gets them too: as little as that is of what it knows.
    for (const char byte : std::string("*2\r\n$2\r\nab\r\n:7\r\n")) {
        server_.say(std::string(1, byte));
        context_.run_one_for(5ms);
    }
    ASSERT_TRUE(until([&] { return answer.kind == Kind::array; }));
    EXPECT_EQ(answer.elements[0].text, "ab");
    EXPECT_EQ(answer.elements[1].integer, 7);
}

TEST_F(RedisScript, SilenceWhereItPublishesIsNoticed) {
    ASSERT_TRUE(connect(quick()));
    server_.answer_with([](const Words& words) {
        return words[0] == "PING" ? std::string() : ScriptedRedis::usual(words);
    });
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(until_failed());
    EXPECT_EQ(redis_.error(), "silent where it publishes");
    EXPECT_GE(std::chrono::steady_clock::now() - before, 900ms);
}

TEST_F(RedisScript, ALateAnswerIsThrownAwayInItsTurn) {
    fleet::RedisOptions to = quick();
    to.redis.deadline = 100ms;
    to.silence = 60s;
    ASSERT_TRUE(connect(to));
    server_.answer_with([](const Words& words) {
        return words[1] == "late" ? std::string() : std::string("+late\r\n+in time\r\n");
    });
    EXPECT_EQ(ask({"GET", "late"}).kind, Kind::none);
    EXPECT_EQ(redis_.counts().late, 1U);
    EXPECT_TRUE(redis_.is_ready()) << "once is not slow";
    EXPECT_EQ(ask({"GET", "next"}).text, "in time");
    EXPECT_EQ(told_, "ready ");
}

TEST_F(RedisScript, AClusterThatSendsInCirclesIsAskedSlowly) {
    const std::string moved = "-MOVED 1 127.0.0.1:" + std::to_string(server_.port()) + "\r\n";
    server_.answer_with([&](const Words& words) {
        return words[0] == "GET" ? moved : ScriptedRedis::usual(words);
    });
    ASSERT_TRUE(connect(quick()));
    const auto end = std::chrono::steady_clock::now() + 1s;
    while (std::chrono::steady_clock::now() < end) {
        if (redis_.is_ready()) ask({"GET", "a"});
        context_.run_one_for(1ms);
    }
    EXPECT_GE(redis_.counts().connects, 2U);
    EXPECT_LE(redis_.counts().connects, 12U);
}

}  // namespace
}  // namespace rotary::test
