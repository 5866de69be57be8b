#pragma once

#include <rotary/net/resolver.hpp>

#include <cstddef>

struct ares_addrinfo;

namespace rotary::net {

struct DnsAnswer {
    enum class Outcome {
        found,
        gone,     // the name servers say that the name, or any address of it, is not there
        failed,   // they said nothing of use, or nothing in time
        our_want  // descriptors or memory of this process
    };
    Outcome outcome = Outcome::failed;
    Addresses addresses;
    const char* detail = "";  // a literal
};

// What c-ares says, with the status that it ends a lookup with; `info` only when that is success.
DnsAnswer answer_of(int status, const ares_addrinfo* info);

// What those who asked are told: the first `most` addresses, or who is to blame for having none.
Resolved resolved_of(DnsAnswer answer, std::size_t most);

}  // namespace rotary::net
