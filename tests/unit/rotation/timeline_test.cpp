#include <rotary/rotation/suspension.hpp>

#include <gtest/gtest.h>

// The suspension that ARCHITECTURE.md works out, "When a provider fails": row by row, with the
// defaults and without the tenth by chance.
namespace rotary::rotation {
namespace {

using namespace std::chrono_literals;

class TimelineTest : public testing::Test {
protected:
    static SteadyTime at(std::chrono::milliseconds when) { return SteadyTime(1h) + when; }
    Standing standing(std::chrono::milliseconds when) const { return entry_.standing(at(when)); }
    bool claims(std::chrono::milliseconds when) { return entry_.claim_probe(at(when), limits_); }
    bool fails(std::chrono::milliseconds when, bool probe) {
        return entry_.fail(at(when), probe, limits_);
    }

    EntryState entry_;
    EntryState::Limits limits_;
};

TEST_F(TimelineTest, OfAProviderThatBreaks) {
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(fails(0s, false));
    EXPECT_EQ(standing(0s), Standing::active);
    EXPECT_TRUE(fails(0s, false)) << "the fifth in a row";
    EXPECT_EQ(standing(4999ms), Standing::out);
    EXPECT_FALSE(claims(4999ms));

    EXPECT_EQ(standing(5s), Standing::probe_due);
    EXPECT_TRUE(claims(5s));
    EXPECT_FALSE(claims(5s)) << "one alone";
    EXPECT_EQ(standing(5100ms), Standing::out);

    EXPECT_TRUE(fails(5200ms, true));
    EXPECT_EQ(standing(15199ms), Standing::out) << "twice as long";
    EXPECT_EQ(standing(15200ms), Standing::probe_due);

    EXPECT_TRUE(claims(16s));
    EXPECT_EQ(standing(16999ms), Standing::out);
    EXPECT_EQ(standing(17s), Standing::probe_due) << "no verdict in a second";
    EXPECT_TRUE(claims(17s));
    EXPECT_FALSE(claims(17s)) << "one more, not the crowd";

    entry_.probe_passed();
    EXPECT_EQ(standing(17400ms), Standing::active);

    for (int i = 0; i < 4; ++i) EXPECT_FALSE(fails(20s, false));
    EXPECT_TRUE(fails(20s, false));
    EXPECT_EQ(standing(39999ms), Standing::out);
    EXPECT_EQ(standing(40s), Standing::probe_due);
}

TEST_F(TimelineTest, AfterAQuotaTheCrowdFollowsASlowProbe) {
    EXPECT_TRUE(entry_.suspend(at(0s), 16s, SuspendReason::rate_limited, limits_));
    EXPECT_TRUE(claims(16s));
    EXPECT_EQ(standing(16999ms), Standing::out);
    EXPECT_FALSE(claims(17s));
    EXPECT_EQ(standing(17s), Standing::active);
}

}  // namespace
}  // namespace rotary::rotation
