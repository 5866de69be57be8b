#pragma once

#include <rotary/quota/time_zone.hpp>
#include <rotary/quota/window.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace rotary::quota {

// How long a budget lasts. `total` never begins anew.
enum class PeriodKind : std::uint8_t { day, week, month, quarter, year, total };
std::string_view to_string(PeriodKind kind) noexcept;

// Which period of the calendar a moment is in, by the clocks of a place: days from midnight to
// midnight, whatever the hours between; weeks from Monday. Immutable, shared by all workers.
class Period final : public Calendar {
public:
    // `first`: the month in which years begin, and every third from which quarters do.
    Period(PeriodKind kind, TimeZone zone, std::chrono::month first = std::chrono::January);
    Window window(WallTime now) const noexcept override;

private:
    std::chrono::local_days begin_of(std::chrono::local_days day) const noexcept;
    std::chrono::local_days end_of(std::chrono::local_days begin) const noexcept;

    PeriodKind kind_;
    TimeZone zone_;
    unsigned first_;
};

}  // namespace rotary::quota
