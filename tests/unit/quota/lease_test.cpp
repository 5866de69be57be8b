#include <rotary/quota/lease.hpp>

#include <rotary/quota/admission.hpp>
#include <rotary/quota/lease_desk.hpp>
#include <rotary/quota/limit_use.hpp>

#include <gtest/gtest.h>

#include "support/in_parallel.hpp"
#include "unit/quota/quota_times.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace rotary::quota {
namespace {

using namespace std::chrono_literals;

// A limit that is shared, with the control thread's part played by the test.
class Leases : public testing::Test {
protected:
    Leases() {
        table_.share([this] { ++rings_; });
        limit_.policy = "limit";
        limit_.amount = 100;
        limit_.family = table_.family("limit");
    }
    ~Leases() override {
        serve([](Lease&) {});
        Lease::Hold last = lease().let_go();
    }
    Lease& lease() { return *limit_.family->common().lease(); }
    template <class Do>
    int serve(const Do& answer) {
        int served = 0;
        for (Lease* due = table_.leases().take_due(); due != nullptr; ++served) {
            Lease& one = *due;
            due = LeaseDesk::next(one);
            answer(one);
            one.answered();
        }
        return served;
    }
    void grant(std::int64_t granted, std::int64_t rest, std::int64_t low = 0) {
        lease().grant(kNoon, {granted, rest, low, kNoon + 5s, kNoon + 60s});
    }

    CounterTable table_;
    Limit limit_;
    std::atomic<int> rings_{0};
};

TEST_F(Leases, AWindowThatNoneHasGrantedWaitsAndIsHandedInOnce) {
    Admission first;
    Admission second;
    EXPECT_FALSE(first.ask(limit_, 1, kNoon));
    EXPECT_FALSE(second.ask(limit_, 1, kNoon));
    EXPECT_TRUE(first.waits());
    EXPECT_EQ(first.reached(), nullptr);
    EXPECT_EQ(rings_, 1);
    EXPECT_EQ(serve([&](Lease& one) {
                  EXPECT_EQ(one.wanted().need, 1);
                  EXPECT_EQ(one.wanted().terms.amount, 100);
                  grant(10, 80);
              }),
              1);
    first.undo();
    EXPECT_FALSE(first.waits());
    EXPECT_TRUE(first.ask(limit_, 1, kNoon));
    EXPECT_EQ(first.requests().remaining, 89);  // nine here, eighty for all
    EXPECT_EQ(first.requests().reset, kNoon + 60s);
}

TEST_F(Leases, AskForMoreWhenTheyRunLow) {
    grant(10, 80, 3);
    Admission admission;
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_EQ(rings_, 0);
    EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_EQ(rings_, 1);
    EXPECT_EQ(serve([&](Lease& one) { EXPECT_EQ(one.wanted().need, 0); }), 1);
}

TEST_F(Leases, RefuseWithoutAskingWhenTheFleetHasNothingLeft) {
    grant(1, 0);
    Admission admission;
    EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_FALSE(admission.ask(limit_, 1, kNoon + 4999ms));
    EXPECT_FALSE(admission.waits());
    ASSERT_NE(admission.reached(), nullptr);
    EXPECT_EQ(admission.reached()->used, 100);
    EXPECT_EQ(admission.reached()->free_at, kNoon + 60s);
    EXPECT_EQ(rings_, 0);
    admission.ask(limit_, 1, kNoon + 5s);  // others may have given back
    EXPECT_FALSE(admission.waits());
    EXPECT_EQ(rings_, 1);
}

TEST_F(Leases, ALookSaysWhatAllHaveUsedAndWhatOfItHere) {
    const Counter& counter = limit_.family->common();
    EXPECT_EQ(use_of(limit_, counter, kNoon).here, 0);
    EXPECT_EQ(use_of(limit_, counter, kNoon).stands.used, 0) << "nothing was heard yet";
    grant(10, 80);
    Admission admission;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    const LimitUse use = use_of(limit_, counter, kNoon);
    EXPECT_EQ(use.here, 3);
    EXPECT_EQ(use.stands.used, 13) << "others were lent ten";
    EXPECT_EQ(use.stands.free_at, kNoon + 60s);
    lease().grant(kNoon, {10, -5, 0, kNoon + 5s, kNoon + 70s});
    EXPECT_EQ(use_of(limit_, counter, kNoon).stands.used, 98);
    EXPECT_EQ(use_of(limit_, counter, kNoon + 60s).stands.used, 0);
    limit_.sliding = true;
    lease().grant(kNoon, {3, -5, 0, kNoon + 5s, kNoon + 70s});
    EXPECT_EQ(use_of(limit_, counter, kNoon).stands.used, 105);
    EXPECT_EQ(use_of(limit_, counter, kNoon).stands.free_at, kNoon + 70s);
    limit_.sliding = false;
    table_.leases().close();
    EXPECT_FALSE(use_of(limit_, counter, kNoon).here);
    EXPECT_EQ(use_of(limit_, counter, kNoon).stands.used, 3);
}

TEST_F(Leases, ALookAsksTheFleetAndWantsNothingOfIt) {
    const HeldCounter counter(limit_.family->common());
    table_.leases().set_away(true);
    ask_fleet(limit_, counter, kNoon);
    EXPECT_EQ(rings_, 0);
    table_.leases().set_away(false);
    ask_fleet(limit_, counter, kNoon);
    ask_fleet(limit_, counter, kNoon);
    EXPECT_EQ(rings_, 1);
    EXPECT_EQ(serve([&](Lease& one) {
                  EXPECT_FALSE(one.wanted().asks_for_more);
                  EXPECT_EQ(one.wanted().terms.amount, 100);
                  grant(0, 60);
              }),
              1);
    EXPECT_EQ(use_of(limit_, *counter.get(), kNoon).stands.used, 40);
    Admission admission;
    EXPECT_FALSE(admission.ask(limit_, 1, kNoon));
    EXPECT_EQ(serve([&](Lease& one) { EXPECT_TRUE(one.wanted().asks_for_more); }), 1);
    table_.leases().close();
    ask_fleet(limit_, counter, kNoon);
    EXPECT_EQ(serve([](Lease&) {}), 0);
}

TEST_F(Leases, AWindowHasNothingOfTheOneBefore) {
    grant(50, 50);
    Admission admission;
    EXPECT_FALSE(admission.ask(limit_, 1, kNoon + 60s));
    EXPECT_TRUE(admission.waits());
}

TEST_F(Leases, WithoutPatienceOrFleetAReplicaHasItsPart) {
    table_.leases().set_replicas(4);
    Admission admission;
    admission.end_patience();
    EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_EQ(admission.requests().remaining, 100 / 4 - 1);
    admission.undo();
    table_.leases().set_away(true);
    grant(2, 40);
    Admission away;
    for (int i = 0; i < 2 + 40 / 4; ++i) EXPECT_TRUE(away.ask(limit_, 1, kNoon));
    EXPECT_FALSE(away.ask(limit_, 1, kNoon));
    EXPECT_FALSE(away.waits());
}

TEST_F(Leases, AClosedDeskLeavesCountersAsTheyWere) {
    table_.leases().close();
    Admission admission;
    EXPECT_TRUE(admission.ask(limit_, 1, kNoon));
    EXPECT_EQ(admission.requests().remaining, 99);
    EXPECT_EQ(table_.family("other")->common().lease(), nullptr);
}

TEST_F(Leases, TellWhatWasUsedAboveThem) {
    limit_.what = What::total;
    grant(10, 90);
    Admission admission;
    EXPECT_TRUE(admission.ask(limit_, 5, kNoon));
    Amounts used;
    used[What::total] = 30;
    admission.settle(used, kNoon);
    EXPECT_EQ(rings_, 1);
    EXPECT_EQ(lease().used(kNoon), 30);
}

// Workers that take, a control thread that grants and changes the window: no window admits more
// than was granted in it, whatever window the workers' clocks are in.
TEST_F(Leases, AdmitNoMoreThanIsGrantedWhateverTheOrder) {
    constexpr std::int64_t kWindows = 20;
    std::atomic<std::int64_t> window{0};
    limit_.amount = 1'000'000;
    test::in_parallel(4, [&](std::size_t thread) {
        if (thread == 0) {
            for (std::int64_t at = 0; at < kWindows; ++at) {
                const WallTime begin = kNoon + 1min * at;
                window = at;
                std::int64_t granted = 0;
                for (std::int64_t more = 0; more < 20; ++more) {
                    granted += 3;
                    lease().grant(begin, {granted, 1000, 0, {}, {}});
                    serve([](Lease&) {});
                    std::this_thread::yield();
                    EXPECT_LE(lease().used(begin), granted) << at;
                }
            }
            window = kWindows;
            return;
        }
        for (std::int64_t at = window; at < kWindows; at = window) {
            Admission admission;
            const WallTime now = kNoon + 1min * at;
            if (!admission.ask(limit_, 1, now)) continue;
            Amounts used;
            used[What::requests] = 1;
            admission.settle(used, now);
        }
    });
}

}  // namespace
}  // namespace rotary::quota
