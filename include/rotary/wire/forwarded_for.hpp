#pragma once

#include <rotary/base/ip_address.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace rotary::wire {

// Where a request came from by the word of the proxies that passed it on, the nearest last, for the
// connection's other end being one that is trusted. Going from the last back: the first address
// that is not one of a trusted proxy, or the one furthest back where all are. What is no address
// ends the way there: the client then is the last one that could be told. None: none could. Of more
// proxies than kMostSteps those nearest count.
class ForwardedPath {
public:
    static constexpr int kMostSteps = 32;

    explicit ForwardedPath(std::span<const IpRange> trusted) noexcept : trusted_(trusted) {}

    // Field lines from the last to the first. False: no other line is of interest.
    bool read_x_forwarded_for(std::string_view value) noexcept;  // "client, proxy1, proxy2"
    bool read_forwarded(std::string_view value) noexcept;        // RFC 7239 section 4

    const std::optional<IpAddress>& client() const noexcept { return client_; }

private:
    bool step(std::string_view node) noexcept;

    std::span<const IpRange> trusted_;
    int steps_ = 0;
    std::optional<IpAddress> client_;
};

}  // namespace rotary::wire
