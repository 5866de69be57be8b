#include "server/loss_notice.hpp"

#include <gtest/gtest.h>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr SteadyTime kStart{1000s};

TEST(LossNotice, TheFirstIsToldOfAtOnce) {
    LossNotice notice;
    EXPECT_EQ(notice.due(0, kStart), std::nullopt);
    EXPECT_EQ(notice.due(3, kStart), 3U);
}

TEST(LossNotice, ThenAtMostEveryTenSecondsOfThoseSince) {
    LossNotice notice;
    notice.due(3, kStart);
    EXPECT_EQ(notice.due(5, kStart + 1s), std::nullopt);
    EXPECT_EQ(notice.due(9, kStart + 10s - 1ms), std::nullopt);
    EXPECT_EQ(notice.due(10, kStart + 10s), 7U) << "none is forgotten";
    EXPECT_EQ(notice.due(11, kStart + 19s), std::nullopt);
    EXPECT_EQ(notice.due(11, kStart + 20s), 1U);
}

TEST(LossNotice, WithoutNewOnesThereIsNothingToTell) {
    LossNotice notice;
    notice.due(3, kStart);
    EXPECT_EQ(notice.due(3, kStart + 3600s), std::nullopt);
    EXPECT_EQ(notice.due(4, kStart + 3601s), 1U) << "at once again";
}

}  // namespace
}  // namespace rotary::server
