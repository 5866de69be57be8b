#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <rotary/base/ip_address.hpp>

namespace rotary::config {

// Which header field says where a request came from.
enum class ForwardedField : std::uint8_t { off, x_forwarded_for, forwarded };

// Proxies in front, such as load balancers, whose word on the client's address is taken.
struct Proxies {
    std::vector<IpRange> trusted;
    bool protocol = false;  // each of their connections begins with a header of the PROXY protocol
    ForwardedField field = ForwardedField::off;

    bool trusts(const IpAddress& address) const noexcept {
        return std::any_of(trusted.begin(), trusted.end(),
                           [&](const IpRange& range) { return range.holds(address); });
    }
};

}  // namespace rotary::config
