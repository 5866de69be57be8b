#include <rotary/routing/place_shares.hpp>

#include <rotary/routing/in_flight.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/in_parallel.hpp"

namespace rotary::routing {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1h};

class Shares : public testing::Test {
protected:
    Shares() {
        shares_.open([this] { ++rings_; });
        shares_.set_replicas(3);
    }
    InFlight::Entered enter(std::uint64_t key, std::uint32_t most = 9, bool is_patient = true) {
        return table_->enter(shares_, {key, most, now_, is_patient, false});
    }
    // What was handed in; null: nothing.
    PlaceShare* due() { return shares_.take_due(); }
    static void grant(PlaceShare& share, std::uint32_t granted, std::uint32_t rest) {
        share.grant(share.key(), {granted, rest});
        share.answered();
    }

    const std::unique_ptr<InFlight> table_ = std::make_unique<InFlight>();
    PlaceShares& shares_ = table_->share();
    SteadyTime now_ = kNow;
    std::atomic<int> rings_{0};
};

TEST_F(Shares, NothingIsTheirsUntilItIsGranted) {
    EXPECT_TRUE(enter(1).waits);
    EXPECT_TRUE(enter(1).waits);
    EXPECT_EQ(rings_, 1);
    PlaceShare* const share = due();
    ASSERT_NE(share, nullptr);
    EXPECT_EQ(PlaceShares::next(*share), nullptr) << "it is handed in once";
    EXPECT_EQ(share->take_lacking(), 2u);
    grant(*share, 2, 3);
    std::vector<InFlight::Place> places;
    for (int i = 0; i < 2; ++i) {
        auto entered = enter(1);
        ASSERT_TRUE(entered.place) << i;
        places.push_back(*std::move(entered.place));
    }
    EXPECT_TRUE(enter(1).waits);
    EXPECT_EQ(table_->count(1), 2u);
}

TEST_F(Shares, AreAskedForBeforeTheyAreGone) {
    enter(1);
    PlaceShare* share = due();
    grant(*share, 4, 10);
    share->set_low(1, kNow);
    const auto first = enter(1);
    const auto second = enter(1);
    EXPECT_EQ(due(), nullptr);
    const auto third = enter(1);
    EXPECT_TRUE(third.place);
    share = due();
    ASSERT_NE(share, nullptr) << "one is left";
    EXPECT_EQ(share->take_lacking(), 1u) << "the one that waited for the first";
    EXPECT_EQ(share->take_lacking(), 0u);
    grant(*share, 4, 10);
    share->set_low(1, kNow + 1ms);
    const auto fourth = enter(1);
    EXPECT_EQ(due(), nullptr) << "it was asked a moment ago";
    EXPECT_EQ(share->take_peak(4), 4u);
}

TEST_F(Shares, AreNotAskedForWhileTheyAreRefused) {
    enter(1);
    PlaceShare* const share = due();
    grant(*share, 0, 0);
    share->refuse_until(kNow + 5ms);
    EXPECT_FALSE(enter(1).waits);
    EXPECT_EQ(due(), nullptr);
    now_ += 5ms;
    EXPECT_TRUE(enter(1).waits);
    EXPECT_EQ(due(), share);
}

TEST_F(Shares, OfAllThatThereAreNoneIsAskedFor) {
    enter(1, 2);
    grant(*due(), 2, 0);
    const auto first = enter(1, 2);
    const auto second = enter(1, 2);
    EXPECT_TRUE(second.place);
    EXPECT_FALSE(enter(1, 2).waits);
    EXPECT_EQ(due(), nullptr);
}

TEST_F(Shares, WithoutTheFleetThereIsAPartOfTheRest) {
    struct Row {
        const char* name;
        bool is_heard;
        std::uint32_t granted;
        std::uint32_t rest;
        std::uint32_t most;
        std::uint32_t places;
    };
    const Row rows[] = {
        {"of the rest", true, 2, 7, 20, 4},         {"nothing is left", true, 2, 2, 20, 2},
        {"of a limit unheard", false, 0, 0, 20, 6}, {"one at least", false, 0, 0, 2, 1},
        {"never above it", true, 2, 30, 5, 5},
    };
    std::uint64_t key = 0;
    for (const Row& row : rows) {
        key += std::uint64_t{1} << 32;
        if (row.is_heard) {
            shares_.set_away(false);
            enter(key, row.most);
            grant(*due(), row.granted, row.rest);
        }
        for (const bool is_away : {true, false}) {  // or it has been waited for
            shares_.set_away(is_away);
            std::vector<InFlight::Place> places;
            for (;;) {
                auto entered = enter(key, row.most, is_away);
                EXPECT_FALSE(entered.waits) << row.name;
                if (!entered.place) break;
                places.push_back(*std::move(entered.place));
            }
            EXPECT_EQ(places.size(), row.places) << row.name;
        }
    }
}

TEST_F(Shares, OfAnotherKeyAreNot) {
    enter(1);
    PlaceShare* const share = due();
    grant(*share, 5, 5);
    constexpr std::uint64_t kOther = std::uint64_t{7} << 40 | 1;  // at the same place of the table
    EXPECT_TRUE(enter(kOther).waits);
    EXPECT_FALSE(share->is_of(kOther));
    EXPECT_TRUE(share->is_of(1));
    EXPECT_FALSE(share->view(kOther, kNow).heard);
    share->forget();
    EXPECT_TRUE(enter(1).waits);
}

TEST_F(Shares, OfAClosedDeskAreNoLonger) {
    EXPECT_EQ(table_->shares(), &shares_);
    shares_.close();
    EXPECT_EQ(table_->shares(), nullptr);
    EXPECT_EQ(std::make_unique<InFlight>()->shares(), nullptr);
}

// The control thread takes back what it can at any moment, and knows of all that is held.
TEST_F(Shares, WhatIsTakenBackIsNotUsedByAnyThread) {
    constexpr std::uint32_t kMost = 6;
    constexpr std::uint64_t kKey = 42;
    std::atomic<std::uint32_t> inside{0};
    std::atomic<bool> ends{false};
    std::atomic<int> entered{0};
    enter(kKey, kMost);
    PlaceShare& share = *due();
    share.answered();
    std::thread control([&] {
        for (std::uint32_t turn = 0; turn < 10'000; ++turn) {
            share.grant(kKey, {kMost, 0});
            if (shares_.take_due() != nullptr) share.answered();
            for (const int before = entered; entered == before;) {
            }
            const std::uint32_t less = turn % 2;
            share.lower(less);
            const std::uint32_t held = std::max(less, table_->count(kKey));
            // None is in that is not told of, until more is granted.
            for (int look = 0; look < 100; ++look) {
                if (inside.load() > held) ADD_FAILURE() << "more than is told of";
            }
        }
        ends = true;
    });
    test::in_parallel(4, [&](std::size_t) {
        while (!ends) {
            auto one = enter(kKey, kMost);
            if (!one.place) continue;
            if (inside.fetch_add(1) + 1 > kMost) ADD_FAILURE() << "too many";
            entered.fetch_add(1);
            inside.fetch_sub(1);
        }
    });
    control.join();
    EXPECT_GT(entered.load(), 0);
    EXPECT_EQ(table_->count(kKey), 0u);
}

}  // namespace
}  // namespace rotary::routing
