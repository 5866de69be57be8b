#include "cluster_fixture.hpp"

#include <support/sanitized.hpp>

#include <thread>

// A whole gateway whose resources are an API server's.
namespace rotary::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(KubernetesSource, NothingIsServedBeforeAllIsListed) {
    Cluster cluster;
    cluster.apply_all();
    cluster.server.close();
    cluster.start();
    EXPECT_THAT(cluster.ready(), HasSubstr("waiting for the API server"));
    EXPECT_EQ(cluster.status(), 404U);
    EXPECT_EQ(cluster.gateway->metric("rotary_kubernetes_up"), 0);
    cluster.server.open();
    EXPECT_TRUE(cluster.serves("gpt"));
    EXPECT_THAT(cluster.ready(), Not(HasSubstr("waiting")));
    EXPECT_EQ(cluster.source("connected"), "true");
    EXPECT_TRUE(eventually([&] { return cluster.gateway->metric("rotary_kubernetes_up") == 1; }));
    EXPECT_EQ(cluster.gateway->metric("rotary_kubernetes_objects{kind=\"API\"}"), 1);
}

// From the write of an object to the first request that it rules: within a second.
TEST(KubernetesSource, AnEditIsServedWithinASecond) {
    Cluster cluster;
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    const auto began = std::chrono::steady_clock::now();
    cluster.apply_all("newer");
    EXPECT_TRUE(cluster.serves("newer"));
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LT(took, kSanitized ? 10s : 1s);
    cluster.server.remove(resource_of("API"), "chat-api");
    EXPECT_TRUE(eventually([&] { return cluster.status() == 404; }));
    cluster.apply_all("again");
    EXPECT_TRUE(cluster.serves("again"));
}

TEST(KubernetesSource, NoStreamBreaksWhileObjectsChange) {
    mock::MockOptions slow;
    slow.tokens = 40;
    slow.chunk_interval = 25ms;
    Cluster cluster({}, slow);
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    std::vector<Response> streams(8);
    std::vector<std::thread> clients;
    for (Response& stream : streams) {
        clients.emplace_back([&] {
            stream = fetch(cluster.gateway->client(), chat(R"({"stream":true,"messages":[]})"));
        });
    }
    for (int i = 0; i < 5; ++i) {
        const std::string model = "m" + std::to_string(i);
        cluster.apply_all(model);
        EXPECT_TRUE(cluster.serves(model));
        if (i == 2) cluster.server.cut_watches();
    }
    for (std::thread& client : clients) client.join();
    for (const Response& stream : streams) {
        EXPECT_TRUE(stream.whole());
        EXPECT_THAT(stream.body, HasSubstr("[DONE]"));
    }
}

TEST(KubernetesSource, AWrongObjectKeepsItsLastGoodVersionAndTheOthersGoOn) {
    Cluster cluster;
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    cluster.server.put(resource_of("Backend"), "backend-0", R"("spec":{"services":"none"})");
    EXPECT_TRUE(eventually([&] { return cluster.source("held") == "[1]"; }));
    EXPECT_EQ(cluster.source("held.0.object"), "Backend default/backend-0");
    EXPECT_EQ(cluster.source("held.0.in_force"), "its last good version");
    EXPECT_THAT(cluster.source("held.0.finding"), HasSubstr("spec.services"));
    EXPECT_EQ(cluster.gateway->metric("rotary_kubernetes_held_objects"), 1);
    EXPECT_EQ(cluster.status(), 200U);

    // Another object's edit is served all the same.
    put_documents(cluster.server, open_api());
    EXPECT_TRUE(eventually([&] {
        return fetch(cluster.gateway->client(), request_for("GET", "/open/1.0/models")).status !=
               404;
    }));
    cluster.apply_all("repaired");
    EXPECT_TRUE(cluster.serves("repaired"));
    EXPECT_TRUE(eventually([&] { return cluster.source("held") == "[0]"; }));
}

TEST(KubernetesSource, ASecretThatIsRotatedIsUsed) {
    Cluster cluster;
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    const auto key = [&] {
        static_cast<void>(cluster.status());
        const auto requests = cluster.mock->requests();
        return std::string(requests.back().header("authorization"));
    };
    EXPECT_EQ(key(), "Bearer sk-up");
    cluster.server.put(resource_of("Secret"), "key-0", R"("data":{"apiKey":"QmVhcmVyIG5ldw=="})");
    EXPECT_TRUE(eventually([&] { return key() == "Bearer new"; }));
}

// A narrow role: only Secrets that are named may be read.
TEST(KubernetesSource, SecretsAreReadOneByOneWhereTheRoleIsNarrow) {
    Cluster cluster;
    cluster.server.forbid("secrets", true);
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    EXPECT_GE(cluster.server.count("fieldSelector=metadata.name%3Dkey-0"), 2U);
    cluster.server.put(resource_of("Secret"), "key-0", R"("data":{"apiKey":"QmVhcmVyIG5ldw=="})");
    EXPECT_TRUE(eventually([&] {
        static_cast<void>(cluster.status());
        return cluster.mock->requests().back().header("authorization") == "Bearer new";
    }));
}

TEST(KubernetesSource, WithoutTheRightToAKindItIsNotReady) {
    Cluster cluster;
    cluster.server.forbid("backends");
    cluster.apply_all();
    cluster.start();
    EXPECT_TRUE(
        eventually([&] { return cluster.ready().find("Backend: 403") != std::string::npos; }));
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - began < 500ms) {  // for good, not for a moment
        ASSERT_THAT(cluster.ready(), HasSubstr("waiting for the API server"));
    }
    EXPECT_EQ(cluster.status(), 404U);
    cluster.server.allow("backends");
    EXPECT_TRUE(cluster.serves("gpt"));
    cluster.server.forbid("backends");
    cluster.server.cut_watches();
    EXPECT_TRUE(eventually([&] { return cluster.source("connected") == "false"; }));
    EXPECT_EQ(cluster.status(), 200U);
    EXPECT_THAT(cluster.ready(), Not(HasSubstr("waiting")));
}

TEST(KubernetesSource, AnApiServerThatIsAwayTakesNothingAway) {
    Cluster cluster;
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    cluster.server.close();
    EXPECT_TRUE(eventually([&] { return cluster.source("connected") == "false"; }));
    cluster.apply_all("while-away");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(cluster.status(), 200U);
    EXPECT_EQ(cluster.model(), "gpt");
    cluster.server.forget_history();
    cluster.server.open();
    EXPECT_TRUE(cluster.serves("while-away"));
    EXPECT_TRUE(eventually([&] { return cluster.source("connected") == "true"; }));
}

TEST(KubernetesSource, AKindThatIsRemovedIsHeldForAWhile) {
    Cluster cluster;
    cluster.apply_all();
    cluster.start();
    ASSERT_TRUE(cluster.serves("gpt"));
    const auto began = std::chrono::steady_clock::now();
    cluster.server.uninstall(resource_of("HTTPRoute"));
    while (std::chrono::steady_clock::now() - began < 1s) ASSERT_EQ(cluster.status(), 200U);
    EXPECT_TRUE(eventually([&] { return cluster.status() == 404; }));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 2s);
}

}  // namespace
}  // namespace rotary::test
