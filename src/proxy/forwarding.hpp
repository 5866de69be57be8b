#pragma once

#include "proxy/exchange.hpp"

#include <rotary/wire/http1_writer.hpp>

#include <string_view>

// What of a client's request goes on to a provider: only what is known to be meant for it.
namespace rotary::proxy {

// The header lines for the provider, put together once for all tries, in exchange.content.lines.
// Reads the head out of the worker's scratch. Faults: headers_too_large.
Result<void> write_forwarded_lines(Context& context, Exchange& exchange);

// The client's query as it came, "?" first, but for what let the caller in, what an operator
// withholds and the model. Returns what separates the next parameter from it.
std::string_view write_client_query(const Exchange& exchange, wire::HeadWriter& writer);

// The methods whose requests have content (RFC 9110 section 9.3).
constexpr bool carries_content(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

// Whether the body's kind is told anew once it has been read: a form that turns out to be JSON.
bool writes_content_type_late(const Exchange& exchange) noexcept;

}  // namespace rotary::proxy
