#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <rotary/base/clock.hpp>

namespace rotary::auth {

// How often clients failed to show who they are, by their address, in the minute that begins with
// the first failure. Owned by a worker and used on its thread alone, so what one address may do is
// as much on each worker. Of IPv6 addresses the first half counts: a network has as many as it
// likes. Of a bounded size; where it is full the address with the fewest failures is forgotten.
class FailureCounts {
public:
    // Counts one more failure. Says when the address's minute is over once there were more than
    // `most` in it, else a time that is not after `now`.
    SteadyTime fail(std::string_view address, unsigned most, SteadyTime now);
    // Forgets the address's failures.
    void succeed(std::string_view address) noexcept;

    std::size_t size() const noexcept { return known_; }  // addresses it has counts of

private:
    struct Place {
        std::uint64_t network = 0;
        SteadyTime end{};
        std::uint32_t failures = 0;  // 0: the place is free
    };
    static constexpr std::size_t kPlaces = 4096;
    static constexpr std::size_t kWays = 8;  // places where an address may be

    Place* home_of(std::uint64_t network) noexcept;

    std::vector<Place> places_;  // none before the first failure
    std::size_t known_ = 0;
};

}  // namespace rotary::auth
