#pragma once

#include <rotary/base/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace rotary::server {

// When to tell of lines that a log has lost, and of how many: at once of the first, and then at
// most every ten seconds of those since.
class LossNotice {
public:
    static constexpr std::chrono::seconds kBetween{10};

    // `lost` since the start; how many to tell of now, if any.
    std::optional<std::uint64_t> due(std::uint64_t lost, SteadyTime now) noexcept {
        if (lost == told_ || now - told_at_ < kBetween) return std::nullopt;
        const std::uint64_t since = lost - told_;
        told_ = lost;
        told_at_ = now;
        return since;
    }

private:
    std::uint64_t told_ = 0;
    SteadyTime told_at_{};
};

}  // namespace rotary::server
