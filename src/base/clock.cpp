#include <rotary/base/clock.hpp>

#include <time.h>
#include <algorithm>

namespace rotary {

namespace {

template <class TimePoint>
TimePoint read(clockid_t id) noexcept {
    timespec value{};
    ::clock_gettime(id, &value);
    return TimePoint(std::chrono::duration_cast<typename TimePoint::duration>(
        std::chrono::seconds(value.tv_sec) + std::chrono::nanoseconds(value.tv_nsec)));
}

// Writes `value` right-aligned, with leading zeros.
void put(char* out, int digits, unsigned value) noexcept {
    for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

WallTime wall_now() noexcept { return std::chrono::system_clock::now(); }

Now read_clock() noexcept { return {std::chrono::steady_clock::now(), wall_now()}; }

SteadyTime coarse_steady_now() noexcept { return read<SteadyTime>(CLOCK_MONOTONIC_COARSE); }
WallTime coarse_wall_now() noexcept { return read<WallTime>(CLOCK_REALTIME_COARSE); }
Now read_coarse_clock() noexcept { return {coarse_steady_now(), coarse_wall_now()}; }

std::string_view format_timestamp(WallTime time, TimestampBuffer& buffer) noexcept {
    using namespace std::chrono;
    const auto since_epoch = floor<milliseconds>(time.time_since_epoch());
    const auto day = floor<days>(since_epoch);
    const year_month_day date{sys_days(day)};
    const hh_mm_ss clock{since_epoch - day};

    char* out = buffer.data();
    std::copy_n("0000-00-00T00:00:00.000Z", buffer.size(), out);
    put(out, 4, static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999)));
    put(out + 5, 2, static_cast<unsigned>(date.month()));
    put(out + 8, 2, static_cast<unsigned>(date.day()));
    put(out + 11, 2, static_cast<unsigned>(clock.hours().count()));
    put(out + 14, 2, static_cast<unsigned>(clock.minutes().count()));
    put(out + 17, 2, static_cast<unsigned>(clock.seconds().count()));
    put(out + 20, 3, static_cast<unsigned>(clock.subseconds().count()));
    return {buffer.data(), buffer.size()};
}

}  // namespace rotary
