#include "control/fetch_times.hpp"

#include <algorithm>

namespace rotary::control {

using std::chrono::milliseconds;

milliseconds FetchTimes::refresh(const JwksOptions& options) noexcept {
    return options.refresh * 8 / 10;
}

milliseconds FetchTimes::succeeded(SteadyTime now, const JwksOptions& options) noexcept {
    last_success_ = now;
    failures_ = 0;
    return refresh(options);
}

milliseconds FetchTimes::failed(const JwksOptions& options) noexcept {
    milliseconds delay = options.retry_first;
    for (unsigned i = 0; i < failures_ && delay < options.retry_max; ++i) delay *= 2;
    ++failures_;
    return std::min(delay, options.retry_max);
}

bool FetchTimes::stale(SteadyTime now, const JwksOptions& options) const noexcept {
    return now - last_success_ >= options.stale;
}

bool FetchTimes::unknown_key(SteadyTime now, const JwksOptions& options) noexcept {
    if (asked_for_unknown_key_ && now - last_unknown_key_ < options.cooldown) return false;
    asked_for_unknown_key_ = true;
    last_unknown_key_ = now;
    return true;
}

SteadyTime FetchTimes::not_before(const JwksOptions& options) const noexcept {
    return asked_for_unknown_key_ ? last_unknown_key_ + options.cooldown : SteadyTime::min();
}

}  // namespace rotary::control
