#pragma once

#include <rotary/base/trace_id.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/wire/trace_context.hpp>

#include <cstdint>
#include <string_view>

namespace rotary::proxy {

// Where a request stands in a trace. While tracing is off there is none.
struct Trace {
    TraceId id;
    std::uint64_t span = 0;    // the request's own
    std::uint64_t parent = 0;  // the client's; 0: the trace begins here
    bool is_sampled = false;   // its spans are recorded, here and further on

    bool is_on() const noexcept { return id.is_valid(); }
    // The span of a request's try; the first one is 1. Each has its own, and none has to be kept.
    std::uint64_t span_of_try(unsigned attempt) const noexcept;
    wire::TraceParent parent_of_try(unsigned attempt) const noexcept {
        return {id, span_of_try(attempt), is_sampled};
    }
};

// Goes on with the client's trace, and does as it says, or begins one; `random` is the worker's.
Trace begin_trace(const config::Tracing& tracing, std::string_view traceparent,
                  std::uint64_t& random) noexcept;

}  // namespace rotary::proxy
