#pragma once

#include <cstddef>

#include <sys/resource.h>

namespace rotary::server {

// How many clients the process may have with that many descriptors (RLIMIT_NOFILE; RLIM_INFINITY:
// any number): each may need a connection to a provider too, and the process some for itself. One
// that could not be forwarded for want of a descriptor is better not let in. At least one.
std::size_t clients_within(rlim_t descriptors);

// The same for this process, as it is limited now.
std::size_t clients_that_fit();

}  // namespace rotary::server
