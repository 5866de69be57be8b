#include <rotary/fleet/suspension_event.hpp>

#include <rotary/base/text.hpp>

namespace rotary::fleet {

namespace {

constexpr std::uint64_t kMostTimes = 1'000'000;
constexpr std::uint64_t kMostMilliseconds = 9'007'199'254'740'992;  // what Lua counts exactly
constexpr std::size_t kMaxReplicaName = 64;

// The next word; what is left begins behind the one space that ends it. Empty at the end.
std::string_view take_word(std::string_view& text) noexcept {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    return word;
}

std::optional<std::chrono::milliseconds> take_time(std::string_view& text) noexcept {
    const auto number = text::parse_unsigned(take_word(text));
    if (!number || *number > kMostMilliseconds) return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

bool take_replica(std::string_view& text, ToldOutage& outage) {
    outage.replica = take_word(text);
    return !outage.replica.empty() && outage.replica.size() <= kMaxReplicaName;
}

bool take_outage(std::string_view& text, ToldOutage& outage) {
    const auto lasts = take_time(text);
    const auto times = text::parse_unsigned(take_word(text));
    if (!lasts || !times || *times > kMostTimes) return false;
    outage.lasts = *lasts;
    outage.times = static_cast<std::uint32_t>(*times);
    outage.reason = rotation::reason_named(take_word(text));
    return rotation::is_shared(outage.reason) && take_replica(text, outage);
}

std::optional<SuspensionEvent::Kind> kind_named(std::string_view word) noexcept {
    if (word == "s") return SuspensionEvent::Kind::out;
    if (word == "b") return SuspensionEvent::Kind::back;
    if (word == "r") return SuspensionEvent::Kind::resumed;
    return std::nullopt;
}

}  // namespace

std::optional<SuspensionRow> parse_row(std::string_view text) {
    SuspensionRow row;
    const auto ends = take_time(text);
    if (!ends || !take_outage(text, row.outage) || !text.empty()) return std::nullopt;
    row.ends = *ends;
    return row;
}

std::optional<SuspensionEvent> parse_event(std::string_view message) {
    SuspensionEvent event;
    const auto kind = kind_named(take_word(message));
    const auto number = text::parse_unsigned(take_word(message));
    if (!kind || !number) return std::nullopt;
    event.kind = *kind;
    event.number = *number;
    if (event.kind == SuspensionEvent::Kind::out) {
        const auto left = take_time(message);
        if (!left || !take_outage(message, event.outage)) return std::nullopt;
        event.left = *left;
    } else if (!take_replica(message, event.outage)) {
        return std::nullopt;
    }
    if (message.empty() || message.size() > kMaxEntryName) return std::nullopt;
    event.entry = message;
    return event;
}

}  // namespace rotary::fleet
