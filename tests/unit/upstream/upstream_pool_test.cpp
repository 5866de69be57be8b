#include <rotary/upstream/upstream_pool.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace rotary::upstream {
namespace {

class UpstreamPoolTest : public testing::Test {
protected:
    std::size_t hold(const std::string& key) { return pool_.hold(key, state_, {}); }

    boost::asio::io_context context_;
    net::Reactor reactor_{context_};
    std::shared_ptr<rotation::BackendState> state_ = std::make_shared<rotation::BackendState>();
    UpstreamPool pool_{reactor_, {}};
};

TEST_F(UpstreamPoolTest, EqualKeysShareABucket) {
    const std::size_t a = hold("a");
    const std::size_t b = hold("b");
    EXPECT_NE(a, b);
    EXPECT_EQ(hold("a"), a);
    EXPECT_EQ(pool_.buckets(), 2U);
}

TEST_F(UpstreamPoolTest, ABucketStaysAsLongAsItIsHeld) {
    const std::size_t a = hold("a");
    hold("a");
    pool_.release(a);
    EXPECT_EQ(pool_.buckets(), 1U);
    EXPECT_NE(hold("b"), a) << "an exchange may still be counting on it";
    EXPECT_EQ(hold("a"), a);
}

// A configuration with other Backends each time must not make the pool grow.
TEST_F(UpstreamPoolTest, PlacesOfWhatIsGoneAreUsedAgain) {
    const std::size_t kept = hold("kept");
    std::size_t last = hold("backend 0");
    for (int i = 1; i < 1000; ++i) {
        const std::size_t next = hold("backend " + std::to_string(i));
        pool_.release(last);
        last = next;
        EXPECT_LT(next, 3U);
        EXPECT_NE(next, kept);
        EXPECT_EQ(pool_.buckets(), 2U);
    }
    pool_.release(last);
    EXPECT_EQ(state_.use_count(), 2) << "a place that is free keeps nothing alive";
}

}  // namespace
}  // namespace rotary::upstream
