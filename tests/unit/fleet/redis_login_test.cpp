#include "fleet/redis_login.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace rotary::fleet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string shown(const std::vector<LoginStep>& steps) {
    std::string text;
    for (const LoginStep& step : steps) {
        if (!text.empty()) text += ", ";
        for (const std::string& word : step.command) {
            text += (&word == step.command.data() ? "" : " ") + word;
        }
        if (step.may_be_refused) text += "?";
    }
    return text;
}

config::Redis redis_with(const char* user, const char* password, unsigned database) {
    config::Redis redis;
    redis.user = user;
    redis.password = config::Secret(password);
    redis.database = database;
    redis.name_space = "ns";
    return redis;
}

TEST(FleetRedisLogin, SaysWhoItIsFirst) {
    const config::Redis open = redis_with("", "", 0);
    EXPECT_EQ(shown(steps_to_ask(open, "a1")), "CLIENT SETNAME rotary-a1?, PING");
    EXPECT_EQ(shown(steps_to_hear(open, "a1")),
              "CLIENT SETNAME rotary-a1?, SUBSCRIBE {rotary:ns}:ev");
    const config::Redis closed = redis_with("", "p w", 3);
    EXPECT_EQ(shown(steps_to_ask(closed, "a1")),
              "AUTH p w, CLIENT SETNAME rotary-a1?, SELECT 3, PING");
    const config::Redis user = redis_with("u", "p", 0);
    EXPECT_EQ(shown(steps_to_hear(user, "a1")),
              "AUTH u p, CLIENT SETNAME rotary-a1?, SUBSCRIBE {rotary:ns}:ev");
}

TEST(FleetRedisLogin, AClientsNameHasNoSpaces) {
    EXPECT_EQ(client_name("pod a\n\x80z"), "rotary-pod_a__z");
}

Reply error(const char* text) {
    Reply reply;
    reply.kind = Reply::Kind::error;
    reply.text = text;
    return reply;
}

TEST(FleetRedisLogin, ErrorsSayWhatTheyAreOf) {
    struct Row {
        const char* text;
        Refusal refusal;
    };
    const Row rows[] = {
        {"LOADING Redis is loading the dataset in memory", Refusal::away},
        {"MASTERDOWN Link with MASTER is down", Refusal::away},
        {"OOM command not allowed when used memory > 'maxmemory'.", Refusal::away},
        {"BUSY Redis is busy running a script.", Refusal::away},
        {"NOREPLICAS Not enough good replicas to write.", Refusal::away},
        {"MISCONF Redis is configured to save RDB snapshots", Refusal::away},
        {"CLUSTERDOWN The cluster is down", Refusal::away},
        {"TRYAGAIN Multiple keys request during rehashing of slot", Refusal::away},
        {"ASK 3999 127.0.0.1:6381", Refusal::away},
        {"MOVED 3999 127.0.0.1:6381", Refusal::moved},
        {"READONLY You can't write against a read only replica.", Refusal::read_only},
        {"WRONGPASS invalid username-password pair or user is disabled.", Refusal::password},
        {"NOAUTH Authentication required.", Refusal::password},
        {"NOPERM this user has no permissions to run the 'evalsha' command", Refusal::rights},
        {"ERR unknown command", Refusal::none},
        {"WRONGTYPE Operation against a key", Refusal::none},
    };
    for (const Row& row : rows) EXPECT_EQ(refusal_of(error(row.text)), row.refusal) << row.text;
    Reply text = error("READONLY x");
    text.kind = Reply::Kind::text;
    EXPECT_EQ(refusal_of(text), Refusal::none);
    EXPECT_EQ(refusal_of(Reply()), Refusal::none);
}

TEST(FleetRedisLogin, WhatAnOperatorCanMendHasARemedy) {
    EXPECT_THAT(std::string(remedy_of(Refusal::password)), HasSubstr("state.redis.password_file"));
    EXPECT_THAT(std::string(remedy_of(Refusal::rights)), HasSubstr("docs/several-replicas.md"));
    EXPECT_THAT(std::string(remedy_of(Refusal::away)), IsEmpty());
}

TEST(FleetRedisLogin, AClusterSaysWhereTheKeysAre) {
    using Place = config::HostPort;
    struct Row {
        const char* text;
        std::optional<Place> place;
    };
    const Row rows[] = {
        {"MOVED 3999 127.0.0.1:6381", Place{"127.0.0.1", 6381}},
        {"MOVED 3999 node-2.cache.example.com:6379", Place{"node-2.cache.example.com", 6379}},
        {"MOVED 3999 2001:db8::1:6379", Place{"2001:db8::1", 6379}},
        {"MOVED 3999 :6381", Place{"here", 6381}},
        {"MOVED 3999 ?:6381", Place{"here", 6381}},
        {"MOVED 3999", std::nullopt},
        {"MOVED 3999 127.0.0.1", std::nullopt},
        {"MOVED 3999 127.0.0.1:0", std::nullopt},
        {"MOVED 3999 127.0.0.1:65536", std::nullopt},
        {"MOVED 3999 127.0.0.1:x", std::nullopt},
        {"ASK 3999 127.0.0.1:6381", std::nullopt},
        {"", std::nullopt},
    };
    for (const Row& row : rows) EXPECT_EQ(moved_to(row.text, "here"), row.place) << row.text;
}

TEST(FleetRedisLogin, ASentinelSaysWhereTheMasterIs) {
    config::Redis redis;
    redis.master_name = "mine";
    EXPECT_EQ(shown(steps_to_sentinel(redis)), "SENTINEL get-master-addr-by-name mine");
    const auto answer = [](const std::vector<std::string>& words) {
        Reply reply;
        reply.kind = Reply::Kind::array;
        for (const std::string& word : words) {
            reply.elements.emplace_back().kind = Reply::Kind::text;
            reply.elements.back().text = word;
        }
        return reply;
    };
    EXPECT_EQ(master_of(answer({"10.0.0.7", "6379"})), (config::HostPort{"10.0.0.7", 6379}));
    EXPECT_EQ(master_of(answer({"10.0.0.7"})), std::nullopt);
    EXPECT_EQ(master_of(answer({"10.0.0.7", "0"})), std::nullopt);
    EXPECT_EQ(master_of(answer({"", "6379"})), std::nullopt);
    EXPECT_EQ(master_of(Reply()), std::nullopt);
}

}  // namespace
}  // namespace rotary::fleet
