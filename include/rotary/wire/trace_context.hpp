#pragma once

#include <rotary/base/trace_id.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::wire {

// What a traceparent says: the trace, the caller's span, and whether the trace is recorded.
struct TraceParent {
    TraceId trace;
    std::uint64_t span = 0;
    bool is_sampled = false;

    bool operator==(const TraceParent&) const = default;
};

// W3C Trace Context, section 3.2. None for what is malformed, all zero, in upper case or of version
// ff. Of a later version the fields that are known are read, whatever follows behind a dash.
std::optional<TraceParent> parse_traceparent(std::string_view text) noexcept;

// "00-<trace>-<span>-01". The view is into `buffer`.
using TraceParentText = std::array<char, 55>;
std::string_view write_traceparent(const TraceParent& parent, TraceParentText& buffer) noexcept;

}  // namespace rotary::wire
