// Entries whose Backend has had what a limit of ours allows.
#include <rotary/rotation/rotation.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{std::chrono::hours(1)};

TEST(Limited, IsOutUntilThenAndBackWithoutAProbe) {
    EntryState state;
    state.set_limited(kNow + 10s);
    EXPECT_EQ(state.standing(kNow), Standing::out);
    EXPECT_EQ(state.standing(kNow + 10s - 1ns), Standing::out);
    EXPECT_EQ(state.standing(kNow + 10s), Standing::active);
    EXPECT_EQ(state.until(), kNow + 10s);
    EXPECT_EQ(state.out_until(), kNow + 10s);
    EXPECT_EQ(state.reason(), SuspendReason::limit);
}

TEST(Limited, LeavesASuspensionAsItIs) {
    EntryState state;
    state.suspend(kNow, 30s, SuspendReason::rate_limited, {});
    state.set_limited(kNow + 10s);
    EXPECT_EQ(state.reason(), SuspendReason::rate_limited);
    EXPECT_EQ(state.standing(kNow + 10s), Standing::out);
    EXPECT_EQ(state.standing(kNow + 30s), Standing::probe_due);
    state.set_limited(kNow + 60s);
    EXPECT_EQ(state.reason(), SuspendReason::limit);
    EXPECT_EQ(state.standing(kNow + 30s), Standing::out);
    EXPECT_EQ(state.standing(kNow + 60s), Standing::probe_due);
}

TEST(Limited, IsForgottenWhenTheLimitIsAnotherOne) {
    EntryState state;
    state.set_limited(kNow + 10s);
    state.set_limited(SteadyTime::min());
    EXPECT_EQ(state.standing(kNow), Standing::active);
    EXPECT_EQ(state.until(), SteadyTime::min());
}

TEST(Limited, IsPassedOverAndComesBackOnTime) {
    std::vector<std::shared_ptr<EntryState>> states{std::make_shared<EntryState>(),
                                                    std::make_shared<EntryState>()};
    auto cursor = std::make_shared<Cursor>(std::vector<std::uint32_t>{1, 1});
    const Rotation rotation(std::move(cursor), states, {});
    ASSERT_TRUE(rotation.pick(kNow, {}));
    states[0]->set_limited(kNow + 10s);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(rotation.pick(kNow, {})->entry, 1U);
    EXPECT_EQ(rotation.soonest_return(kNow), kNow + 10s);
    bool is_back = false;
    for (int i = 0; i < 2; ++i) is_back |= rotation.pick(kNow + 10s, {})->entry == 0;
    EXPECT_TRUE(is_back);
    states[0]->set_limited(kNow + 20s);
    states[1]->set_limited(kNow + 20s);
    EXPECT_FALSE(rotation.pick(kNow + 10s, {}));
    EXPECT_TRUE(rotation.all_out_for_quota(kNow + 10s));
}

}  // namespace
}  // namespace rotary::rotation
