#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/net/deadline_wheel.hpp>
#include <rotary/net/resolver.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rotary::net {

// The addresses of one dial in their order: which is tried next and for how long, and which of the
// failures counts when none answers. Touches no clock.
class DialPlan {
public:
    // `addresses` outlive it. All tries end at `deadline`.
    DialPlan(const Addresses& addresses, std::uint16_t port, SteadyTime deadline) noexcept
        : addresses_(addresses), port_(port), deadline_(deadline) {}

    struct Try {
        boost::asio::ip::tcp::endpoint address;
        SteadyTime deadline;
    };
    // Nothing: there is none left, or going on makes no sense.
    std::optional<Try> next(SteadyTime now);
    // The one that was given last came to nothing.
    void failed(const Fault& fault, SteadyTime now) noexcept;

    const Fault& fault() const noexcept { return fault_; }  // once next() gives nothing

private:
    const Addresses& addresses_;
    std::uint16_t port_;
    SteadyTime deadline_;
    std::size_t next_ = 0;
    bool is_over_ = false;
    Fault fault_;
};

}  // namespace rotary::net
