#pragma once

#include <chrono>
#include <thread>

namespace rotary::test {

// A net for a loaded machine; nothing is measured with it.
inline constexpr std::chrono::seconds kPatience{10};

// Asks again and again until it is true; false when the time is over first. For what sends a test
// no event of its own: a page, a file, a counter of another thread.
template <typename Condition>
bool eventually(const Condition& condition, std::chrono::milliseconds timeout = kPatience) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

}  // namespace rotary::test
