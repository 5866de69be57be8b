#include <rotary/base/text.hpp>
#include <rotary/mock/provider.hpp>

#include <charconv>
#include <cmath>

namespace rotary::mock {

namespace {

struct Unit {
    std::string_view name;
    double nanoseconds;
};

constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                           {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};

std::optional<double> parse_number(std::string_view text) {
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (!(value >= 0)) return std::nullopt;  // NaN neither
    return value;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_mock_duration(std::string_view text) {
    if (text == "0") return std::chrono::nanoseconds{0};
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == std::string_view::npos || digits == 0) return std::nullopt;
    const auto value = parse_number(text.substr(0, digits));
    if (!value) return std::nullopt;
    for (const Unit& unit : kUnits) {
        if (text.substr(digits) != unit.name) continue;
        const double nanoseconds = *value * unit.nanoseconds;
        if (nanoseconds > 1e18) return std::nullopt;  // thirty years, and no overflow
        return std::chrono::nanoseconds{std::llround(nanoseconds)};
    }
    return std::nullopt;
}

std::optional<MockQuota> parse_mock_quota(std::string_view text) {
    // From the right: a model's name may hold '=' and '/'.
    const std::size_t slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::size_t equals = text.rfind('=', slash);
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    const auto count = text::parse_unsigned(text.substr(equals + 1, slash - equals - 1));
    const auto window = parse_mock_duration(text.substr(slash + 1));
    if (!count || !window || *window <= std::chrono::nanoseconds{0}) return std::nullopt;
    return MockQuota{std::string(text.substr(0, equals)), *count, *window};
}

std::optional<MockFailRate> parse_mock_fail_rate(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto status = text::parse_unsigned(text.substr(0, equals));
    const auto fraction = parse_number(text.substr(equals + 1));
    if (!status || *status < 400 || *status > 599 || !fraction || *fraction > 1) {
        return std::nullopt;
    }
    return MockFailRate{static_cast<unsigned>(*status), *fraction};
}

MockFault MockFault::of(Kind kind, std::uint64_t bytes) {
    MockFault fault;
    fault.kind = kind;
    fault.bytes = bytes;
    return fault;
}

MockFault MockFault::slow_head(std::chrono::nanoseconds delay) {
    MockFault fault = of(Kind::slow_head, 0);
    fault.delay = delay;
    return fault;
}

MockFault MockFault::answer_status(unsigned status) {
    MockFault fault = of(Kind::status, 0);
    fault.status = status;
    return fault;
}

MockFault MockFault::canned(unsigned status, HeaderList headers, std::string body) {
    MockFault fault = of(Kind::canned, 0);
    fault.status = status;
    fault.headers = std::move(headers);
    fault.text = std::move(body);
    return fault;
}

MockFault MockFault::raw(std::string bytes) {
    MockFault fault = of(Kind::raw, 0);
    fault.text = std::move(bytes);
    return fault;
}

std::optional<MockFault> MockFault::parse(std::string_view text) {
    text = text::trim(text);
    const std::size_t equals = text.find('=');
    const bool bare = equals == std::string_view::npos;
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = bare ? std::string_view{} : text.substr(equals + 1);
    const auto number = bare ? std::optional<std::uint64_t>{} : text::parse_unsigned(value);
    if (name == "garbage") return bare ? std::optional(garbage()) : std::nullopt;
    if (name == "slow-head") {
        const auto delay = parse_mock_duration(value);
        return delay ? std::optional(slow_head(*delay)) : std::nullopt;
    }
    if (name == "status") {
        if (!number || *number < 200 || *number > 599) return std::nullopt;
        return answer_status(static_cast<unsigned>(*number));
    }
    if (!bare && !number) return std::nullopt;
    if (name == "reset") return reset(number.value_or(0));
    if (name == "stall") return stall(number.value_or(0));
    if (name == "close-after" && number) return close_after(*number);
    if (name == "truncate" && number) return truncate(*number);
    return std::nullopt;
}

std::string_view Captured::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (text::iequals(key, name)) return value;
    }
    return {};
}

bool Captured::has_header(std::string_view name) const {
    for (const auto& header : headers) {
        if (text::iequals(header.first, name)) return true;
    }
    return false;
}

}  // namespace rotary::mock
