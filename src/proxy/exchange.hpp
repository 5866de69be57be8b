#pragma once

#include "proxy/quotas.hpp"
#include "proxy/trace.hpp"
#include "proxy/tries.hpp"

#include <rotary/base/buffers.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/downstream/client.hpp>
#include <rotary/downstream/request.hpp>
#include <rotary/llm/form_body.hpp>
#include <rotary/llm/json_scanner.hpp>
#include <rotary/llm/request_facts.hpp>
#include <rotary/llm/stream_options.hpp>
#include <rotary/llm/usage.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace rotary::proxy {

// What the log keeps of a provider's x-request-id.
inline constexpr std::size_t kUpstreamIdBytes = 128;

// What the configuration says of it, and who is asking. Steps 1 and 2 write it.
struct Match {
    std::shared_ptr<const Wiring> wiring;
    std::shared_ptr<const std::vector<std::size_t>> buckets;  // its own: a reload renumbers
    const routing::RouteTable::Rule* rule = nullptr;
    const routing::Route* route = nullptr;
    config::EndpointSet endpoint = 0;  // that is asked for, where the route's policy names some
    std::shared_ptr<const auth::Claims> caller;  // of the token that let it in; null: there is none
    // Whom limits, budgets and logs know the caller as, however it showed who it is; empty: the
    // route is open. Lives as long as `caller` and `wiring`.
    std::string_view consumer;
    const auth::KeyOwner* key_owner =
        nullptr;                   // of the API key that let it in; null: there is none
    auth::ApiKeyId key_id{};       // of an API key that it brought; zeros: it brought none
    auth::KeyDigest key_digest{};  // of the API key that let it in
};

// What goes on to whichever provider: header lines, and what the body says. Steps 3 and 4 write it.
struct Content {
    Buffer lines;
    llm::BodyKind body_kind = llm::BodyKind::json;
    std::string_view boundary;  // of a multipart body that is to be scanned
    llm::ScannedBody scan;
    std::string_view client_model;
    bool wants_stream = false;
    quota::NamedPrice asked;  // of the model that the client asks for, where no list chooses one
    // What makes the stream tell its usage, when the client does not ask itself and Rotary does.
    std::optional<llm::BodyEdit> usage_ask;
    std::optional<llm::RequestFacts>
        facts;  // measured where limits of tokens or money ask for them
};

// What came of it.
struct Outcome {
    std::uint16_t status = 0;
    Fault fault;
    const char* reason = "";                   // of a refusal, for the log alone; a literal
    std::chrono::milliseconds retry_after{0};  // of a refusal that says so: rate_limit_exceeded
    std::array<char, kUpstreamIdBytes> upstream_id;
    std::size_t upstream_id_size = 0;  // of the provider's x-request-id, clipped
    std::size_t model_size = 0;        // of the model that the answer names
    std::optional<std::int64_t> cost;  // in nanodollars; none: nothing to pay, or without a price
    std::uint64_t bytes_sent = 0;
    llm::Usage usage;             // of the try that answered
    bool answer_started = false;  // a byte of the answer may have reached the client
    bool is_unproven = false;     // of its stream no event had come when its head had to go

    SteadyTime deadline = SteadyTime::max();  // of all of it; none once a stream has begun
    SteadyTime first_byte;
    // What others took of its time: the client sending and reading, a provider or an issuer
    // answering, and the waits for a place among a Backend's connections and for its retry.
    std::chrono::nanoseconds waited{0};
    std::optional<std::chrono::nanoseconds> overhead;  // of a stream: until its beginning had gone
};

// Everything about one request and its answer, in parts that have one writer each. The session has
// it from its worker's ExchangePool while the request is there.
struct Exchange {
    downstream::Request request;  // what the client asked for; its Client writes it
    Match match;
    Content content;
    Tries tries;
    Trail trail;  // of its tries
    Trace trace;
    Quotas quotas;
    Outcome outcome;
    wire::SseScanner events;  // of a streamed answer; keeps its memory from one to the next
    std::array<char, 36> id;  // x-rotary-request-id, a UUIDv7
    std::array<char, llm::kMostModelBytes> model;  // as the answer names it, outcome.model_size

    std::string_view request_id() const noexcept { return {id.data(), id.size()}; }
    std::string_view upstream_request_id() const noexcept {
        return {outcome.upstream_id.data(), outcome.upstream_id_size};
    }
    void keep_upstream_request_id(std::string_view value) noexcept;
    // Empty: the answer names none, or it is not to be known.
    std::string_view response_model() const noexcept { return {model.data(), outcome.model_size}; }
    void keep_response_model(std::string_view name) noexcept;  // a longer one is none

    const routing::Snapshot& snapshot() const noexcept { return *match.wiring->snapshot; }
    const config::Limits& limits() const noexcept { return snapshot().config.limits; }
    const config::Timeouts& timeouts() const noexcept { return snapshot().config.timeouts; }
    const config::Routing& routing() const noexcept { return snapshot().config.routing; }

    // The caller's part of the rotation of a list that has one for it.
    const rotation::Rotation& rotation() const noexcept {
        return match.key_owner == nullptr ? list()->rotation
                                          : *list()->rotation_for(match.key_owner->model_set);
    }
    // Whether the caller may have some models only.
    bool is_narrowed() const noexcept {
        return match.key_owner != nullptr &&
               match.key_owner->model_set != auth::KeyOwner::kAllModels;
    }

    // What the choice names; null where it names none.
    const routing::EntryList* list() const noexcept {
        return tries.choice.list == Choice::kNone ? nullptr : &snapshot().lists[tries.choice.list];
    }
    const routing::Entry* entry() const noexcept {
        return tries.choice.entry == Choice::kNone ? nullptr : &list()->entries[tries.choice.entry];
    }
    const routing::Backend* backend() const noexcept {
        return tries.choice.backend == Choice::kNone ? nullptr
                                                     : &snapshot().backends[tries.choice.backend];
    }

    // The rest of its time, which is ours: our work and the turns of other requests.
    std::chrono::nanoseconds own_time(SteadyTime now) const noexcept {
        return std::max(now - request.started - outcome.waited, std::chrono::nanoseconds::zero());
    }

    // What Rotary added to the request's time; a stream's does not grow with its length.
    std::chrono::nanoseconds overhead(SteadyTime now) const noexcept {
        return outcome.overhead.value_or(own_time(now));
    }

    // The longest silence between two pieces of this Backend's answer.
    std::chrono::milliseconds event_gap() const noexcept {
        const bool has_own = backend() != nullptr && backend()->event_gap.count() > 0;
        return has_own ? backend()->event_gap : timeouts().event_gap;
    }

    // Starts anew, but for the request, with the worker's configuration; keeps no memory but its
    // own.
    void begin(Context& context);
    void end() noexcept;  // gives back what it borrowed
};

// What each wait of a request has: it ends with the client and at `deadline`, and is not our time.
inline net::WaitFor wait_until(SteadyTime deadline, downstream::Client& client,
                               Exchange& exchange) noexcept {
    net::WaitFor what;
    client.watch(what);
    what.deadline = deadline;
    what.waited = &exchange.outcome.waited;
    return what;
}

}  // namespace rotary::proxy
