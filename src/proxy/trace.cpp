#include "proxy/trace.hpp"

namespace rotary::proxy {

namespace {

std::uint64_t mixed(std::uint64_t z) noexcept {
    // splitmix64: ids must not collide, they need not be secret.
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;

// Never zero, which is no id.
std::uint64_t next_id(std::uint64_t& random) noexcept {
    for (;;) {
        random += kStep;
        if (const std::uint64_t id = mixed(random); id != 0) return id;
    }
}

// As OpenTelemetry's TraceIdRatioBased: the same trace is taken everywhere, or nowhere.
bool falls_to_us(const TraceId& id, double ratio) noexcept {
    if (ratio >= 1.0) return true;
    constexpr double kAll = 9223372036854775808.0;  // 2^63
    return static_cast<double>(id.low >> 1) < ratio * kAll;
}

}  // namespace

std::uint64_t Trace::span_of_try(unsigned attempt) const noexcept {
    const std::uint64_t made = mixed(span + attempt * kStep);
    return made != 0 ? made : kStep;
}

Trace begin_trace(const config::Tracing& tracing, std::string_view traceparent,
                  std::uint64_t& random) noexcept {
    Trace trace;
    trace.span = next_id(random);
    if (const auto parent = wire::parse_traceparent(traceparent)) {
        trace.id = parent->trace;
        trace.parent = parent->span;
        trace.is_sampled = parent->is_sampled;
        return trace;
    }
    trace.id = {next_id(random), next_id(random)};
    trace.is_sampled = falls_to_us(trace.id, tracing.sample_ratio);
    return trace;
}

}  // namespace rotary::proxy
