#include <rotary/proxy/exchange_pool.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "proxy/exchange.hpp"

namespace rotary::proxy {
namespace {

TEST(ExchangePool, GivesTheSameOneAgain) {
    ExchangePool pool;
    const Exchange* first = nullptr;
    {
        const ExchangePool::Lease lease(pool);
        first = &*lease;
        EXPECT_EQ(pool.kept(), 0U);
    }
    EXPECT_EQ(pool.kept(), 1U);
    const ExchangePool::Lease again(pool);
    EXPECT_EQ(&*again, first);
}

TEST(ExchangePool, HasOneForEachRequestInFlight) {
    ExchangePool pool;
    const ExchangePool::Lease first(pool);
    const ExchangePool::Lease second(pool);
    EXPECT_NE(&*first, &*second);
}

TEST(ExchangePool, KeepsSoManyAndNoMore) {
    ExchangePool pool;
    {
        std::vector<std::unique_ptr<ExchangePool::Lease>> leases;
        for (int i = 0; i < 1500; ++i)
            leases.push_back(std::make_unique<ExchangePool::Lease>(pool));
    }
    EXPECT_EQ(pool.kept(), 1024U);
}

}  // namespace
}  // namespace rotary::proxy
