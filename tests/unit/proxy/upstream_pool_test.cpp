#include <rotary/proxy/upstream_pool.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::proxy {
namespace {

UpstreamPool::Limits limits() { return {}; }

TEST(UpstreamPool, EqualKeysShareABucket) {
    UpstreamPool pool(limits());
    const std::size_t a = pool.hold("a");
    const std::size_t b = pool.hold("b");
    EXPECT_NE(a, b);
    EXPECT_EQ(pool.hold("a"), a);
    EXPECT_EQ(pool.buckets(), 2U);
}

TEST(UpstreamPool, ABucketStaysAsLongAsItIsHeld) {
    UpstreamPool pool(limits());
    const std::size_t a = pool.hold("a");
    pool.hold("a");
    pool.release(a);
    EXPECT_EQ(pool.buckets(), 1U);
    EXPECT_NE(pool.hold("b"), a) << "an exchange may still be counting on it";
    EXPECT_EQ(pool.hold("a"), a);
}

// A configuration with other Backends each time must not make the pool grow.
TEST(UpstreamPool, PlacesOfWhatIsGoneAreUsedAgain) {
    UpstreamPool pool(limits());
    const std::size_t kept = pool.hold("kept");
    std::size_t last = pool.hold("backend 0");
    for (int i = 1; i < 1000; ++i) {
        const std::size_t next = pool.hold("backend " + std::to_string(i));
        pool.release(last);
        last = next;
        EXPECT_LT(next, 3U);
        EXPECT_NE(next, kept);
        EXPECT_EQ(pool.buckets(), 2U);
    }
    EXPECT_EQ(pool.take(last, net::SteadyTime()), nullptr);
}

}  // namespace
}  // namespace rotary::proxy
