#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/wire/message.hpp>

#include <cstddef>
#include <string_view>

namespace rotary::wire::http1 {

// Why a head is refused; kind none while it is not.
struct Refusal {
    FaultKind kind = FaultKind::none;
    const char* detail = "";
};

constexpr Refusal bad(const char* detail) noexcept { return {FaultKind::bad_request, detail}; }

// uri-host [ ":" port ], RFC 9110 section 7.2. An empty port after the colon is refused.
struct Authority {
    std::string_view host;
    std::string_view port;  // empty: none
};
bool read_host(std::string_view value, Authority& authority) noexcept;

// The request target in origin-form, absolute-form or, for OPTIONS alone, asterisk-form (RFC 9112
// section 3.2). Sets target, path and query, and host and port where the target names them.
Refusal read_target(std::string_view target, std::size_t uri_bytes, RequestHead& head) noexcept;

}  // namespace rotary::wire::http1
