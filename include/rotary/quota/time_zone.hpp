#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::quota {

// When the clocks of a place differ from UTC, and by how much: the system's tz database, read from
// its files, since libstdc++ 12 has no reader and the C library knows one zone at a time.
// Immutable.
class TimeZone {
public:
    using Seconds = std::chrono::seconds;
    using UtcTime = std::chrono::sys_seconds;
    using LocalTime = std::chrono::local_seconds;

    TimeZone() = default;  // UTC
    // A file of the tz database (RFC 8536, version 2 or later). None: it is not, or is cut short.
    static std::optional<TimeZone> parse(std::string_view file);
    // "Europe/Zurich". None: there is no such zone on this machine. Reads a file.
    static std::optional<TimeZone> load(const std::string& name);

    LocalTime local(UtcTime time) const noexcept;
    // The first moment at which the clocks show `time` or later; where they jump over it, that of
    // the jump.
    UtcTime first_at(LocalTime time) const noexcept;

private:
    struct Change {
        UtcTime from;
        Seconds offset{0};
    };
    std::vector<Change> changes_;  // the earliest first
    Seconds before_{0};            // the first of them
};

}  // namespace rotary::quota
