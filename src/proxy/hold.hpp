#pragma once

#include "proxy/exchange.hpp"

#include <rotary/llm/error_body.hpp>
#include <rotary/upstream/provider.hpp>

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
// at most; each until the read buffer is full. Lives for one try; nothing of the body is taken.
class Hold {
public:
    Hold(Context& context, Exchange& exchange, upstream::Provider& provider);

    // Looks at what is there. Nothing: more must be read. Faults: upstream_protocol_error.
    std::optional<Result<Held>> look();
    // Reads until there is something to say. Faults: upstream_protocol_error, upstream_timeout,
    // client_gone. The worker's scratch is another's afterwards.
    Task<Result<Held>> run();

private:
    Result<Held> judge_first_event() const;
    bool walk();  // false: the framing is broken
    SteadyTime deadline() const;
    bool is_error() const noexcept { return provider_.answer().status >= 400; }
    SteadyTime head_due() const {
        return provider_.answer().came + exchange_.timeouts().stream_head_patience;
    }

    Context& context_;
    Exchange& exchange_;
    upstream::Provider& provider_;
    bool is_stream_ = false;
};

// Reads on until the body is complete or limits.error_body_bytes of it are there, for answers that
// must be read before they can be judged. Never fails: what came is what there is.
Task<void> read_refusal(Context& context, Exchange& exchange, upstream::Provider& provider);

}  // namespace rotary::proxy
