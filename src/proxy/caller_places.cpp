#include "proxy/caller_places.hpp"

#include <optional>
#include <utility>

namespace rotary::proxy {

namespace {

constexpr std::chrono::seconds kNextPlace{1};  // some request ends

using Place = routing::InFlight::Place;

struct Limit {
    std::uint64_t key = 0;
    std::uint32_t most = 0;
    const char* told = "";
    const char* why = "";
};

std::optional<Place> enter(Exchange& exchange, const Limit& limit, bool has_waited) noexcept {
    routing::InFlight& table = *exchange.snapshot().in_flight;
    routing::PlaceShares* const shares = table.shares();
    if (shares == nullptr) return table.enter(limit.key, limit.most);
    auto entered = table.enter(*shares, {limit.key, limit.most, exchange.request.started,
                                         exchange.quotas.is_patient, has_waited});
    exchange.quotas.waits = entered.waits;
    return std::move(entered.place);
}

Result<void> take(Exchange& exchange, const Limit& limit, bool has_waited, Place& into) noexcept {
    auto place = enter(exchange, limit, has_waited);
    if (place) {
        into = *std::move(place);
        return {};
    }
    exchange.quotas.places.leave();
    if (!exchange.quotas.waits) {
        exchange.outcome.reason = limit.why;
        exchange.outcome.retry_after = kNextPlace;
    }
    return Fault::client(FaultKind::rate_limit_exceeded, limit.told);
}

}  // namespace

Result<void> take_places(Context&, Exchange& exchange) noexcept {
    const routing::Snapshot& snapshot = exchange.snapshot();
    const routing::Route& route = *exchange.match.route;
    const std::uint32_t otherwise = snapshot.config.quotas.max_concurrent_per_consumer;
    const std::string_view consumer = exchange.match.consumer;
    const bool has_waited = std::exchange(exchange.quotas.waits, false);
    CallerPlaces& places = exchange.quotas.places;
    if (!consumer.empty() && (otherwise != 0 || !snapshot.consumer_limits.empty())) {
        Limit limit;
        limit.key = routing::InFlight::key_of("consumer", consumer);
        limit.most = snapshot.consumer_limits.find(limit.key, otherwise);
        limit.told = "Too many requests of this caller are in flight.";
        limit.why = "the consumer's requests in flight";
        if (limit.most != 0) {
            const auto taken = take(exchange, limit, has_waited, places.consumer);
            if (!taken) return taken;
        }
    }
    if (route.max_concurrent != 0) {
        Limit limit;
        limit.key = route.in_flight_key;
        limit.most = route.max_concurrent;
        limit.told = "Too many requests to this API are in flight.";
        limit.why = "the API's requests in flight";
        return take(exchange, limit, has_waited, places.api);
    }
    return {};
}

}  // namespace rotary::proxy
