#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rotary {

// The 16 bytes that all spans of one trace share (W3C Trace Context, 3.2.2.3). All zero: none.
struct TraceId {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    bool is_valid() const noexcept { return (high | low) != 0; }
    bool operator==(const TraceId&) const = default;
};

using TraceIdText = std::array<char, 32>;
using SpanIdText = std::array<char, 16>;

// As they are written: lower-case hexadecimal. The view is into `buffer`.
std::string_view to_hex(const TraceId& id, TraceIdText& buffer) noexcept;
std::string_view to_hex(std::uint64_t span_id, SpanIdText& buffer) noexcept;

}  // namespace rotary
