#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace rotary::fleet {

// How long to wait before the next try: 50 ms at first, twice as long each time, half of it at
// random, so that many replicas don't come back together.
class Backoff {
public:
    // `random`: any number, each time another.
    std::chrono::milliseconds next(std::uint32_t random, std::chrono::milliseconds most) noexcept {
        const std::chrono::milliseconds whole = std::min(wait_, most);
        if (wait_ < most) wait_ *= 2;
        const std::int64_t half = whole.count() / 2;
        return std::chrono::milliseconds(whole.count() - half +
                                         static_cast<std::int64_t>(random) % (half + 1));
    }
    void reset() noexcept { wait_ = kFirst; }

private:
    static constexpr std::chrono::milliseconds kFirst{50};
    std::chrono::milliseconds wait_ = kFirst;
};

}  // namespace rotary::fleet
