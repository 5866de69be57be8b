#pragma once

#include "proxy/exchange.hpp"

#include <rotary/base/task.hpp>
#include <rotary/wire/http1_reader.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace rotary::proxy {

// A provider's answer while it comes in. Its head and the first bytes of its body stand in `in`.
struct Reply {
    UpstreamConnection stream;
    std::size_t bucket = 0;  // of the pool, where the connection may go back to
    Buffer in;
    std::size_t head_bytes = 0;
    std::uint16_t status = 0;
    bool reused = false;
    bool request_sent = false;  // all of it: else the connection can't be used again
    bool keep_alive = false;
    wire::BodyReader body;

    void reset() noexcept;
};

// Where a try goes: the Backend, and the model to write into the request (empty: none).
struct Target {
    std::size_t backend = 0;
    const policy::Entry* entry = nullptr;
};

// Step 7: one try at one Backend. Leases or opens a connection, sends the request, reads the
// answer's head into `reply` and its parsed form into the worker's scratch, which holds until the
// next await. A connection that had served before and dies without a byte is replaced once by a
// fresh one, on the same place among the Backend's connections. Faults: upstream_dns_failed,
// upstream_connect_failed, upstream_tls_failed, upstream_timeout, upstream_protocol_error (each
// with origin upstream), client_gone, headers_too_large; overloaded, when the Backend's limits or
// the process's descriptors leave no room: nobody's fault, and another entry may have some.
Task<Result<void>> attempt(Context& context, ClientSide& client, Exchange& exchange,
                           const Target& target, Reply& reply);

// Reads on until the body is complete or `limit` bytes of the answer stand in reply.in, for answers
// that must be read before they can be judged. Never fails: what came is what there is.
Task<void> read_error_body(Context& context, ClientSide& client, Exchange& exchange, Reply& reply);

// The payload of what stands in reply.in behind the head, put together in `scratch`.
std::string_view body_at_hand(const Reply& reply, std::string& scratch);

// Gives the connection back to the pool when its answer was read to the end and left nothing.
void release(Context& context, Reply& reply);

}  // namespace rotary::proxy
