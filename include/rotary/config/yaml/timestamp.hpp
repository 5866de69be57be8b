#pragma once

#include <optional>
#include <string_view>

#include <rotary/base/clock.hpp>

namespace rotary::config {

// RFC 3339: "2026-12-31T23:59:59Z", with "+01:00" or "-01:00" in place of the Z, with decimals of
// the second; or a day alone, which stands for its beginning in UTC. Of the years 1970 to 2199.
std::optional<WallTime> parse_timestamp(std::string_view text);

}  // namespace rotary::config
