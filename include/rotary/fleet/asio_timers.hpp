#pragma once

#include <rotary/fleet/timers.hpp>

#include <boost/asio/io_context.hpp>

namespace rotary::fleet {

// Those of the control thread's loop, which must outlive what was asked for.
class AsioTimers final : public Timers {
public:
    explicit AsioTimers(boost::asio::io_context& control) : control_(control) {}
    SteadyTime now() const override { return std::chrono::steady_clock::now(); }
    WallTime wall_now() const override { return rotary::wall_now(); }
    void after(std::chrono::milliseconds wait, std::function<void()> work) override;
    void post(std::function<void()> work) override;

private:
    boost::asio::io_context& control_;
};

}  // namespace rotary::fleet
