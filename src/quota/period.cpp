#include <rotary/quota/period.hpp>

#include <algorithm>
#include <utility>

namespace rotary::quota {

namespace {

using namespace std::chrono;

constexpr unsigned kMonths = 12;
constexpr unsigned kQuarter = 3;

// What the calendar is asked for: a clock that is out of its mind must not overflow it.
constexpr WallTime kEarliest{sys_days(year(1970) / 1 / 2)};
constexpr WallTime kLatest{sys_days(year(2199) / 12 / 30)};

// The first of the month `back` months before that of `day`.
local_days month_before(local_days day, unsigned back) noexcept {
    const year_month_day date(day);
    return local_days((date.year() / date.month() - months(back)) / 1);
}

}  // namespace

std::string_view to_string(PeriodKind kind) noexcept {
    switch (kind) {
        case PeriodKind::day:
            return "day";
        case PeriodKind::week:
            return "week";
        case PeriodKind::month:
            return "month";
        case PeriodKind::quarter:
            return "quarter";
        case PeriodKind::year:
            return "year";
        case PeriodKind::total:
            return "total";
    }
    return "total";
}

Period::Period(PeriodKind kind, TimeZone zone, month first)
    : kind_(kind), zone_(std::move(zone)), first_(static_cast<unsigned>(first)) {}

local_days Period::begin_of(local_days day) const noexcept {
    const unsigned in_year =
        (static_cast<unsigned>(year_month_day(day).month()) + kMonths - first_) % kMonths;
    switch (kind_) {
        case PeriodKind::week:
            return day - (weekday(day) - Monday);
        case PeriodKind::month:
            return month_before(day, 0);
        case PeriodKind::quarter:
            return month_before(day, in_year % kQuarter);
        case PeriodKind::year:
            return month_before(day, in_year);
        case PeriodKind::day:
        case PeriodKind::total:
            break;
    }
    return day;
}

local_days Period::end_of(local_days begin) const noexcept {
    const year_month_day date(begin);
    const year_month in_month = date.year() / date.month();
    switch (kind_) {
        case PeriodKind::week:
            return begin + weeks(1);
        case PeriodKind::month:
            return local_days((in_month + months(1)) / 1);
        case PeriodKind::quarter:
            return local_days((in_month + months(kQuarter)) / 1);
        case PeriodKind::year:
            return local_days((in_month + months(kMonths)) / 1);
        case PeriodKind::day:
        case PeriodKind::total:
            break;
    }
    return begin + days(1);
}

Window Period::window(WallTime now) const noexcept {
    if (kind_ == PeriodKind::total) return {WallTime{}, WallTime::max()};
    now = std::clamp(now, kEarliest, kLatest);
    const local_days today = floor<days>(zone_.local(floor<seconds>(now)));
    local_days begin = begin_of(today);
    local_days end = end_of(begin);
    // Clocks that are put back over midnight show a day again that is over: it is.
    if (now >= WallTime(zone_.first_at(end))) {
        begin = end;
        end = end_of(begin);
    }
    return {WallTime(zone_.first_at(begin)), WallTime(zone_.first_at(end))};
}

}  // namespace rotary::quota
