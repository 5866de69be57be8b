// Where replicas keep what they share.
#include <rotary/config/settings/state.hpp>

#include <gmock/gmock.h>

#include <span>
#include <string>

#include <support/temp_dir.hpp>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

Loaded loaded_with(const std::string& redis) {
    return load_process("watch: true\nstate: {redis: {" + redis + "}}\n");
}

// The first finding at `state`; empty: there is none.
std::string wrong(const std::string& redis) {
    const Loaded loaded = loaded_with(redis);
    for (const Finding& finding : loaded.findings) {
        const std::string line = to_text(std::span(&finding, 1));
        if (line.find(" state.") != line.npos) return line;
    }
    return "";
}

Redis redis(const std::string& text) {
    EXPECT_EQ(wrong(text), "");
    return loaded_with(text).config.state.redis.value_or(Redis());
}

TEST(StateSettings, AreOffUnlessThereIsAUrl) {
    EXPECT_FALSE(load_process("watch: true\n").config.state.redis);
    EXPECT_FALSE(loaded_with("").config.state.redis);
    EXPECT_FALSE(loaded_with("url: \"\"").config.state.redis);
    EXPECT_FALSE(loaded_with("namespace: a").config.state.redis);
    EXPECT_EQ(wrong("url: \"\", namespace: a, deadline_ms: 5"), "");
}

TEST(StateSettings, AUrlSaysWhereTheRedisIs) {
    struct Row {
        const char* url;
        const char* host;
        unsigned port;
        bool tls;
        unsigned database;
    };
    const Row rows[] = {
        {"redis://127.0.0.1", "127.0.0.1", 6379, false, 0},
        {"redis://127.0.0.1/", "127.0.0.1", 6379, false, 0},
        {"redis://redis-master.llm.svc:7000/3", "redis-master.llm.svc", 7000, false, 3},
        {"rediss://cache.example.com:6380", "cache.example.com", 6380, true, 0},
        {"rediss://[::1]:6380/15", "::1", 6380, true, 15},
        {"redis://[2001:db8::1]", "2001:db8::1", 6379, false, 0},
        {"redis://@h:1", "h", 1, false, 0},
        {"redis://h:65535/65535", "h", 65535, false, 65535},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.url);
        const Redis read = redis("url: \"" + std::string(row.url) + "\"");
        EXPECT_EQ(read.url, row.url);
        EXPECT_EQ(read.place, (HostPort{row.host, static_cast<std::uint16_t>(row.port)}));
        EXPECT_EQ(read.tls, row.tls);
        EXPECT_EQ(read.database, row.database);
        EXPECT_EQ(read.user, "");
    }
    for (const char* bad :
         {"127.0.0.1",     "redis://",        "redis:///1",         "http://a",
          "REDIS://a",     "redis://a:0",     "redis://a:65536",    "redis://a:b",
          "redis://a:",    "redis://a/x",     "redis://a/1/2",      "redis://a/65536",
          "redis://a/-1",  "redis://a?db=1",  "redis://a#1",        "redis://a b",
          "redis://::1",   "redis://[::1",    "redis://[::1]x:1",   "redis://[a]",
          "redis://%zz@a", "redis://a%20b@a", "rediss+sentinel://a"}) {
        EXPECT_THAT(wrong("url: \"" + std::string(bad) + "\""),
                    HasSubstr("state.redis.url: must be the address of a Redis"))
            << bad;
    }
}

TEST(StateSettings, APasswordStandsInAFile) {
    const test::TempDir dir;
    const std::string file = dir.write("password", "s3cret : with a colon\r\n");
    const Redis read =
        redis("url: \"rediss://gateway%40a@redis.example.com\", password_file: " + file);
    EXPECT_EQ(read.user, "gateway@a");
    EXPECT_EQ(read.password.reveal(), "s3cret : with a colon");
    const std::string said = wrong("url: \"redis://user:hunter2@localhost\"");
    EXPECT_THAT(said, HasSubstr("state.redis.url: must have no password in it: "
                                "state.redis.password_file names a file"));
    EXPECT_THAT(said, testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(wrong("url: \"redis://user@localhost\""),
                HasSubstr("state.redis.url: has a user without a password"));
    for (const std::string& text :
         {std::string(), std::string("\n"), std::string("a\nb\n"), std::string(4097, 'x')}) {
        const std::string bad = dir.write("bad", text);
        EXPECT_THAT(wrong("url: \"redis://localhost\", password_file: " + bad),
                    HasSubstr("state.redis.password_file: " + bad + " must hold the password"));
    }
    const std::string long_one = dir.write("long", std::string(4096, 'x'));
    EXPECT_EQ(redis("url: \"redis://h1\"").password.reveal(), "");
    EXPECT_EQ(redis("url: \"redis://[::1]\", password_file: " + long_one).password.reveal().size(),
              4096U);
    EXPECT_THAT(wrong("url: \"redis://localhost\", password_file: " + (dir / "none")),
                HasSubstr("state.redis.password_file: there is no file"));
}

TEST(StateSettings, APasswordInTheClearIsWarnedOf) {
    const test::TempDir dir;
    const std::string file = "\", password_file: " + dir.write("password", "secret");
    for (const char* url : {"redis://localhost", "redis://127.0.0.2", "redis://[::1]",
                            "rediss://redis.example.com"}) {
        EXPECT_EQ(wrong("url: \"" + std::string(url) + file), "") << url;
    }
    EXPECT_THAT(wrong("url: \"redis://redis.example.com" + file),
                HasSubstr("warning: state.redis.url: the password travels unencrypted to "
                          "redis.example.com: rediss:// is the same with TLS"));
    EXPECT_EQ(wrong("url: \"redis://redis.example.com\""), "") << "there is none to be seen";
}

TEST(StateSettings, CertificatesAreReadWithTheRest) {
    const test::TempDir dir;
    const std::string ca = data_file("listener.crt");
    EXPECT_EQ(redis("url: \"rediss://a\", ca: " + ca).ca_pem, test::read_file(ca));
    EXPECT_THAT(wrong("url: \"redis://a\", ca: " + ca), HasSubstr("no certificate is asked"));
    EXPECT_THAT(wrong("url: \"rediss://a\", ca: " + dir.write("ca", "x")),
                HasSubstr("no certificate is in it"));
    EXPECT_THAT(wrong("ca: " + ca), HasSubstr("there is no state.redis.url: nothing is shared"));
}

TEST(StateSettings, ANamespaceAndADeadlineHaveTheirEdges) {
    EXPECT_EQ(redis("url: \"redis://a\"").name_space, "default");
    EXPECT_EQ(redis("url: \"redis://a\"").deadline, milliseconds(20));
    const std::string longest(64, 'a');
    for (const std::string& name : {std::string("a"), std::string("A-b_c.9"), longest}) {
        EXPECT_EQ(redis("url: \"redis://a\", namespace: \"" + name + "\"").name_space, name);
    }
    for (const std::string& name : {std::string(), std::string("a b"), std::string("a}"),
                                    std::string("a:b"), std::string("ä"), longest + "a"}) {
        EXPECT_THAT(wrong("url: \"redis://a\", namespace: \"" + name + "\""),
                    HasSubstr("state.redis.namespace: must be 1 to 64 letters"));
    }
    EXPECT_EQ(redis("url: \"redis://a\", deadline_ms: 1").deadline, milliseconds(1));
    EXPECT_EQ(redis("url: \"redis://a\", deadline_ms: 1000").deadline, milliseconds(1000));
    for (const char* bad : {"0", "1001", "-1", "20ms"}) {
        EXPECT_THAT(wrong("url: \"redis://a\", deadline_ms: " + std::string(bad)),
                    HasSubstr("state.redis.deadline_ms: must be "))
            << bad;
    }
}

TEST(StateSettings, SentinelsAreAskedForAMasterByItsName) {
    const Redis read =
        redis("url: \"redis://a\", sentinels: [s1, \"s2:7\", \"[::1]:8\"], master_name: mine");
    EXPECT_EQ(read.sentinels, (std::vector<HostPort>{{"s1", 26379}, {"s2", 7}, {"::1", 8}}));
    EXPECT_EQ(read.master_name, "mine");
    EXPECT_THAT(wrong("url: \"redis://a\", sentinels: [s1]"),
                HasSubstr("state.redis.sentinels: are asked for a master by its name"));
    EXPECT_THAT(wrong("url: \"redis://a\", master_name: mine"),
                HasSubstr("state.redis.master_name: is what sentinels are asked for"));
    EXPECT_THAT(wrong("url: \"redis://a\", sentinels: [\"s 1\"], master_name: mine"),
                HasSubstr("state.redis.sentinels[0]: must be the host of a sentinel"));
    for (const char* alone : {"sentinels: [s1]", "master_name: mine"}) {
        EXPECT_THAT(wrong(alone), HasSubstr("nothing is shared")) << alone;
    }
}

TEST(StateSettings, WhatConnectsAlikeNeedsNoOtherClient) {
    const Redis one = redis("url: \"redis://a\"");
    Redis moved = one;
    moved.url_mark.line += 3;
    EXPECT_TRUE(connects_alike(one, moved));
    for (const auto& change :
         {+[](Redis& to) { to.url = "redis://b"; }, +[](Redis& to) { to.password = Secret("x"); },
          +[](Redis& to) { to.ca_pem = "x"; }, +[](Redis& to) { to.name_space = "x"; },
          +[](Redis& to) { to.deadline = milliseconds(1); },
          +[](Redis& to) {
              to.sentinels = {{"s", 1}};
          },
          +[](Redis& to) { to.master_name = "x"; }}) {
        Redis other = one;
        change(other);
        EXPECT_FALSE(connects_alike(one, other));
        EXPECT_FALSE(connects_alike(State{one}, State{other}));
    }
    EXPECT_FALSE(connects_alike(State{one}, State{}));
    EXPECT_TRUE(connects_alike(State{}, State{}));
    EXPECT_TRUE(connects_alike(State{one}, State{moved}));
}

}  // namespace
}  // namespace rotary::config
