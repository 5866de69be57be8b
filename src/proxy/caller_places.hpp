#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/fault.hpp>
#include <rotary/routing/in_flight.hpp>

namespace rotary::proxy {

// The places that a request has among those in flight, of its consumer and of its API, where these
// have a limit. They are given back when this is destroyed, however the request ended.
class CallerPlaces {
public:
    // Behind authentication. Faults: rate_limit_exceeded.
    Result<void> take(Exchange& exchange) noexcept;

private:
    routing::InFlight::Place consumer_;
    routing::InFlight::Place api_;
};

}  // namespace rotary::proxy
