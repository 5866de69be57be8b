#include <rotary/wire/trace_context.hpp>

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace rotary::wire {

namespace {

// Lower-case hexadecimal digits, at most 16 of them.
std::optional<std::uint64_t> hex_of(std::string_view digits) noexcept {
    std::uint64_t value = 0;
    for (const char c : digits) {
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a') + 10;
        } else {
            return std::nullopt;
        }
        value = value << 4 | digit;
    }
    return value;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) noexcept {
    constexpr std::size_t kSize = std::tuple_size_v<TraceParentText>;
    if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    const auto version = hex_of(text.substr(0, 2));
    const auto high = hex_of(text.substr(3, 16));
    const auto low = hex_of(text.substr(19, 16));
    const auto span = hex_of(text.substr(36, 16));
    const auto flags = hex_of(text.substr(53, 2));
    if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
    const bool may_go_on = *version != 0 && text.size() > kSize && text[kSize] == '-';
    if (text.size() > kSize && !may_go_on) return std::nullopt;
    const TraceParent parent{{*high, *low}, *span, (*flags & 1) != 0};
    if (!parent.trace.is_valid() || parent.span == 0) return std::nullopt;
    return parent;
}

std::string_view write_traceparent(const TraceParent& parent, TraceParentText& buffer) noexcept {
    TraceIdText trace;
    SpanIdText span;
    auto out = buffer.begin();
    for (const std::string_view part :
         {std::string_view("00-"), to_hex(parent.trace, trace), std::string_view("-"),
          to_hex(parent.span, span), std::string_view(parent.is_sampled ? "-01" : "-00")}) {
        out = std::copy(part.begin(), part.end(), out);
    }
    return {buffer.data(), buffer.size()};
}

}  // namespace rotary::wire
