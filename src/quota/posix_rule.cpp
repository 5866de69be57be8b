#include "quota/posix_rule.hpp"

#include <cstddef>

namespace rotary::quota {

namespace {

using std::chrono::seconds;

constexpr unsigned kMostHours = 167;  // in a time of a rule, either way

// Takes the parts of a rule from its beginning. After what it does not know, ok() is false.
class Parser {
public:
    explicit Parser(std::string_view text) noexcept : rest_(text) {}
    bool ok() const noexcept { return ok_; }
    bool at_end() const noexcept { return rest_.empty(); }
    bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

    bool take(char c) noexcept {
        if (!next_is(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void require(char c) noexcept { ok_ = take(c) && ok_; }

    unsigned number(unsigned most) noexcept {
        unsigned value = 0;
        std::size_t digits = 0;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
            value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
            rest_.remove_prefix(1);
            if (digits > 3) break;
        }
        ok_ = ok_ && digits > 0 && digits <= 3 && value <= most;
        return value;
    }

    // hh[:mm[:ss]], with a sign.
    seconds time() noexcept {
        const bool is_negative = next_is('-');
        if (!take('-')) take('+');
        seconds value = std::chrono::hours(number(kMostHours));
        if (take(':')) value += std::chrono::minutes(number(59));
        if (take(':')) value += seconds(number(59));
        return is_negative ? -value : value;
    }

    // CET or <+0330>.
    void name() noexcept {
        const bool is_quoted = take('<');
        std::size_t size = 0;
        while (size < rest_.size() && (is_quoted ? rest_[size] != '>' : is_letter(rest_[size]))) {
            ++size;
        }
        ok_ = ok_ && size > 0;
        rest_.remove_prefix(size);
        if (is_quoted) require('>');
    }

    PosixMoment moment() noexcept {
        using Kind = PosixMoment::Kind;
        PosixMoment moment;
        if (take('M')) {
            moment.month = number(12);
            require('.');
            moment.week = number(5);
            require('.');
            moment.day = number(6);
            ok_ = ok_ && moment.month > 0 && moment.week > 0;
        } else {
            moment.kind = take('J') ? Kind::julian : Kind::zero_based;
            moment.day = number(365);
            ok_ = ok_ && (moment.kind == Kind::zero_based || moment.day > 0);
        }
        if (take('/')) moment.time = time();
        return moment;
    }

private:
    static bool is_letter(char c) noexcept {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace

std::chrono::local_seconds PosixMoment::in(std::chrono::year year) const noexcept {
    using namespace std::chrono;
    constexpr unsigned kLastWeek = 5;
    constexpr unsigned kFirstOfMarch = 60;  // as the day of a year that does not leap
    const local_days first(year / January / 1);
    if (kind == Kind::zero_based) return first + days(day) + time;
    if (kind == Kind::julian) {  // the 29th of February is not counted
        const bool is_behind_leap_day = year.is_leap() && day >= kFirstOfMarch;
        return first + days(day - 1 + (is_behind_leap_day ? 1 : 0)) + time;
    }
    const weekday wanted(day);
    const std::chrono::month in_month(month);
    if (week == kLastWeek) return local_days(year / in_month / wanted[last]) + time;
    return local_days(year / in_month / wanted[week]) + time;
}

std::optional<PosixRule> parse_posix_rule(std::string_view text) {
    constexpr seconds kHour{3600};
    Parser parser(text);
    PosixRule rule;
    parser.name();
    rule.standard = -parser.time();  // POSIX counts to the west
    if (parser.ok() && parser.at_end()) return rule;
    PosixSummer& summer = rule.summer.emplace();
    parser.name();
    summer.offset = parser.next_is(',') ? rule.standard + kHour : -parser.time();
    parser.require(',');
    summer.begin = parser.moment();
    parser.require(',');
    summer.end = parser.moment();
    if (!parser.ok() || !parser.at_end()) return std::nullopt;
    return rule;
}

}  // namespace rotary::quota
