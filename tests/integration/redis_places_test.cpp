// Where the client finds the Redis that has the keys: a Cluster's node, a sentinel's master.
#include "redis_fixture.hpp"

#include <support/loopback_port.hpp>

#include <csignal>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = Reply::Kind;

const fleet::Script kAdd("return redis.call('INCRBY', KEYS[1], 1)");

std::string place_of(const RedisServer& server) {
    return "127.0.0.1:" + std::to_string(server.port());
}

class RedisPlaces : public RedisTest {
protected:
    // Until a script that writes has an answer.
    bool until_it_counts() {
        return until([&] { return run(kAdd, {"{rotary:default}:n"}, {}).kind == Kind::integer; },
                     30s);
    }
};

TEST_F(RedisPlaces, AClusterLeadsToTheNodeThatHasTheKeys) {
    const std::vector<std::string> clustered{"--cluster-enabled", "yes"};
    const RedisServer first({.arguments = clustered});
    const RedisServer holder({.arguments = clustered});
    ASSERT_EQ(holder.command({"cluster", "addslotsrange", "0", "16383"}), "OK");
    first.command({"cluster", "meet", "127.0.0.1", std::to_string(holder.port())});
    for (const RedisServer* node : {&first, &holder}) {
        ASSERT_TRUE(eventually([&] {
            return node->command({"cluster", "info"}).starts_with("cluster_state:ok");
        }));
    }
    ASSERT_TRUE(connect(options(first)));
    EXPECT_EQ(run(kAdd, {"{rotary:default}:n"}, {}).kind, Kind::none);
    ASSERT_TRUE(until_connected(2));
    EXPECT_EQ(redis_.place(), place_of(holder));
    EXPECT_EQ(run(kAdd, {"{rotary:default}:n"}, {}).integer, 1);
    EXPECT_THAT(log(), HasSubstr("MOVED"));
    first.command({"publish", "{rotary:default}:ev", "at the other node"});
    ASSERT_TRUE(until([&] { return !heard_.empty(); })) << "all nodes publish it";
}

TEST_F(RedisPlaces, ASentinelLeadsToTheMasterAndToTheNextOne) {
    RedisServer master;
    RedisServer replica({.arguments = {"--replicaof", "127.0.0.1", std::to_string(master.port())}});
    ASSERT_TRUE(replica.wait_for_link());
    RedisOptions watching;
    watching.sentinel = true;
    watching.settings = "sentinel monitor mine 127.0.0.1 " + std::to_string(master.port()) +
                        " 1\nsentinel down-after-milliseconds mine 300\n"
                        "sentinel failover-timeout mine 2000\n";
    const RedisServer sentinel(watching);
    ASSERT_TRUE(eventually([&] {
        return sentinel.command({"sentinel", "replicas", "mine"}).find("port") != std::string::npos;
    }));
    LoopbackPort dead;
    fleet::RedisOptions to = options("redis.example.com", 1);  // which is not dialed
    to.redis.sentinels = {{"127.0.0.1", dead.number()}, {"127.0.0.1", sentinel.port()}};
    to.redis.master_name = "mine";
    ASSERT_TRUE(connect(to)) << redis_.error();
    EXPECT_EQ(redis_.place(), place_of(master));
    ASSERT_TRUE(until_it_counts());
    master.kill();
    ASSERT_TRUE(
        until([&] { return redis_.place() == place_of(replica) && redis_.is_ready(); }, 40s))
        << log();
    ASSERT_TRUE(until_it_counts());
    EXPECT_EQ(told_, "ready lost ready ");
}

TEST_F(RedisPlaces, ASentinelAndItsMasterAreVerified) {
    const RedisServer master({.arguments = {"--tls-replication", "yes"}, .tls = true});
    RedisOptions watching;
    watching.sentinel = watching.tls = true;
    watching.arguments = {"--tls-replication", "yes"};
    watching.settings = "sentinel monitor mine 127.0.0.1 " + std::to_string(master.port()) + " 1\n";
    const RedisServer sentinel(watching);
    fleet::RedisOptions to = options("localhost", 1);  // the name in certificates
    to.redis.tls = true;
    to.redis.ca_pem = read_file(certificates().other_ca);
    to.redis.sentinels = {{"127.0.0.1", sentinel.port()}};
    to.redis.master_name = "mine";
    redis_.configure(to);
    ASSERT_TRUE(until([&] { return redis_.counts().failures > 0; }));
    EXPECT_THAT(redis_.error(), HasSubstr("sentinel: tls: "));
    to.redis.ca_pem = read_file(certificates().ca);
    to.redis.url = "rediss://localhost";
    ASSERT_TRUE(connect(to)) << redis_.error();
    EXPECT_EQ(redis_.place(), place_of(master));
    ASSERT_TRUE(until_it_counts());
}

TEST_F(RedisPlaces, ASentinelMayNotKnowTheMaster) {
    const RedisServer some;
    RedisOptions watching;
    watching.sentinel = true;
    watching.settings = "sentinel monitor other 127.0.0.1 " + std::to_string(some.port()) + " 1\n";
    const RedisServer sentinel(watching);
    fleet::RedisOptions to = options("redis.example.com", 1);
    to.redis.sentinels = {{"127.0.0.1", sentinel.port()}};
    to.redis.master_name = "mine";
    redis_.configure(to);
    ASSERT_TRUE(until([&] { return redis_.counts().failures >= 2; }));
    EXPECT_EQ(redis_.error(), "the sentinel knows no master mine");
    EXPECT_EQ(lines("Redis is away"), 1U);
}

}  // namespace
}  // namespace rotary::test
