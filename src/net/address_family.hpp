#pragma once

struct ifaddrs;

namespace rotary::net {

// The family of addresses that these interfaces have, beyond loopback; both or neither: AF_UNSPEC.
// A name's addresses of the other one could not be reached (getaddrinfo's AI_ADDRCONFIG).
int family_of(const ifaddrs* interfaces) noexcept;

int configured_family() noexcept;  // of this machine

}  // namespace rotary::net
