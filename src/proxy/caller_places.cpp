#include "proxy/caller_places.hpp"

#include <algorithm>
#include <utility>

namespace rotary::proxy {

namespace {

constexpr std::chrono::seconds kNextPlace{1};  // some request ends

Fault refused(Exchange& exchange, const char* what, const char* why) noexcept {
    exchange.outcome.reason = why;
    exchange.outcome.retry_after = kNextPlace;
    return Fault::client(FaultKind::rate_limit_exceeded, what);
}

// Of replicas each has its part, and one place at least.
std::uint32_t part_of(const routing::Snapshot& snapshot, std::uint32_t most) noexcept {
    const quota::LeaseDesk& fleet = snapshot.counters->leases();
    return fleet.is_open() ? std::max(most / fleet.replicas(), std::uint32_t{1}) : most;
}

}  // namespace

Result<void> CallerPlaces::take(Exchange& exchange) noexcept {
    const routing::Snapshot& snapshot = exchange.snapshot();
    const routing::Route& route = *exchange.match.route;
    const std::uint32_t otherwise = snapshot.config.quotas.max_concurrent_per_consumer;
    const std::string_view consumer = exchange.match.consumer;
    if (!consumer.empty() && (otherwise != 0 || !snapshot.consumer_limits.empty())) {
        const std::uint64_t key = routing::InFlight::key_of("consumer", consumer);
        const std::uint32_t most = snapshot.consumer_limits.find(key, otherwise);
        if (most != 0) {
            auto place = snapshot.in_flight->enter(key, part_of(snapshot, most));
            if (!place) {
                return refused(exchange, "Too many requests of this caller are in flight.",
                               "the consumer's requests in flight");
            }
            consumer_ = *std::move(place);
        }
    }
    if (route.max_concurrent != 0) {
        auto place =
            snapshot.in_flight->enter(route.in_flight_key, part_of(snapshot, route.max_concurrent));
        if (!place) {
            return refused(exchange, "Too many requests to this API are in flight.",
                           "the API's requests in flight");
        }
        api_ = *std::move(place);
    }
    return {};
}

}  // namespace rotary::proxy
