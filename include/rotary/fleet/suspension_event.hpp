#pragma once

#include <rotary/rotation/suspend_reason.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::fleet {

// Longer names of entries stay within their replica.
inline constexpr std::size_t kMaxEntryName = 4096;

// A suspension as Redis has it, without the time of its end. Written by every replica, so read as
// what a stranger wrote.
struct ToldOutage {
    std::chrono::milliseconds lasts{0};
    std::uint32_t times = 0;
    rotation::SuspendReason reason = rotation::SuspendReason::none;
    std::string replica;
};

// A row of the hash of suspensions: "ENDS LASTS TIMES REASON REPLICA", milliseconds of Redis's
// clock.
struct SuspensionRow {
    std::chrono::milliseconds ends{0};
    ToldOutage outage;
};
// Nothing where it is none: other fields, a reason that is not shared, numbers beyond measure.
std::optional<SuspensionRow> parse_row(std::string_view text);

// What replicas tell each other as it happens. `number` counts the changes of the hash; the entry's
// name is last, for it may hold spaces.
//
//   s NUMBER LEFT LASTS TIMES REASON REPLICA ENTRY   it is out for LEFT milliseconds from now on
//   b NUMBER REPLICA ENTRY                           its probe passed
//   r NUMBER REPLICA ENTRY                           an operator resumed it
struct SuspensionEvent {
    enum class Kind : std::uint8_t { out, back, resumed };
    Kind kind = Kind::out;
    std::uint64_t number = 0;
    std::chrono::milliseconds left{0};
    ToldOutage outage;  // of the others only the replica
    std::string entry;
};
std::optional<SuspensionEvent> parse_event(std::string_view message);

}  // namespace rotary::fleet
