#include <rotary/fleet/doorbell.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace rotary::fleet {
namespace {

TEST(Doorbell, IsHeardOnTheLoopAsOftenAsItMustBe) {
    boost::asio::io_context loop{1};
    int rung = 0;
    Doorbell bell(loop, [&] { ++rung; });
    std::thread worker([&] {
        for (int i = 0; i < 100; ++i) bell.ring();
    });
    worker.join();
    EXPECT_EQ(loop.run_one(), 1u);
    EXPECT_EQ(rung, 1) << "those that came together";
    EXPECT_EQ(loop.poll(), 0u);
    bell.ring();
    EXPECT_EQ(loop.run_one(), 1u);
    EXPECT_EQ(rung, 2);
    bell.stop();
    bell.ring();
    loop.run();
    EXPECT_EQ(rung, 2);
}

}  // namespace
}  // namespace rotary::fleet
