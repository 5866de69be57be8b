#include <rotary/fleet/replicas.hpp>

#include <gtest/gtest.h>

#include "support/model_store.hpp"

#include <memory>
#include <set>

namespace rotary::fleet {
namespace {

using namespace std::chrono_literals;

struct Present {
    Present(test::ModelServer& server, const std::shared_ptr<test::MovedTime>& time,
            const std::string& id)
        : store(server, *time, 100us),
          replicas(std::make_unique<Replicas>(store, time, "test", id)) {}
    std::size_t count() const { return replicas->count(); }
    test::ModelStore store;
    std::unique_ptr<Replicas> replicas;
};

TEST(Replicas, HaveEachANameOfSixteenDigits) {
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) names.insert(make_replica_id());
    EXPECT_EQ(names.size(), 100u);
    EXPECT_EQ(names.begin()->size(), 16u);
    EXPECT_EQ(names.begin()->find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Replicas, CountWhoHasSaidAWordInFifteenSeconds) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Present first(server, time, "first");
    EXPECT_EQ(first.count(), 1u) << "before any word";
    Present second(server, time, "second");
    auto third = std::make_unique<Present>(server, time, "third");
    time->move(5001ms);
    EXPECT_EQ(first.count(), 3u);
    EXPECT_EQ(third->count(), 3u);

    second.store.cut();
    third.reset();  // without a word
    time->move(13s);
    EXPECT_EQ(first.count(), 3u);
    time->move(7s);
    EXPECT_EQ(first.count(), 1u);
    EXPECT_EQ(second.count(), 3u) << "as last heard of";
    second.store.join();
    time->move(1ms);
    EXPECT_EQ(second.count(), 2u);
}

TEST(Replicas, OneThatLeavesIsGoneAtTheNextWord) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Present first(server, time, "first");
    Present second(server, time, "second");
    time->move(5001ms);
    ASSERT_EQ(first.count(), 2u);
    bool left = false;
    second.replicas->leave([&] { left = true; });
    EXPECT_FALSE(left);
    time->move(1ms);
    EXPECT_TRUE(left);
    time->move(5s);
    EXPECT_EQ(first.count(), 1u);
    time->move(20s);
    EXPECT_EQ(first.count(), 1u) << "it says no more";
}

TEST(Replicas, AnEmptiedStoreMakesNoPartOfALimitLarger) {
    const auto time = std::make_shared<test::MovedTime>();
    test::ModelServer server(*time);
    Present first(server, time, "first");
    Present second(server, time, "second");
    time->move(5001ms);
    ASSERT_EQ(first.replicas->parts(), 2u);
    second.store.cut();  // so long that it would be taken for dead
    server.flush();
    time->move(10s);
    EXPECT_EQ(first.count(), 1u);
    EXPECT_EQ(first.replicas->parts(), 2u);
    time->move(10s);
    EXPECT_EQ(first.replicas->parts(), 1u);
}

}  // namespace
}  // namespace rotary::fleet
