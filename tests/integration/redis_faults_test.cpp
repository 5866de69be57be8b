// The client while its Redis stumbles, falls and comes back. Deadlines are those of production.
#include "redis_fixture.hpp"

#include <support/sanitized.hpp>

#include <csignal>
#include <memory>
#include <thread>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using fleet::Script;
using testing::HasSubstr;
using Kind = Reply::Kind;
using Link = fleet::Redis::Link;

const Script kAdd("return redis.call('INCRBY', KEYS[1], 1)");

class RedisFaults : public RedisTest {
protected:
    static fleet::RedisOptions quick(const RedisServer& server) {
        fleet::RedisOptions to = options(server);
        to.redis.deadline = 20ms;
        to.connect = 200ms;
        to.login = 500ms;
        return to;
    }

    // Asks a thousand times a second, as long as it is said.
    void ask_for(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
            const auto asked = std::chrono::steady_clock::now();
            ++asked_;
            const bool was_ready = redis_.is_ready();
            redis_.run(kAdd, {"n"}, {}, [this, asked, was_ready](const Reply& reply) {
                const auto waited = std::chrono::steady_clock::now() - asked;
                ++told_times_;
                if (reply.is_answer()) ++answered_;
                auto& longest = was_ready ? longest_ : longest_away_;
                longest = std::max(longest, waited);
            });
            context_.run_one_until(asked + 1ms);
            turn_for(asked + 1ms);
        }
        ASSERT_TRUE(until([&] { return told_times_ == asked_; })) << "each is told once";
    }
    void turn_for(std::chrono::steady_clock::time_point end) {
        while (std::chrono::steady_clock::now() < end) context_.run_one_until(end);
    }
    bool until_asked_again() {
        return until([&] { return redis_.is_ready(); }, 20s);
    }

    // A command that is under way while the test goes on.
    static std::unique_ptr<ChildProcess> meanwhile(const RedisServer& server,
                                                   const std::vector<std::string>& words) {
        ProcessOptions program;
        program.command = {"/usr/bin/redis-cli", "-p", std::to_string(server.port())};
        program.command.insert(program.command.end(), words.begin(), words.end());
        return std::make_unique<ChildProcess>(program);
    }

    // What a caller waits beyond its deadline is what the machine of the tests adds.
    void expect_no_long_wait(const char* fault) {
        const auto to_us = [](std::chrono::steady_clock::duration time) {
            return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
        };
        RecordProperty(std::string(fault) + "_asked", std::to_string(asked_));
        RecordProperty(std::string(fault) + "_late", std::to_string(redis_.counts().late));
        RecordProperty(std::string(fault) + "_longest_us", std::to_string(to_us(longest_)));
        RecordProperty(std::string(fault) + "_longest_away_us",
                       std::to_string(to_us(longest_away_)));
        EXPECT_LT(longest_, 20ms + kMachine);
        EXPECT_LT(longest_away_, kMachine);
    }

    static constexpr std::chrono::milliseconds kMachine{kSanitized ? 2000 : 500};
    std::uint64_t asked_ = 0;
    std::uint64_t told_times_ = 0;
    std::uint64_t answered_ = 0;
    std::chrono::steady_clock::duration longest_{};
    std::chrono::steady_clock::duration longest_away_{};
};

TEST_F(RedisFaults, AServerThatSleepsIsAskedAgainOnceItAnswers) {
    const RedisServer server;
    ASSERT_TRUE(connect(quick(server)));
    const auto sleeper = meanwhile(server, {"debug", "sleep", "1"});
    ASSERT_TRUE(until([&] {
        ask_for(10ms);
        return redis_.link() == Link::slow;
    }));
    EXPECT_EQ(ask({"PING"}).kind, Kind::none);
    ask_for(100ms);
    ASSERT_TRUE(until_asked_again());
    EXPECT_EQ(redis_.counts().connects, 1U) << "on the same connection";
    EXPECT_EQ(told_, "ready lost ready ");
    EXPECT_GE(redis_.counts().late, 3U);
    EXPECT_EQ(ask({"SET", "a", "b"}).text, "OK") << "late answers are not taken for others";
    EXPECT_EQ(ask({"GET", "a"}).text, "b");
    expect_no_long_wait("sleep");
    EXPECT_EQ(lines("Redis is slow"), 1U);
    EXPECT_EQ(lines("Redis answers in time again"), 1U);
}

TEST_F(RedisFaults, AServerThatFreezesIsLeft) {
    const RedisServer server;
    ASSERT_TRUE(connect(quick(server)));
    server.signal(SIGSTOP);
    ask_for(3s);
    EXPECT_EQ(redis_.link(), Link::away) << "its kernel still accepts: that is no answer";
    EXPECT_EQ(redis_.counts().connects, 1U);
    server.signal(SIGCONT);
    ASSERT_TRUE(until_asked_again());
    ask_for(100ms);
    EXPECT_GT(answered_, 0U);
    expect_no_long_wait("freeze");
    EXPECT_EQ(lines("Redis is away"), 1U) << log();
}

TEST_F(RedisFaults, AServerThatIsKilledIsFoundAgain) {
    RedisServer server;
    ASSERT_TRUE(connect(quick(server)));
    ask_for(50ms);
    server.kill();
    ask_for(500ms);
    EXPECT_EQ(redis_.link(), Link::away);
    server.start();
    ASSERT_TRUE(until_asked_again());
    ask_for(100ms);
    EXPECT_EQ(told_, "ready lost ready ");
    EXPECT_GE(redis_.counts().scripts, 2U) << "it has forgotten the script";
    expect_no_long_wait("kill");
}

TEST_F(RedisFaults, AServerThatForgetsIsToldAgain) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    ask_for(50ms);
    const auto flush = meanwhile(server, {"eval", "redis.call('flushall')", "0"});
    ask_for(100ms);
    server.command({"script", "flush"});
    ask_for(100ms);
    EXPECT_EQ(answered_, asked_);
    EXPECT_EQ(redis_.counts().late, 0U);
    EXPECT_EQ(told_, "ready ");
}

TEST_F(RedisFaults, FullMemoryIsNoAnswerToWhatWrites) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    ask({"SET", "a", "b"});
    server.command({"config", "set", "maxmemory", "1"});
    EXPECT_EQ(ask({"SET", "a", "c"}).kind, Kind::none);
    EXPECT_EQ(run(kAdd, {"n"}, {}).kind, Kind::none);
    EXPECT_EQ(ask({"GET", "a"}).text, "b");
    EXPECT_EQ(lines("Redis refuses what it is asked"), 1U);
    EXPECT_THAT(log(), HasSubstr("OOM"));
    server.command({"config", "set", "maxmemory", "0"});
    EXPECT_EQ(run(kAdd, {"n"}, {}).integer, 1);
    EXPECT_EQ(told_, "ready ");
}

TEST_F(RedisFaults, AMasterThatBecameAReplicaIsLeft) {
    const RedisServer server;
    const RedisServer other;
    ASSERT_TRUE(connect(options(server)));
    server.command({"replicaof", "127.0.0.1", std::to_string(other.port())});
    ASSERT_TRUE(server.wait_for_link());
    EXPECT_EQ(run(kAdd, {"n"}, {}).kind, Kind::none);
    ASSERT_TRUE(until([&] { return redis_.counts().failures > 0; }));
    EXPECT_EQ(lines("READONLY"), 1U);
    server.command({"replicaof", "no", "one"});
    ASSERT_TRUE(until_asked_again());
    EXPECT_EQ(run(kAdd, {"n"}, {}).integer, 1);
}

TEST_F(RedisFaults, AConnectionThatHearsAndDiesIsMissed) {
    const RedisServer server;
    ASSERT_TRUE(connect(options(server)));
    server.command({"client", "kill", "type", "pubsub"});
    ASSERT_TRUE(until_connected(2));
    EXPECT_EQ(told_, "ready lost ready ");
    server.command({"publish", "{rotary:default}:ev", "heard"});
    ASSERT_TRUE(until([&] { return !heard_.empty(); }));
}

TEST_F(RedisFaults, ALoopThatWasHeldUpBlamesNoServer) {
    const RedisServer server;
    fleet::RedisOptions to = quick(server);
    to.silence = 1s;
    ASSERT_TRUE(connect(to));
    Reply answer;
    redis_.ask({"PING"}, [&](const Reply& reply) { answer = reply; });
    std::this_thread::sleep_for(1500ms);
    ASSERT_TRUE(until([&] { return answer.kind != Kind::none; }));
    EXPECT_EQ(answer.text, "PONG") << "it was there in time";
    std::this_thread::sleep_for(1500ms);
    RedisTest::turn_for(600ms);
    EXPECT_EQ(redis_.counts().late, 0U);
    EXPECT_EQ(told_, "ready ");
}

TEST_F(RedisFaults, WithNothingAskedItStaysConnected) {
    const RedisServer server;
    fleet::RedisOptions to = options(server);
    to.silence = 1s;
    ASSERT_TRUE(connect(to));
    RedisTest::turn_for(3s);
    EXPECT_EQ(redis_.counts().connects, 1U) << redis_.error();
    EXPECT_EQ(told_, "ready ");
}

}  // namespace
}  // namespace rotary::test
