#include "config/prices/decimal.hpp"

#include <cstddef>
#include <limits>
#include <string>

namespace rotary::config {

namespace {

constexpr std::size_t kMostText = 64;
constexpr int kMostExponent = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits of a number without leading zeros, and where its point stands.
struct Digits {
    std::string text;
    int exponent = 0;  // the number is text * 10^exponent
};

std::size_t take_digits(std::string_view text, std::size_t at, std::string& out) {
    while (at < text.size() && is_digit(text[at])) out += text[at++];
    return at;
}

// The exponent behind an 'e'; none when it is no number or out of all proportion.
std::optional<int> read_exponent(std::string_view text) {
    const bool is_negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (text.empty() || text.size() > 3) return std::nullopt;
    int value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    if (value > kMostExponent) return std::nullopt;
    return is_negative ? -value : value;
}

std::optional<Digits> read_digits(std::string_view text) {
    if (text.size() > kMostText) return std::nullopt;
    Digits digits;
    std::size_t at = take_digits(text, 0, digits.text);
    if (at == 0) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        const std::size_t point = at;
        at = take_digits(text, at + 1, digits.text);
        if (at == point + 1) return std::nullopt;
        digits.exponent = -static_cast<int>(at - point - 1);
    }
    if (at < text.size()) {
        if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
        const auto exponent = read_exponent(text.substr(at + 1));
        if (!exponent) return std::nullopt;
        digits.exponent += *exponent;
    }
    digits.text.erase(0, digits.text.find_first_not_of('0'));
    return digits;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text, int exponent) {
    auto digits = read_digits(text);
    if (!digits) return std::nullopt;
    if (digits->text.empty()) return Decimal{};
    const int shift = digits->exponent + exponent;
    std::string_view whole = digits->text;
    std::string_view rest;
    bool is_tiny = false;
    if (shift >= 0) {
        digits->text.append(static_cast<std::size_t>(shift), '0');
        whole = digits->text;
    } else {
        const auto cut = static_cast<std::size_t>(-shift);
        const std::size_t kept = cut < whole.size() ? whole.size() - cut : 0;
        is_tiny = cut > whole.size();  // below a tenth of the last place
        if (!is_tiny) rest = whole.substr(kept);
        whole = whole.substr(0, kept);
    }
    Decimal result;
    for (const char c : whole) {
        constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
        const int digit = c - '0';
        if (result.value > (kMost - 1 - digit) / 10) return std::nullopt;  // 1: for the rounding
        result.value = result.value * 10 + digit;
    }
    result.is_exact = !is_tiny && rest.find_first_not_of('0') == rest.npos;
    if (!rest.empty() && rest.front() >= '5') ++result.value;
    return result;
}

}  // namespace rotary::config
