#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/control/health_check.hpp>

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rotary::control {

enum class HealthTurn : std::uint8_t { none, up, down };

// What the checks of one Backend, one after the other, make of it.
class HealthCount {
public:
    explicit HealthCount(const HealthTarget& target)
        : most_failures_(target.unhealthy_threshold), successes_(target.healthy_threshold) {}

    // A check's outcome, and how the Backend stood before: what becomes of it.
    HealthTurn passed(bool was_healthy) noexcept;
    HealthTurn failed(bool was_healthy) noexcept;
    unsigned failures() const noexcept { return failed_; }  // in a row

private:
    unsigned most_failures_;
    unsigned successes_;
    unsigned failed_ = 0;  // in a row
    unsigned passed_ = 0;  // idem
};

// A check that has begun then and ends now: when the next one begins. Checks never overlap, and one
// that took longer than the interval is followed at once.
SteadyTime next_check(SteadyTime begun, std::chrono::milliseconds interval, SteadyTime now);

// What one of the addresses that are left may take of a check's time; nothing when it is over.
SteadyTime::duration share_of_time(SteadyTime until, SteadyTime now, std::size_t addresses_left);

// When the entries of a Backend that is out may be back at the earliest.
SteadyTime expected_back(const HealthTarget& target, SteadyTime now);

// This process could not try, so the Backend may be fine.
bool is_our_want(const boost::system::error_code& error);

// Whether what is checked, and how, is the same: then a reload leaves the check as it stands.
bool same_check(const HealthTarget& one, const HealthTarget& other);

}  // namespace rotary::control
