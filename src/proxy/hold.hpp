#pragma once

#include "proxy/reply.hpp"

#include <rotary/llm/error_body.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace rotary::proxy {

// What was found before anything of an answer went to the client.
struct Held {
    bool is_error_event = false;  // a stream that began with an error
    llm::ErrorBody error;
};

// Keeps an answer back until it can be trusted, so that one that fails at once still moves on to
// the next entry: a stream until its first event is in, though no longer than
// timeouts.stream_head_patience; anything else until all of it is, an error for timeouts.error_body
// at most; each until the read buffer is full. Lives for one try; the reply's own body reader is
// not moved.
class Hold {
public:
    Hold(Context& context, Exchange& exchange, Reply& reply);

    // Looks at what is there. Nothing: more must be read. Faults: upstream_protocol_error.
    std::optional<Result<Held>> look();
    // Reads until there is something to say. Faults: upstream_protocol_error, upstream_timeout,
    // client_gone. The worker's scratch is another's afterwards.
    Task<Result<Held>> run(ClientSide& client);

private:
    Result<Held> judge_first_event() const;
    bool walk();  // false: the framing is broken
    SteadyTime deadline() const;
    bool is_error() const noexcept { return reply_.status >= 400; }
    SteadyTime head_due() const {
        return reply_.head_at + exchange_.timeouts().stream_head_patience;
    }

    Context& context_;
    Exchange& exchange_;
    Reply& reply_;
    wire::BodyReader reader_;
    std::size_t seen_ = 0;  // bytes behind the head
    bool is_stream_ = false;
};

}  // namespace rotary::proxy
