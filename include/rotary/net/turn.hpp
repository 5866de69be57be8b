#pragma once

#include <chrono>
#include <cstddef>

namespace rotary::net {

// How much one coroutine may do at a time before the others have theirs.
struct TurnLimits {
    std::size_t bytes = 65536;
    std::chrono::microseconds time{250};
};

// What the coroutine that runs has done since it was resumed. Looks at the clock only from the
// fourth call on: what a usual request does costs a comparison.
class Turn {
public:
    void begin() noexcept {
        bytes_ = 0;
        calls_ = 0;
    }
    // A call that moved so many bytes was made.
    void spend(std::size_t bytes) noexcept {
        bytes_ += bytes;
        ++calls_;
    }
    bool is_over() noexcept {
        if (bytes_ >= limits_.bytes) return true;
        return calls_ >= kUntimedCalls && took_its_time();
    }
    void set_limits(const TurnLimits& limits) noexcept { limits_ = limits; }
    const TurnLimits& limits() const noexcept { return limits_; }

private:
    static constexpr unsigned kUntimedCalls = 4;

    bool took_its_time() noexcept {
        const auto now = std::chrono::steady_clock::now();
        if (calls_ == kUntimedCalls) began_ = now;
        return now - began_ >= limits_.time;
    }

    TurnLimits limits_;
    std::size_t bytes_ = 0;
    unsigned calls_ = 0;
    std::chrono::steady_clock::time_point began_{};  // when its fourth call was made
};

}  // namespace rotary::net
