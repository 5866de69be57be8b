#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/net/stream.hpp>
#include <rotary/proxy/context.hpp>

#include <string_view>

// What becomes of a client's connection whose TLS handshake failed.
namespace rotary::proxy {

inline constexpr Fault kSpokePlainHttp = Fault::client(
    FaultKind::bad_request, "This port speaks HTTPS: write https:// in front of its address.");

// Counts the failure and says it in the log, unless the connection only looked whether the port is
// open, or the process is stopping.
void note_failed_handshake(Context& context, const net::Stream& stream, const Fault& fault,
                           std::string_view client_address);

}  // namespace rotary::proxy
