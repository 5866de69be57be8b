#pragma once

#include "proxy/exchange.hpp"
#include "proxy/reply.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::proxy {

// How the bytes of an answer's body go on.
enum class Wrapping : std::uint8_t {
    as_is,    // framed as the provider framed it, by length; or no body at all
    chunked,  // each read is one chunk of ours: streams, and bodies that end with the connection
    bare      // HTTP/1.0 client: the end of the connection is the end
};

// The head of the provider's answer as the client gets it, and what it promises of the body.
struct ResponseHead {
    std::string_view bytes;  // in the worker's scratch
    Wrapping wrapping = Wrapping::as_is;
    bool is_event_stream = false;
};

// Makes it of the head that stands parsed in the worker's scratch; decides keep_alive too.
// Nothing: it does not fit.
std::optional<ResponseHead> write_response_head(Context& context, Exchange& exchange,
                                                const Reply& reply);

}  // namespace rotary::proxy
