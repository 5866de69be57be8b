#include <rotary/proxy/key_waits.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace rotary::proxy {
namespace {

TEST(KeyWaits, AllThatWaitAreWoken) {
    KeyWaits waits;
    EXPECT_TRUE(waits.empty());
    waits.wake_all();
    KeyWaits::Waiter first(waits);
    KeyWaits::Waiter second(waits);
    EXPECT_FALSE(waits.empty());
    EXPECT_FALSE(first.news.is_set());
    waits.wake_all();
    EXPECT_TRUE(first.news.is_set());
    EXPECT_TRUE(second.news.is_set());
    first.news.reset();
    waits.wake_all();
    EXPECT_TRUE(first.news.is_set()) << "who waits on is woken again";
}

// As frames go: in any order, with others left.
TEST(KeyWaits, WhoGoesTakesItselfOut) {
    for (const std::vector<std::size_t>& order :
         {std::vector<std::size_t>{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}}) {
        KeyWaits waits;
        std::vector<std::unique_ptr<KeyWaits::Waiter>> waiters;
        for (int i = 0; i < 3; ++i) waiters.push_back(std::make_unique<KeyWaits::Waiter>(waits));
        for (const std::size_t gone : order) {
            waiters[gone].reset();
            KeyWaits::Waiter late(waits);
            waits.wake_all();
            EXPECT_TRUE(late.news.is_set());
            for (const auto& waiter : waiters) {
                if (!waiter) continue;
                EXPECT_TRUE(waiter->news.is_set());
                waiter->news.reset();
            }
        }
        EXPECT_TRUE(waits.empty());
    }
}

TEST(KeyWaits, TheListMayGoFirst) {
    std::optional<KeyWaits> waits(std::in_place);
    KeyWaits::Waiter first(*waits);
    KeyWaits::Waiter second(*waits);
    waits.reset();
    EXPECT_FALSE(first.news.is_set());
}

}  // namespace
}  // namespace rotary::proxy
