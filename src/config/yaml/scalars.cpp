#include "config/yaml/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>

#include <rotary/base/ip_address.hpp>

namespace rotary::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

constexpr long long kMostMilliseconds = 10LL * 366 * 24 * 3600 * 1000;

// "12.345" with a unit of so many milliseconds; false when it is not a number.
std::optional<Duration> scale(std::string_view number, long long unit) {
    const std::size_t point = number.find('.');
    const std::optional<long long> whole = parse_integer(number.substr(0, point));
    if (!whole || *whole < 0 || number[0] == '-' || *whole > kMostMilliseconds / unit) {
        return std::nullopt;
    }
    long long total = *whole * unit;
    if (point != std::string_view::npos) {
        const std::string_view decimals = number.substr(point + 1);
        if (decimals.empty() || decimals.size() > 9 ||
            !std::all_of(decimals.begin(), decimals.end(), is_digit)) {
            return std::nullopt;
        }
        long long share = 0;
        long long ten = 1;
        for (const char digit : decimals) {
            share = share * 10 + (digit - '0');
            ten *= 10;
        }
        if (share * unit % ten != 0) {
            return std::nullopt;
        }
        total += share * unit / ten;
    }
    return Duration(total);
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (is_lower(c)) {
        return c - 'a' + 26;
    }
    if (is_digit(c)) {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool is_label(std::string_view label) {
    const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; };
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), fits);
}

}  // namespace

std::optional<long long> parse_integer(std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || !is_digit(digits[0]) || (digits[0] == '0' && text.size() > 1)) {
        return std::nullopt;
    }
    long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

struct Unit {
    std::string_view name;
    long long milliseconds;
};
constexpr std::array<Unit, 4> kUnits{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};

std::optional<Duration> parse_duration(std::string_view text) {
    for (const Unit& unit : kUnits) {
        if (text.ends_with(unit.name)) {
            return scale(text.substr(0, text.size() - unit.name.size()), unit.milliseconds);
        }
    }
    return scale(text, 1000);
}

std::string shown_duration(Duration duration) {
    const auto fitting = std::find_if(kUnits.rbegin(), kUnits.rend(), [duration](const Unit& unit) {
        return duration.count() != 0 && duration.count() % unit.milliseconds == 0;
    });
    if (fitting == kUnits.rend()) {
        return "0s";
    }
    return std::to_string(duration.count() / fitting->milliseconds) + std::string(fitting->name);
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string letters;
    for (const char c : text) {
        if (c != '\n' && c != '\r') {
            letters += c;
        }
    }
    if (letters.size() % 4 != 0) {
        return std::nullopt;
    }
    std::size_t padding = 0;
    while (padding < 2 && !letters.empty() && letters.back() == '=') {
        letters.pop_back();
        ++padding;
    }
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : letters) {
        const int value = base64_value(c);
        if (value < 0) {
            return std::nullopt;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes += static_cast<char>((bits >> held) & 0xFFU);
            bits &= (1U << held) - 1;
        }
    }
    if (bits != 0) {
        return std::nullopt;
    }
    return bytes;
}

bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) {
        return false;
    }
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_label(text.substr(0, dot))) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        text.remove_prefix(dot + 1);
    }
}

bool is_ip_address(std::string_view text) { return parse_ip_address(text).has_value(); }

bool is_ip_range(std::string_view text) { return parse_ip_range(text).has_value(); }

bool is_name_server(std::string_view text) {
    if (is_ip_address(text)) return true;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    std::string_view address = text.substr(0, colon);
    const bool brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (brackets) address = address.substr(1, address.size() - 2);
    const bool is_v6 = address.find(':') != std::string_view::npos;
    const auto port = parse_integer(text.substr(colon + 1));
    return brackets == is_v6 && is_ip_address(address) && port && *port >= 1 && *port <= 65535;
}

bool is_object_name(std::string_view text) {
    const auto is_end = [](char c) { return is_lower(c) || is_digit(c); };
    const auto fits = [&](char c) { return is_end(c) || c == '-' || c == '.'; };
    return !text.empty() && text.size() <= 253 && is_end(text.front()) && is_end(text.back()) &&
           std::all_of(text.begin(), text.end(), fits);
}

bool is_currency(std::string_view text) {
    return text.size() == 3 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    const auto fits = [&](char c) {
        return is_letter(c) || is_digit(c) || marks.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool is_field_value(std::string_view text) {
    const auto fits = [](char c) {
        return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    };
    return std::all_of(text.begin(), text.end(), fits);
}

std::string shown(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string out = "\"";
    for (const char c : text.substr(0, longest)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
    if (text.size() > longest) {
        // Not in the middle of a character.
        while (static_cast<unsigned char>(out.back()) >= 0x80) {
            out.pop_back();
        }
        out += "…";
    }
    return out + '"';
}

std::string resolve_path(const std::string& folder, const std::string& path) {
    const std::filesystem::path given(path);
    const std::filesystem::path whole =
        given.is_absolute() || folder.empty() ? given : std::filesystem::path(folder) / given;
    return whole.lexically_normal().string();
}

}  // namespace rotary::config
