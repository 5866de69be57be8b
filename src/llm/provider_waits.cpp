#include "llm/provider_waits.hpp"

#include <rotary/base/text.hpp>
#include <rotary/llm/rate_limit_headers.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace rotary::llm {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::int64_t kNanosecond = 1;
constexpr std::int64_t kMicrosecond = 1000;
constexpr std::int64_t kMillisecond = 1000 * kMicrosecond;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kLongest = 366 * 86400 * kSecond;

// Numbers from here on are instants, not waits: this is 2001 in seconds and 33000 in milliseconds.
constexpr std::uint64_t kUnixSeconds = 1'000'000'000;
constexpr std::uint64_t kUnixMilliseconds = 1'000'000'000'000;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Nanoseconds of `number` units, capped. Millionths of the unit are as fine as it gets.
std::int64_t scaled(const DecimalNumber& number, std::int64_t unit) noexcept {
    if (number.whole > static_cast<std::uint64_t>(kLongest / unit)) return kLongest;
    const std::int64_t whole = static_cast<std::int64_t>(number.whole) * unit;
    // Hours are 3.6e12 ns: times a million is still below 2^63.
    const std::int64_t part = static_cast<std::int64_t>(number.millionths) * unit / 1'000'000;
    return std::min(whole + part, kLongest);
}

milliseconds rounded_up(std::int64_t nanoseconds) noexcept {
    return milliseconds((nanoseconds + kMillisecond - 1) / kMillisecond);
}

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// Longer names before those they begin with. The micro sign comes as U+00B5 and U+03BC.
constexpr std::array<Unit, 8> kUnits{{{"ns", kNanosecond},
                                      {"us", kMicrosecond},
                                      {"\xC2\xB5s", kMicrosecond},
                                      {"\xCE\xBCs", kMicrosecond},
                                      {"ms", kMillisecond},
                                      {"h", 3600 * kSecond},
                                      {"m", 60 * kSecond},
                                      {"s", kSecond}}};

// "1h2m3.5s" and its like, as Go's time.ParseDuration takes them; no sign.
std::optional<milliseconds> parse_go_duration(std::string_view text) noexcept {
    std::int64_t total = 0;
    while (!text.empty()) {
        const auto number = take_decimal(text, Grouping::none);
        if (!number) return std::nullopt;
        const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
            return text.starts_with(candidate.name);
        });
        if (unit == kUnits.end()) return std::nullopt;
        text.remove_prefix(unit->name.size());
        total = std::min(total + scaled(*number, unit->nanoseconds), kLongest);
    }
    return rounded_up(total);
}

// A calendar date and a time of day in UTC, to be checked and made an instant.
struct Civil {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

// Milliseconds since 1970, or nullopt when there is no such day or time. A leap second counts.
std::optional<std::int64_t> since_epoch(const Civil& civil) noexcept {
    using namespace std::chrono;
    const year_month_day date{year(civil.year), month(civil.month), day(civil.day)};
    const bool time_ok = civil.hour <= 23 && civil.minute <= 59 && civil.second <= 60;
    if (!date.ok() || !time_ok) return std::nullopt;
    const std::int64_t seconds = sys_days(date).time_since_epoch().count() * std::int64_t{86400} +
                                 civil.hour * 3600 + civil.minute * 60 + civil.second;
    return seconds * 1000;
}

std::optional<milliseconds> until(std::int64_t instant, system_clock::time_point now) noexcept {
    const auto today = std::chrono::floor<milliseconds>(now.time_since_epoch()).count();
    if (instant < today) return std::nullopt;
    return milliseconds(std::min(instant - today, kLongest / kMillisecond));
}

// Takes a date apart from left to right. Once a step fails, all later ones do.
class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : rest_(text) {}
    bool ok() const noexcept { return ok_; }
    bool done() const noexcept { return ok_ && rest_.empty(); }
    char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
    void skip() noexcept { rest_.remove_prefix(1); }

    void expect(std::string_view word) noexcept {
        if (ok_ && text::istarts_with(rest_, word))
            rest_.remove_prefix(word.size());
        else
            ok_ = false;
    }
    int digits(std::size_t count) noexcept {
        if (rest_.size() < count) ok_ = false;
        if (!ok_) return 0;
        const auto value = text::parse_unsigned(rest_.substr(0, count));
        ok_ = value.has_value();
        rest_.remove_prefix(count);
        return static_cast<int>(value.value_or(0));
    }
    // The index of the word that comes next, and past it.
    unsigned one_of(std::span<const std::string_view> words) noexcept {
        for (unsigned i = 0; ok_ && i < words.size(); ++i) {
            if (!text::istarts_with(rest_, words[i])) continue;
            rest_.remove_prefix(words[i].size());
            return i;
        }
        ok_ = false;
        return 0;
    }
    void time_of_day(Civil& civil) noexcept {
        civil.hour = digits(2);
        expect(":");
        civil.minute = digits(2);
        expect(":");
        civil.second = digits(2);
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

// "2026-01-02T03:04:05[.678](Z|+01:00)" (RFC 3339 section 5.6) in milliseconds since 1970.
std::optional<std::int64_t> parse_rfc3339(std::string_view text) noexcept {
    Cursor at(text);
    Civil civil;
    civil.year = at.digits(4);
    at.expect("-");
    civil.month = static_cast<unsigned>(at.digits(2));
    at.expect("-");
    civil.day = static_cast<unsigned>(at.digits(2));
    if (at.peek() == ' ')
        at.skip();
    else
        at.expect("T");
    at.time_of_day(civil);
    std::int64_t fraction = 0;
    if (at.ok() && at.peek() == '.') {
        at.skip();
        if (!is_digit(at.peek())) return std::nullopt;
        for (std::int64_t weight = 100; is_digit(at.peek()); at.skip(), weight /= 10) {
            fraction += weight * (at.peek() - '0');
        }
    }
    std::int64_t offset_minutes = 0;
    const char sign = at.peek();
    if (at.ok() && (sign == '+' || sign == '-')) {
        at.skip();
        const int hours = at.digits(2);
        at.expect(":");
        const int minutes = at.digits(2);
        if (hours > 23 || minutes > 59) return std::nullopt;
        offset_minutes = (hours * 60 + minutes) * (sign == '+' ? 1 : -1);
    } else {
        at.expect("Z");
    }
    if (!at.done()) return std::nullopt;
    const auto instant = since_epoch(civil);
    if (!instant) return std::nullopt;
    return *instant + fraction - offset_minutes * 60'000;
}

constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                    "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(Cursor at, Civil& civil) noexcept {
    at.one_of(kDays);
    at.expect(", ");
    civil.day = static_cast<unsigned>(at.digits(2));
    at.expect(" ");
    civil.month = at.one_of(kMonths) + 1;
    at.expect(" ");
    civil.year = at.digits(4);
    at.expect(" ");
    at.time_of_day(civil);
    at.expect(" GMT");
    return at.done();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"; the year is the last two digits.
bool read_rfc850_date(Cursor at, Civil& civil) noexcept {
    at.one_of(kLongDays);
    at.expect(", ");
    civil.day = static_cast<unsigned>(at.digits(2));
    at.expect("-");
    civil.month = at.one_of(kMonths) + 1;
    at.expect("-");
    civil.year = at.digits(2);
    at.expect(" ");
    at.time_of_day(civil);
    at.expect(" GMT");
    return at.done();
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime_date(Cursor at, Civil& civil) noexcept {
    at.one_of(kDays);
    at.expect(" ");
    civil.month = at.one_of(kMonths) + 1;
    at.expect(" ");
    const bool one_digit = at.peek() == ' ';
    if (one_digit) at.skip();
    civil.day = static_cast<unsigned>(at.digits(one_digit ? 1 : 2));
    at.expect(" ");
    at.time_of_day(civil);
    at.expect(" ");
    civil.year = at.digits(4);
    return at.done();
}

// All three forms of RFC 9110 section 5.6.7, in milliseconds since 1970. The day's name is not held
// against the date.
std::optional<std::int64_t> parse_http_date(std::string_view text,
                                            system_clock::time_point now) noexcept {
    Civil civil;
    if (read_imf_fixdate(Cursor(text), civil) || read_asctime_date(Cursor(text), civil)) {
        return since_epoch(civil);
    }
    if (!read_rfc850_date(Cursor(text), civil)) return std::nullopt;
    // More than fifty years ahead means the last century.
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    civil.year += static_cast<int>(today.year()) / 100 * 100;
    if (civil.year > static_cast<int>(today.year()) + 50) civil.year -= 100;
    return since_epoch(civil);
}

}  // namespace

std::optional<DecimalNumber> take_decimal(std::string_view& text, Grouping grouping) noexcept {
    DecimalNumber number;
    std::size_t at = 0;
    std::size_t digits = 0;
    const auto add = [&](char c) {
        constexpr std::uint64_t kMost = std::uint64_t{1} << 59;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        number.whole = number.whole < kMost / 10 ? number.whole * 10 + digit : kMost;
        ++digits;
    };
    while (at < text.size() && is_digit(text[at])) add(text[at++]);
    while (grouping == Grouping::thousands && digits > 0 && at < text.size() && text[at] == ',') {
        if (text.size() - at < 4) return std::nullopt;
        for (std::size_t i = 1; i <= 3; ++i) {
            if (!is_digit(text[at + i])) return std::nullopt;
            add(text[at + i]);
        }
        at += 4;
    }
    if (at < text.size() && text[at] == '.') {
        ++at;
        for (std::uint32_t weight = 100'000; at < text.size() && is_digit(text[at]); weight /= 10) {
            number.millionths += weight * static_cast<std::uint32_t>(text[at++] - '0');
            ++digits;
        }
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(at);
    return number;
}

std::optional<milliseconds> parse_milliseconds(std::string_view text) noexcept {
    text = text::trim(text);
    const auto number = take_decimal(text, Grouping::thousands);
    if (!number || !text.empty()) return std::nullopt;
    return rounded_up(scaled(*number, kMillisecond));
}

std::optional<milliseconds> parse_wait(std::string_view text,
                                       system_clock::time_point now) noexcept {
    text = text::trim(text);
    if (text.empty()) return std::nullopt;
    std::string_view rest = text;
    if (const auto number = take_decimal(rest, Grouping::thousands); number && rest.empty()) {
        if (number->whole < kUnixSeconds) return rounded_up(scaled(*number, kSecond));
        const auto whole = static_cast<std::int64_t>(number->whole);
        if (number->whole >= kUnixMilliseconds) return until(whole, now);
        return until(whole * 1000 + number->millionths / 1000, now);
    }
    if (const auto duration = parse_go_duration(text)) return duration;
    if (const auto instant = parse_rfc3339(text)) return until(*instant, now);
    if (const auto instant = parse_http_date(text, now)) return until(*instant, now);
    return std::nullopt;
}

}  // namespace rotary::llm
