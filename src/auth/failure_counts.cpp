#include <rotary/auth/failure_counts.hpp>

#include <rotary/base/ip_address.hpp>

#include <chrono>

namespace rotary::auth {

namespace {

constexpr std::chrono::minutes kWindow{1};

// The first half of an IPv6 address, or all of an IPv4 one behind ones: no network of IPv6 begins
// so. What is no address at all counts as one.
std::uint64_t network_of(std::string_view text) noexcept {
    const auto address = parse_ip_address(text);
    if (!address) return 0;
    const bool ipv4 = is_ipv4(*address);
    std::uint64_t network = ipv4 ? 0xffffffffu : 0;
    for (std::size_t i = ipv4 ? 12 : 0; i < (ipv4 ? 16U : 8U); ++i) {
        network = network << 8 | (*address)[i];
    }
    return network;
}

std::uint64_t mixed(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

}  // namespace

FailureCounts::Place* FailureCounts::home_of(std::uint64_t network) noexcept {
    return &places_[mixed(network) % (kPlaces / kWays) * kWays];
}

SteadyTime FailureCounts::fail(std::string_view address, unsigned most, SteadyTime now) {
    if (places_.empty()) places_.resize(kPlaces);
    const std::uint64_t network = network_of(address);
    Place* const home = home_of(network);
    Place* place = home;
    for (Place* other = home; other != home + kWays; ++other) {
        if (other->failures != 0 && other->end <= now) {
            other->failures = 0;
            --known_;
        }
        if (other->failures != 0 && other->network == network) {
            place = other;
            break;
        }
        if (other->failures < place->failures) place = other;
    }
    if (place->failures == 0 || place->network != network) {
        if (place->failures == 0) ++known_;
        *place = {network, now + kWindow, 0};
    }
    if (place->failures <= most) ++place->failures;
    return place->failures > most ? place->end : now;
}

void FailureCounts::succeed(std::string_view address) noexcept {
    if (known_ == 0) return;
    const std::uint64_t network = network_of(address);
    Place* const home = home_of(network);
    for (Place* place = home; place != home + kWays; ++place) {
        if (place->failures == 0 || place->network != network) continue;
        place->failures = 0;
        --known_;
    }
}

}  // namespace rotary::auth
