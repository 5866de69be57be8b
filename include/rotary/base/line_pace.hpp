#pragma once

#include <rotary/base/clock.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace rotary {

// Keeps a flood of one kind of event out of the log: one line a second, which says how many others
// there were since the line before. Owned by its worker; that thread only.
class LinePace {
public:
    // True when a line is due; `unsaid` are the events that had none since the last.
    bool due(SteadyTime now, std::uint64_t& unsaid) noexcept {
        if (now < not_before_) {
            ++unsaid_;
            return false;
        }
        not_before_ = now + std::chrono::seconds(1);
        unsaid = std::exchange(unsaid_, 0);
        return true;
    }

private:
    SteadyTime not_before_{};
    std::uint64_t unsaid_ = 0;
};

}  // namespace rotary
