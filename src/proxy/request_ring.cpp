#include "proxy/exchange.hpp"

#include <rotary/proxy/request_ring.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

constexpr std::size_t kName = 64;
constexpr std::size_t kPath = 128;

void note_tries(const Exchange& exchange, RequestRecord& record) {
    const auto tries = exchange.trail.records();
    record.missed_tries = exchange.trail.missed();
    record.tries_kept = std::min(tries.size(), RequestRecord::kTries);
    const std::size_t list = exchange.tries.choice.list;
    for (std::size_t i = 0; i < record.tries_kept; ++i) {
        const TryRecord& from = tries[i];
        RequestRecord::Try& to = record.tries[i];
        to = {};
        to.started = from.started - exchange.request.started;
        if (from.head != SteadyTime{}) to.head = from.head - from.started;
        if (from.ended != SteadyTime{}) to.took = from.ended - from.started;
        if (from.entry != TryRecord::kNone && list != Choice::kNone) {
            const auto& entries = exchange.snapshot().lists[list].entries;
            to.model = record.keep(entries[from.entry].model, kName);
        }
        if (from.backend != TryRecord::kNone) {
            to.backend = record.keep(exchange.snapshot().backends[from.backend].name, kName);
        }
        to.status = from.status;
        to.fault = from.fault;
        to.failure = from.failure;
        to.effect = from.effect;
        to.is_probe = from.is_probe;
        to.reused_connection = from.reused_connection;
        to.failed_over = from.failed_over;
    }
}

void note_names(const Exchange& exchange, RequestRecord& record) {
    record.method = record.keep(exchange.request.method, 16);
    record.path = record.keep(exchange.request.path, kPath);
    record.host = record.keep(exchange.request.host, kName);
    record.consumer = record.keep(exchange.match.consumer, kName);
    record.client_model = record.keep(exchange.content.client_model, kName);
    record.api = record.environment = record.model = record.backend = record.limit = {};
    if (exchange.match.route != nullptr) {
        record.api = record.keep(exchange.match.route->api, kName);
        record.environment =
            record.keep(routing::to_string(exchange.match.route->environment), kName);
    }
    if (exchange.entry() != nullptr) record.model = record.keep(exchange.entry()->model, kName);
    if (exchange.backend() != nullptr) {
        record.backend = record.keep(exchange.backend()->name, kName);
    }
    if (exchange.quotas.refusal) {
        record.limit = record.keep(exchange.quotas.refusal->limit->policy, kName);
    }
}

}  // namespace

RequestRecord::Words RequestRecord::keep(std::string_view value, std::size_t most) noexcept {
    const std::size_t size = std::min({value.size(), most, text.size() - text_size});
    const Words kept{static_cast<std::uint16_t>(text_size), static_cast<std::uint16_t>(size)};
    std::copy_n(value.begin(), size, text.begin() + static_cast<std::ptrdiff_t>(text_size));
    text_size += size;
    return kept;
}

void RequestRing::record(const Exchange& exchange, SteadyTime now) {
    const std::chrono::nanoseconds overhead = exchange.overhead(now);
    live_.count(exchange.outcome.status, overhead);
    if (places_.empty()) return;
    RequestRecord& record = places_[noted_++ % places_.size()];
    record.text_size = 0;
    record.started = exchange.request.started_wall;
    record.duration = now - exchange.request.started;
    record.first_byte = {};
    if (exchange.outcome.first_byte != SteadyTime{}) {
        record.first_byte = exchange.outcome.first_byte - exchange.request.started;
    }
    record.overhead = overhead;
    record.id = exchange.id;
    record.status = exchange.outcome.status;
    record.stream = exchange.content.wants_stream;
    record.fault = exchange.outcome.fault.kind;
    const bool has_own = exchange.outcome.reason[0] != '\0';
    record.reason = has_own ? exchange.outcome.reason : exchange.outcome.fault.detail;
    record.attempts = exchange.tries.attempts;
    record.input_tokens = exchange.outcome.usage.input;
    record.output_tokens = exchange.outcome.usage.output;
    record.cost = exchange.outcome.cost;
    note_names(exchange, record);
    note_tries(exchange, record);
}

void RequestRing::resize(std::size_t places) {
    if (places == places_.size()) return;
    places_ = std::vector<RequestRecord>(places);
    noted_ = 0;
}

void RequestRing::copy_latest(std::size_t most, std::vector<RequestRecord>& out) const {
    const std::uint64_t there = std::min<std::uint64_t>(noted_, places_.size());
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(there, most); ++i) {
        out.push_back(places_[(noted_ - 1 - i) % places_.size()]);
    }
}

}  // namespace rotary::proxy
