#include "control/health_count.hpp"

#include <algorithm>
#include <tuple>

namespace rotary::control {

HealthTurn HealthCount::passed(bool was_healthy) noexcept {
    failed_ = 0;
    ++passed_;
    return !was_healthy && passed_ >= successes_ ? HealthTurn::up : HealthTurn::none;
}

HealthTurn HealthCount::failed(bool was_healthy) noexcept {
    passed_ = 0;
    ++failed_;
    return was_healthy && failed_ >= most_failures_ ? HealthTurn::down : HealthTurn::none;
}

SteadyTime next_check(SteadyTime begun, std::chrono::milliseconds interval, SteadyTime now) {
    return std::max<SteadyTime>(begun + interval, now);
}

SteadyTime::duration share_of_time(SteadyTime until, SteadyTime now, std::size_t addresses_left) {
    if (addresses_left == 0 || until <= now) return SteadyTime::duration::zero();
    return (until - now) / static_cast<std::int64_t>(addresses_left);
}

SteadyTime expected_back(const HealthTarget& target, SteadyTime now) {
    return now + target.interval * target.healthy_threshold;
}

bool is_our_want(const boost::system::error_code& error) {
    using boost::system::errc::errc_t;
    for (const errc_t want :
         {errc_t::too_many_files_open, errc_t::too_many_files_open_in_system,
          errc_t::no_buffer_space, errc_t::not_enough_memory, errc_t::address_not_available}) {
        if (error == want) return true;
    }
    return false;
}

bool same_check(const HealthTarget& one, const HealthTarget& other) {
    const auto what = [](const HealthTarget& target) {
        return std::tie(target.backend, target.state, target.host, target.port, target.interval,
                        target.timeout, target.unhealthy_threshold, target.healthy_threshold);
    };
    return what(one) == what(other);
}

}  // namespace rotary::control
