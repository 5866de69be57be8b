#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rotary/config/settings/settings.hpp>

namespace rotary::config {

inline constexpr std::size_t kMostHeaders = 1024;    // the path's tables of headers hold no more
inline constexpr std::size_t kMostJsonDepth = 1024;  // nor its scanner's stack
inline constexpr std::size_t kMostEntries = 10'000;  // a place in an order is 16 bits wide
// A worker has cells for twice as many: those of a configuration and of the one that it replaces.
inline constexpr std::size_t kMostMetricSeries = 100'000;

// When a changed value of rotary.yaml is used: from a reload on, or not before a restart. A reload
// says of the latter that they wait.
enum class TakesEffect { at_reload, at_restart };

// The keys of `limits` and `timeouts`, with the member that each one sets and its bounds: one table
// for the loader, the tests and the printed reference.
struct LimitKey {
    const char* name;
    std::size_t Limits::*member;
    std::size_t minimum;
    std::size_t maximum;
    TakesEffect takes_effect;
};
struct TimeoutKey {
    const char* name;
    Duration Timeouts::*member;
    Duration minimum;
    Duration maximum;
    TakesEffect takes_effect;
};
std::span<const LimitKey> limit_keys();
std::span<const TimeoutKey> timeout_keys();

// Every other key, by its whole name (routing.max_attempts); a list counts as one.
struct OtherKey {
    const char* name;
    bool (*same)(const Config& one, const Config& other);
    TakesEffect takes_effect;
};
std::span<const OtherKey> other_keys();

// The names of the settings in which `wanted` differs from what the process was started with, and
// that only a restart changes. In the order of the tables.
std::vector<std::string> waiting_for_restart(const Config& started_with, const Config& wanted);

}  // namespace rotary::config
