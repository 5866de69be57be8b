#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/net/reactor.hpp>

// Who is to blame when a connection does not come about.
namespace rotary::net {

// Of a wait that did not end with `ready`; `timed_out`, a literal, says what there was no time for.
Fault wait_fault(Wake wake, const char* timed_out) noexcept;

// Of socket(2) or connect(2) with this errno. What this process lacks is not the provider's fault.
Fault connect_fault(int error) noexcept;

}  // namespace rotary::net
