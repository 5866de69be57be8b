#include <rotary/config/yaml/timestamp.hpp>

#include <chrono>
#include <cstddef>

namespace rotary::config {
namespace {

// Takes the parts of a time off the front of a text; `ok` turns false at the first that is missing.
struct Reader {
    std::string_view rest;
    bool ok = true;

    unsigned digits(std::size_t count) {
        unsigned value = 0;
        ok = ok && rest.size() >= count;
        for (std::size_t i = 0; ok && i < count; ++i) {
            ok = rest[i] >= '0' && rest[i] <= '9';
            value = value * 10 + static_cast<unsigned>(rest[i] - '0');
        }
        rest.remove_prefix(ok ? count : 0);
        return value;
    }
    bool skip(char mark) {
        const bool there = ok && !rest.empty() && rest.front() == mark;
        rest.remove_prefix(there ? 1 : 0);
        return there;
    }
    void need(char mark) { ok = skip(mark) && ok; }
};

std::chrono::nanoseconds read_decimals(Reader& reader) {
    std::chrono::nanoseconds value{0};
    if (!reader.skip('.')) {
        return value;
    }
    std::size_t count = 0;
    for (std::int64_t unit = 100'000'000;
         !reader.rest.empty() && reader.rest.front() >= '0' && reader.rest.front() <= '9';
         unit /= 10, ++count) {
        value += std::chrono::nanoseconds(reader.digits(1) * unit);
    }
    reader.ok = reader.ok && count > 0;
    return value;
}

// Of local time from UTC.
std::chrono::minutes read_offset(Reader& reader) {
    if (reader.skip('Z') || reader.skip('z')) {
        return std::chrono::minutes{0};
    }
    const bool is_behind = reader.skip('-');
    if (!is_behind) {
        reader.need('+');
    }
    const unsigned hours = reader.digits(2);
    reader.need(':');
    const unsigned minutes = reader.digits(2);
    reader.ok = reader.ok && hours < 24 && minutes < 60;
    const std::chrono::minutes offset{hours * 60 + minutes};
    return is_behind ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_timestamp(std::string_view text) {
    Reader reader{text};
    const unsigned year = reader.digits(4);
    reader.need('-');
    const unsigned month = reader.digits(2);
    reader.need('-');
    const unsigned day = reader.digits(2);
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                           std::chrono::month(month), std::chrono::day(day)};
    if (!reader.ok || year < 1970 || year >= 2200 || !date.ok()) {
        return std::nullopt;
    }
    WallTime time{std::chrono::sys_days(date).time_since_epoch()};
    if (reader.rest.empty()) {
        return time;
    }
    if (!reader.skip('T') && !reader.skip('t')) {
        reader.need(' ');
    }
    const unsigned hour = reader.digits(2);
    reader.need(':');
    const unsigned minute = reader.digits(2);
    reader.need(':');
    const unsigned second = reader.digits(2);
    time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
    time += read_decimals(reader);
    time -= read_offset(reader);
    // A leap second is the first of the next minute, as clocks here have it.
    const bool fits = hour < 24 && minute < 60 && second <= 60;
    return reader.ok && fits && reader.rest.empty() ? std::optional(time) : std::nullopt;
}

}  // namespace rotary::config
