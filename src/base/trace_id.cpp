#include <rotary/base/trace_id.hpp>

namespace rotary {

namespace {

void write_hex(std::uint64_t value, char* out) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (unsigned i = 0; i < 16; ++i) out[i] = kDigits[value >> (60 - 4 * i) & 0xf];
}

}  // namespace

std::string_view to_hex(const TraceId& id, TraceIdText& buffer) noexcept {
    write_hex(id.high, buffer.data());
    write_hex(id.low, buffer.data() + 16);
    return {buffer.data(), buffer.size()};
}

std::string_view to_hex(std::uint64_t span_id, SpanIdText& buffer) noexcept {
    write_hex(span_id, buffer.data());
    return {buffer.data(), buffer.size()};
}

}  // namespace rotary
