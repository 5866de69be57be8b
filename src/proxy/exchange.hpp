#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/llm/form_body.hpp>
#include <rotary/llm/json_scanner.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/net/stream.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/message.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace rotary::proxy {

// The client's end of a session, lent to each of its exchanges. The request's head and, when it
// fits, its body stand at the front of `in`, which is not moved until the exchange is over.
struct ClientSide {
    net::Stream& stream;
    Buffer& in;
    std::size_t head_bytes = 0;
    std::size_t body_bytes_in = 0;  // of the body, framing included, at the front of `in`
    bool body_complete = false;     // nothing of this request is still to be read
};

// What the log keeps of a provider's x-request-id.
inline constexpr std::size_t kUpstreamIdBytes = 128;

// Everything about one request and its answer. Owned by the session, used again for the next one.
// The views lead into the session's read buffer, `lines` or `body_block`, none of which moves.
struct Exchange {
    // What the client asked for.
    std::string_view method;
    std::string_view path;
    std::string_view query;
    std::string_view host;
    std::string_view port;  // of the host, as it was asked for; empty: none
    std::string_view content_type;
    std::string_view origin;             // of a browser's request
    std::string_view preflight_method;   // what it asks about
    std::string_view preflight_headers;  // idem
    std::string_view user_agent;
    std::string_view client_request_id;
    std::string_view retry_count;
    std::string_view client_address;  // the connection's, the session's to set
    wire::Framing framing = wire::Framing::none;
    std::uint64_t content_length = 0;
    std::uint8_t minor_version = 1;
    bool keep_alive = true;
    bool expect_continue = false;
    bool is_head = false;
    bool is_encoded = false;  // Content-Encoding other than identity
    bool has_content_type = false;
    bool has_content_types = false;  // more than one
    llm::BodyKind body_kind = llm::BodyKind::json;
    std::string_view boundary;  // of a multipart body that is to be scanned
    std::string_view body;
    Buffer body_block;  // when the body did not fit behind the head
    llm::ScannedBody scan;
    std::string_view client_model;
    bool wants_stream = false;

    // What the configuration says of it.
    std::shared_ptr<const Wiring> wiring;
    std::shared_ptr<const std::vector<std::size_t>> buckets;  // its own: a reload renumbers
    const routing::RouteTable::Rule* rule = nullptr;
    const routing::Route* route = nullptr;
    std::size_t route_index = 0;
    const routing::EntryList* list = nullptr;    // null: no rotation for this request
    std::shared_ptr<const auth::Claims> caller;  // of the token that let it in; null: there is none
    Buffer lines;  // the header lines that go on to whichever provider

    // What was tried.
    rotation::EntrySet tried = 0;
    unsigned attempts = 0;
    unsigned attempts_that_suspended = 0;  // of them: refusals that took their entry out
    const routing::Entry* entry = nullptr;
    std::size_t entry_index = 0;
    const routing::Backend* backend = nullptr;
    bool reused_connection = false;
    bool resent = false;  // on a fresh connection, for the one that died had served before

    // What came of it.
    std::uint16_t status = 0;
    Fault fault;
    const char* reason = "";  // of a refusal, for the log alone; a literal
    std::array<char, kUpstreamIdBytes> upstream_id;
    std::size_t upstream_id_size = 0;  // of the provider's x-request-id, clipped
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    bool answer_started = false;  // a byte of the answer may have reached the client
    wire::SseScanner events;      // of a streamed answer; here to keep its memory

    SteadyTime started;
    WallTime started_wall;
    SteadyTime deadline;  // of all of it; a stream has none once its beginning has gone
    SteadyTime first_byte;
    // What others took of its time: the client sending and reading, a provider or an issuer
    // answering, and the waits for a place among a Backend's connections and for its retry.
    std::chrono::nanoseconds waited{0};
    std::optional<std::chrono::nanoseconds> overhead;  // of a stream: until its beginning had gone
    std::array<char, 36> id;                           // x-rotary-request-id, a UUIDv7

    std::string_view request_id() const noexcept { return {id.data(), id.size()}; }
    std::string_view upstream_request_id() const noexcept {
        return {upstream_id.data(), upstream_id_size};
    }
    void keep_upstream_request_id(std::string_view value) noexcept;
    const config::Limits& limits() const noexcept { return wiring->snapshot->config.limits; }
    const config::Timeouts& timeouts() const noexcept { return wiring->snapshot->config.timeouts; }
    const config::Routing& routing() const noexcept { return wiring->snapshot->config.routing; }

    // The rest of its time, which is ours: our work and the turns of other requests.
    std::chrono::nanoseconds own_time(SteadyTime now) const noexcept {
        return std::max(now - started - waited, std::chrono::nanoseconds::zero());
    }

    // The longest silence between two pieces of this Backend's answer.
    std::chrono::milliseconds event_gap() const noexcept {
        const bool has_own = backend != nullptr && backend->event_gap.count() > 0;
        return has_own ? backend->event_gap : timeouts().event_gap;
    }

    // Starts anew with the worker's configuration; keeps no memory but its own.
    void begin(Context& context);
    // Takes over what is needed of a parsed head: the table is scratch and does not last.
    void adopt(const wire::RequestHead& head) noexcept;
    void end() noexcept;  // gives back what it borrowed
};

// What each wait of a request has: it ends with the client and at `deadline`, and is not our time.
inline net::WaitFor wait_until(SteadyTime deadline, ClientSide& client, Exchange& exchange) {
    net::WaitFor what;
    what.client = &client.stream.descriptor();
    what.deadline = deadline;
    what.waited = &exchange.waited;
    return what;
}

}  // namespace rotary::proxy
