// What a session's exchange keeps between two requests.
#include "proxy/exchange.hpp"

#include <gtest/gtest.h>

#include <malloc.h>

#include <string>

namespace rotary::proxy {
namespace {

// A session that waits for its next request is small again, whatever events its last one had.
TEST(ExchangeTest, WhatALargeEventNeededGoesBack) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "sanitizers count their own way";
#else
    const auto bytes_in_use = [] { return mallinfo2().uordblks; };
    const std::string event =
        "data: {\"usage\":{\"padding\":\"" + std::string(60'000, 'x') + "\"}}\n\n";
    Exchange exchange;
    const std::size_t before = bytes_in_use();
    exchange.events.feed(event.substr(0, 30'000));
    exchange.events.feed(event.substr(30'000));
    ASSERT_EQ(exchange.events.events(), 1U);
    EXPECT_GT(bytes_in_use(), before + 3 * 60'000);
    exchange.end();
    EXPECT_LT(bytes_in_use(), before + 5'000);
    EXPECT_EQ(exchange.events.events(), 0U);
#endif
}

// What most events need stays, so that the next stream allocates nothing.
TEST(ExchangeTest, WhatASmallEventNeededStays) {
    Exchange exchange;
    exchange.events.feed("data: {\"usage\":" + std::string(400, '1') + "}\n\n");
    const char* const place = exchange.events.usage_payload().data();
    exchange.end();
    exchange.events.feed("data: {\"usage\":" + std::string(400, '1') + "}\n\n");
    EXPECT_EQ(exchange.events.usage_payload().data(), place);
}

}  // namespace
}  // namespace rotary::proxy
