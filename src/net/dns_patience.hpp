#pragma once

#include <rotary/net/deadline_wheel.hpp>

#include <sys/time.h>

#include <algorithm>
#include <chrono>

namespace rotary::net {

inline constexpr int kDnsTries = 3;  // of each name server

// How long the first of them may take. c-ares doubles it from one to the next: with one server the
// last try ends with the question's time.
constexpr std::chrono::milliseconds first_try(std::chrono::milliseconds patience) noexcept {
    constexpr int kShares = (1 << kDnsTries) - 1;
    return std::clamp(patience / kShares, std::chrono::milliseconds(1),
                      std::chrono::milliseconds(1 << 24));
}

// Milliseconds until something must be done for a question: its deadline, or c-ares's `next` (null:
// it waits for nothing). Never too early: there would be nothing to do yet.
constexpr int wait_until(SteadyTime deadline, const timeval* next, SteadyTime now) noexcept {
    using std::chrono::milliseconds;
    auto left = std::chrono::ceil<milliseconds>(deadline - now);
    if (next != nullptr) {
        left = std::min(left, milliseconds(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
    }
    return static_cast<int>(std::max<milliseconds::rep>(0, left.count()));
}

}  // namespace rotary::net
