#include "dial_fault.hpp"

#include <cerrno>

namespace rotary::net {

namespace {

Fault out_of(const char* detail) noexcept {
    return {FaultKind::overloaded, Origin::internal, Retry::next_entry, detail};
}

Fault connect_failed(const char* detail) noexcept {
    return Fault::upstream(FaultKind::upstream_connect_failed, detail);
}

}  // namespace

Fault wait_fault(Wake wake, const char* timed_out) noexcept {
    if (wake == Wake::timed_out) return Fault::upstream(FaultKind::upstream_timeout, timed_out);
    if (wake == Wake::peer_gone) return Fault::client(FaultKind::client_gone, "client hung up");
    return Fault::internal(FaultKind::draining, "connecting cancelled");
}

Fault connect_fault(int error) noexcept {
    switch (error) {
        case ECONNREFUSED:
            return connect_failed("connection refused");
        case ECONNRESET:
            return connect_failed("connection reset");
        case ETIMEDOUT:
            return connect_failed("connect timed out");
        case EHOSTUNREACH:
            return connect_failed("host unreachable");
        case ENETUNREACH:
            return connect_failed("network unreachable");
        case EMFILE:
        case ENFILE:
            return out_of("out of file descriptors");
        case ENOBUFS:
        case ENOMEM:
            return out_of("out of memory for sockets");
        case EADDRNOTAVAIL:
            return out_of("out of local ports");
        default:
            return connect_failed("connect failed");
    }
}

}  // namespace rotary::net
