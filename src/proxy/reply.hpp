#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/buffers.hpp>
#include <rotary/base/task.hpp>
#include <rotary/net/stream.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/wire/http1_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rotary::proxy {

// A provider's answer while it comes in. Its head and the first bytes of its body stand in `in`.
struct Reply {
    upstream::UpstreamConnection stream;
    std::size_t bucket = 0;  // of the pool, where the connection may go back to
    Buffer in;
    std::size_t head_bytes = 0;  // 0: not all of it has come
    wire::HeadEnd head_end;      // how far its end was looked for
    std::size_t interim = 0;     // 1xx heads that came before it
    std::uint16_t status = 0;
    bool reused = false;
    bool asked = false;         // there was a connection that the request went out on
    bool request_sent = false;  // all of it: else the connection can't be used again
    bool keep_alive = false;
    bool is_event_stream = false;
    bool ended = false;        // a body without framing: the connection ended properly
    bool is_unproven = false;  // of a stream no event had come when its head had to go
    SteadyTime sent_at{};      // when the request began to go
    SteadyTime head_at{};      // when the head had come
    SteadyTime answer_by{};    // when the provider's time for a first byte, or event, is over
    wire::BodyReader body;

    void reset() noexcept;
};

// One read into reply.in, which must have room, waiting for it until `deadline`. `ended` is the end
// of a body without framing. Faults: upstream_timeout, upstream_protocol_error, client_gone.
Task<Result<void>> read_on(Context& context, ClientSide& client, Exchange& exchange, Reply& reply,
                           SteadyTime deadline);

// What may stand in the head of a provider's answer.
wire::HeadLimits head_limits(const Exchange& exchange) noexcept;

// Reads on until the body is complete or limits.error_body_bytes of it are there, for answers that
// must be read before they can be judged. Never fails: what came is what there is.
Task<void> read_refusal(Context& context, ClientSide& client, Exchange& exchange, Reply& reply);

// The payload of what stands in reply.in behind the head, put together in `scratch`.
std::string_view body_at_hand(const Reply& reply, std::string& scratch);

// Parses the head that stands in the reply once more, after an await has taken the scratch.
void reparse_head(Context& context, const Exchange& exchange, const Reply& reply);

// Gives the connection back to the pool when its answer was read to the end and left nothing.
void release(Context& context, Reply& reply);

}  // namespace rotary::proxy
