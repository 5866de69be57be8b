#pragma once

#include <rotary/base/clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace rotary::control {

// When changes are told of: once it has been quiet for a while, as an editor or a rollout makes
// many of one; and changes that never end are told of too.
class Settling {
public:
    // A change: when to tell of it, unless there is another before.
    SteadyTime changed(SteadyTime now, std::chrono::milliseconds settle) {
        if (!latest_) latest_ = now + kLongest * settle;
        return std::min<SteadyTime>(now + settle, *latest_);
    }
    bool pending() const noexcept { return latest_.has_value(); }
    void told() noexcept { latest_.reset(); }

private:
    static constexpr int kLongest = 10;  // times `settle`
    std::optional<SteadyTime> latest_;   // of what is pending
};

}  // namespace rotary::control
