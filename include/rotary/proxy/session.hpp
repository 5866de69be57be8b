#pragma once

#include <rotary/base/task.hpp>
#include <rotary/proxy/context.hpp>

namespace rotary::net {
class TlsContext;
}

namespace rotary::proxy {

// One client connection, from its accept to its end: the TLS handshake, then one exchange after the
// other in the order of the requests. Runs detached on the worker's thread; owns `fd`, its buffers
// and its exchange. `tls` is the listener's, null for plaintext; it must outlive the session.
Task<void> run_session(Context& context, int fd, const net::TlsContext* tls);

}  // namespace rotary::proxy
