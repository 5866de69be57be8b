// The client against a real redis-server.
#include "redis_fixture.hpp"

#include <support/certificates.hpp>
#include <support/loopback_port.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using fleet::Script;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Reply::Kind;
using Link = fleet::Redis::Link;

const Script kAdd("return redis.call('INCRBY', KEYS[1], ARGV[1])");

TEST_F(RedisTest, QuestionsAreAnsweredInTheirOrder) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    EXPECT_EQ(ask({"SET", "a", "b c\r\n"}).text, "OK");
    EXPECT_EQ(ask({"GET", "a"}).text, "b c\r\n");
    EXPECT_EQ(ask({"GET", "none"}).kind, Kind::nil);
    EXPECT_EQ(ask({"HSET", "h", "f", "1", "g", "2"}).integer, 2);
    EXPECT_EQ(ask({"HGETALL", "h"}).elements.size(), 4U);
    std::vector<std::int64_t> answers;
    for (int i = 0; i < 1000; ++i) {
        redis_.ask({"INCR", "n"}, [&](const Reply& reply) { answers.push_back(reply.integer); });
    }
    ASSERT_TRUE(until([&] { return answers.size() == 1000; }));
    EXPECT_TRUE(std::is_sorted(answers.begin(), answers.end()));
    EXPECT_EQ(answers.back(), 1000);
    EXPECT_EQ(redis_.counts().questions, 1005U);
    EXPECT_EQ(redis_.counts().late, 0U);
    EXPECT_EQ(told_, "ready ");
    EXPECT_EQ(redis_.place(), "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(RedisTest, AMistakeInAQuestionIsAnswered) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    ask({"SET", "a", "text"});
    EXPECT_EQ(ask({"INCR", "a"}).text, "ERR value is not an integer or out of range");
    EXPECT_EQ(ask({"NOSUCH"}).kind, Kind::error);
    EXPECT_EQ(ask({"GET", "a"}).text, "text") << "and it goes on";
    EXPECT_EQ(redis_.counts().refused, 2U);
    EXPECT_EQ(lines("Redis refuses what it is asked"), 1U) << log();
}

TEST_F(RedisTest, AScriptIsSentWholeWhereItIsNotKnown) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    EXPECT_EQ(run(kAdd, {"n"}, {"5"}).integer, 5);
    EXPECT_EQ(redis_.counts().scripts, 1U);
    EXPECT_EQ(run(kAdd, {"n"}, {"5"}).integer, 10);
    EXPECT_EQ(redis_.counts().scripts, 1U) << "it is known now";
    server.command({"flushall"});
    server.command({"script", "flush"});
    std::vector<std::int64_t> answers;
    for (int i = 0; i < 3; ++i) {
        redis_.run(kAdd, {"n"}, {"1"},
                   [&](const Reply& reply) { answers.push_back(reply.integer); });
    }
    ASSERT_TRUE(until([&] { return answers.size() == 3; }));
    EXPECT_THAT(answers, ElementsAre(1, 2, 3));
    EXPECT_EQ(told_, "ready ");
    EXPECT_THAT(server.command({"info", "commandstats"}), testing::Not(HasSubstr("script|load")));
}

TEST_F(RedisTest, WhatIsPublishedIsHeardFromReadyOn) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    EXPECT_EQ(ask({"PUBLISH", "{rotary:default}:ev", "of mine"}).integer, 1);
    server.command({"publish", "{rotary:default}:ev", "of another"});
    server.command({"publish", "{rotary:other}:ev", "of another namespace"});
    server.command({"publish", "{rotary:default}:ev", ""});
    ASSERT_TRUE(until([&] { return heard_.size() == 3; }));
    EXPECT_THAT(heard_, ElementsAre("of mine", "of another", ""));
}

TEST_F(RedisTest, WithoutARedisNothingIsWaitedFor) {
    LoopbackPort closed;
    redis_.configure(options("127.0.0.1", closed.number()));
    EXPECT_EQ(ask({"PING"}).kind, Kind::none);
    ASSERT_TRUE(until([&] { return redis_.counts().failures >= 3; }));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(run(kAdd, {"n"}, {"1"}).kind, Kind::none);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
    EXPECT_EQ(redis_.counts().questions, 0U);
    EXPECT_EQ(redis_.link(), Link::away);
    EXPECT_THAT(redis_.error(), HasSubstr("connect: Connection refused"));
    EXPECT_EQ(lines("Redis is away"), 1U) << "and not at each try";
    EXPECT_EQ(told_, "");
}

TEST_F(RedisTest, HasANameAndADatabase) {
    const RedisServer server;
    fleet::RedisOptions to = options(server);
    to.redis.database = 3;
    ASSERT_TRUE(connect(to));
    ask({"SET", "a", "b"});
    EXPECT_EQ(server.command({"-n", "3", "get", "a"}), "b");
    const std::string clients = server.command({"client", "list"});
    EXPECT_THAT(clients, HasSubstr("name=rotary-a "));
    EXPECT_THAT(clients, HasSubstr("sub=1"));
}

TEST_F(RedisTest, ANameIsLookedUp) {
    const RedisServer server;
    ASSERT_TRUE(connect(options("localhost", server.port())));
    EXPECT_EQ(ask({"PING"}).text, "PONG");
    redis_.configure(options("no-such-host.invalid", 1));
    ASSERT_TRUE(until([&] { return redis_.counts().failures > 0; }));
    EXPECT_THAT(redis_.error(), HasSubstr("resolve: "));
    EXPECT_EQ(told_, "ready lost ");
}

TEST_F(RedisTest, GoesElsewhereOnlyWhenItIsElsewhere) {
    const RedisServer one;
    const RedisServer other;
    ASSERT_TRUE(connect(options(one)));
    fleet::RedisOptions same = options(one);
    same.redis.url_mark.line = 7;
    redis_.configure(same);
    ask({"SET", "a", "one"});
    EXPECT_EQ(redis_.counts().connects, 1U);
    EXPECT_EQ(told_, "ready ");
    Reply left;
    left.text = "not told";
    redis_.ask({"GET", "a"}, [&](const Reply& reply) { left = reply; });
    redis_.configure(options(other));
    EXPECT_EQ(left.text, "not told");
    ASSERT_TRUE(until_connected(2));
    EXPECT_EQ(left.kind, Kind::none);
    EXPECT_EQ(left.text, "") << "told that there is none";
    EXPECT_EQ(ask({"GET", "a"}).kind, Kind::nil);
    EXPECT_EQ(told_, "ready lost ready ");
}

// Takes another away when it is told.
class Jealous : public fleet::Store::Listener {
public:
    Jealous(fleet::Redis& redis, fleet::Store::Listener& other) : redis_(redis), other_(other) {}
    void on_ready() override { redis_.unlisten(other_); }
    void on_lost() override {}
    void on_message(std::string_view) override {}

private:
    fleet::Redis& redis_;
    fleet::Store::Listener& other_;
};

TEST_F(RedisTest, WhoWasTakenAwayIsNotTold) {
    const RedisServer server;
    Jealous jealous(redis_, *this);
    redis_.unlisten(*this);
    redis_.listen(jealous);
    redis_.listen(*this);
    ASSERT_TRUE(connect(options(server)));
    EXPECT_EQ(told_, "");
    redis_.unlisten(jealous);
}

TEST_F(RedisTest, AWrongPasswordIsToldOnceWithItsRemedy) {
    const RedisServer server({.arguments = {"--requirepass", "right"}});
    fleet::RedisOptions to = options(server);
    to.redis.password = config::Secret("wrong");
    redis_.configure(to);
    ASSERT_TRUE(until([&] { return redis_.counts().failures >= 3; }));
    EXPECT_EQ(lines("Redis is away"), 1U);
    EXPECT_THAT(log(), HasSubstr("AUTH: WRONGPASS"));
    EXPECT_THAT(log(), HasSubstr("state.redis.password_file must hold"));
    EXPECT_THAT(log(), testing::Not(HasSubstr("wrong\"")));
    to.redis.password = config::Secret("right");
    ASSERT_TRUE(connect(to));
    EXPECT_EQ(ask({"PING"}).text, "PONG");
}

TEST_F(RedisTest, APasswordThatChangesIsAskedForAgain) {
    const RedisServer server;
    server.command({"acl", "setuser", "gw", "on", ">first", "~*", "&*", "+@all"});
    fleet::RedisOptions to = options(server);
    to.redis.user = "gw";
    to.redis.password = config::Secret("first");
    ASSERT_TRUE(connect(to));
    server.command({"acl", "setuser", "gw", "resetpass", ">second"});
    EXPECT_EQ(ask({"PING"}).text, "PONG") << "what is there stays";
    server.command({"client", "kill", "user", "gw"});
    ASSERT_TRUE(until([&] { return redis_.error().find("WRONGPASS") != std::string::npos; }));
    EXPECT_EQ(told_, "ready lost ");
    EXPECT_EQ(ask({"PING"}).kind, Kind::none);
    to.redis.password = config::Secret("second");
    ASSERT_TRUE(connect(to));
    EXPECT_EQ(told_, "ready lost ready ");
}

// The line of docs/several-replicas.md; what scripts call counts too.
std::vector<std::string> documented_rights() {
    const std::string page = read_file(ROTARY_SOURCE_DIR "/docs/several-replicas.md");
    const std::string from = "ACL SETUSER gateway ";
    const std::size_t at = page.find(from) + from.size();
    std::vector<std::string> words{"acl", "setuser", "gateway"};
    std::string word;
    for (const char c : page.substr(at, page.find('\n', at) - at) + " ") {
        if (c != ' ') {
            if (c != '\'') word += c;
        } else if (!word.empty()) {
            words.push_back(std::exchange(word, {}));
        }
    }
    return words;
}

TEST(RedisRights, HoldAllThatIsAsked) {
    const std::vector<std::string> rights = documented_rights();
    const std::regex command(R"re((?:redis\.p?call\('|(?:ask|send)\(\{")([A-Z]+))re");
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(ROTARY_SOURCE_DIR "/src/fleet")) {
        const std::string text = read_file(entry.path().string());
        for (std::sregex_iterator match(text.begin(), text.end(), command), end; match != end;
             ++match) {
            std::string right = "+" + match->str(1);
            std::transform(right.begin(), right.end(), right.begin(),
                           [](char c) { return c == '+' ? c : static_cast<char>(c | 0x20); });
            EXPECT_THAT(rights, testing::Contains(right)) << entry.path();
            ++found;
        }
    }
    EXPECT_GT(found, 0U);
}

TEST_F(RedisTest, ANarrowUserIsEnough) {
    const RedisServer server;
    ASSERT_EQ(server.command(documented_rights()), "OK");
    fleet::RedisOptions to = options(server);
    to.redis.user = "gateway";
    to.redis.password = config::Secret("a-long-password");
    ASSERT_TRUE(connect(to)) << redis_.error();
    const std::string tag = "{rotary:default}:";
    EXPECT_EQ(run(kAdd, {tag + "w"}, {"2"}).kind, Kind::error) << "INCRBY is none of its rights";
    const Script all(R"lua(
        local now = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'a', now[1])
        redis.call('HINCRBY', KEYS[1], '#', 1)
        redis.call('PEXPIRE', KEYS[1], 10000)
        redis.call('HMGET', KEYS[1], 'a', '#')
        redis.call('HDEL', KEYS[1], 'a')
        redis.call('PUBLISH', ARGV[1], 'x')
        redis.call('ZADD', KEYS[2], 1, 'a')
        redis.call('ZREMRANGEBYSCORE', KEYS[2], 0, 0)
        redis.call('SET', KEYS[3], 'a', 'NX', 'PX', 1500)
        redis.call('GET', KEYS[3])
        redis.call('DEL', KEYS[3])
        return redis.call('ZCOUNT', KEYS[2], 0, 9))lua");
    const Reply reply = run(all, {tag + "s", tag + "r", tag + "p:x"}, {tag + "ev"});
    EXPECT_EQ(reply.integer, 1) << reply.text;
    EXPECT_EQ(ask({"HGETALL", tag + "s"}).elements.size(), 2U);
    EXPECT_EQ(ask({"TIME"}).elements.size(), 2U);
    EXPECT_EQ(ask({"GET", "another's"}).kind, Kind::none);
    EXPECT_EQ(ask({"FLUSHALL"}).kind, Kind::none);
    ASSERT_TRUE(until([&] { return !heard_.empty(); }));
    EXPECT_EQ(lines("NOPERM"), 0U) << "the first refusal of the session was told";
    server.command({"client", "kill", "user", "gateway"});
    ASSERT_TRUE(until_connected(2));
    EXPECT_EQ(ask({"FLUSHALL"}).kind, Kind::none);
    EXPECT_EQ(lines("NOPERM"), 1U);
    EXPECT_THAT(log(), HasSubstr("docs/several-replicas.md"));
}

TEST_F(RedisTest, CertificatesAreVerified) {
    const RedisServer server({.tls = true});
    fleet::RedisOptions to = options("localhost", server.port());
    to.redis.tls = true;
    to.redis.ca_pem = read_file(certificates().ca);
    ASSERT_TRUE(connect(to)) << redis_.error();
    EXPECT_EQ(ask({"SET", "a", std::string(300'000, 'x')}).text, "OK");
    EXPECT_EQ(ask({"GET", "a"}).text.size(), 300'000U);
    EXPECT_EQ(server.command({"publish", "{rotary:default}:ev", "x"}), "1");
    ASSERT_TRUE(until([&] { return heard_.size() == 1; }));

    to.redis.place.host = "127.0.0.1";
    to.redis.url = "by its address";
    ASSERT_TRUE(connect(to)) << redis_.error();
    struct Row {
        const char* name;
        std::string ca;
        const char* why;
    };
    const Row rows[] = {
        {"another authority", certificates().other_ca, "tls: "},
        {"itself", certificates().self_signed.certificate, "tls: "},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const std::uint64_t failures = redis_.counts().failures;
        to.redis.ca_pem = read_file(row.ca);
        redis_.configure(to);
        ASSERT_TRUE(until([&] { return redis_.counts().failures > failures; }));
        EXPECT_THAT(redis_.error(), HasSubstr(row.why));
        EXPECT_EQ(redis_.link(), Link::away);
    }
    to.redis.ca_pem = "no certificate";
    EXPECT_THROW(redis_.configure(to), std::runtime_error);
}

TEST_F(RedisTest, ACertificateMustBeForItsName) {
    RedisOptions served;
    served.tls = true;
    served.certificate = certificates().wrong_host;
    const RedisServer server(served);
    fleet::RedisOptions to = options("localhost", server.port());
    to.redis.tls = true;
    to.redis.ca_pem = read_file(certificates().ca);
    redis_.configure(to);
    ASSERT_TRUE(until([&] { return redis_.counts().failures > 0; }));
    EXPECT_THAT(redis_.error(), HasSubstr("tls: certificate verify failed"));
    EXPECT_EQ(redis_.link(), Link::away);
}

}  // namespace
}  // namespace rotary::test
