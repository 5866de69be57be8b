#include "quota/posix_rule.hpp"

#include <rotary/quota/time_zone.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace rotary::quota {

namespace {

constexpr std::size_t kHeaderBytes = 44;
constexpr std::size_t kMostBytes = 1 << 20;  // the largest of the database has some 4 KB
constexpr int kLastYear = 2199;              // until then the rule at a file's end is laid out
constexpr std::int64_t kFarthest = 7'258'118'400;  // 2200-01-01, in seconds; idem backwards

std::uint64_t big_endian(std::string_view bytes) noexcept {
    std::uint64_t value = 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

struct Header {
    std::size_t ut_marks = 0;
    std::size_t standard_marks = 0;
    std::size_t leap_seconds = 0;
    std::size_t times = 0;
    std::size_t types = 0;
    std::size_t letters = 0;

    std::size_t data_bytes(std::size_t time_bytes) const noexcept {
        return times * time_bytes + times + types * 6 + letters + leap_seconds * (time_bytes + 4) +
               standard_marks + ut_marks;
    }
};

std::optional<Header> read_header(std::string_view file) noexcept {
    if (file.size() < kHeaderBytes || !file.starts_with("TZif") || file[4] < '2') {
        return std::nullopt;
    }
    std::array<std::size_t, 6> counts{};
    constexpr std::size_t kCounts = 20;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        counts[i] = big_endian(file.substr(kCounts + 4 * i, 4));
        if (counts[i] > kMostBytes) return std::nullopt;
    }
    return Header{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

std::chrono::seconds offset_of(std::string_view types, std::size_t type) noexcept {
    const auto bits = static_cast<std::uint32_t>(big_endian(types.substr(type * 6, 4)));
    return std::chrono::seconds(static_cast<std::int32_t>(bits));
}

}  // namespace

std::optional<TimeZone> TimeZone::parse(std::string_view file) {
    constexpr std::size_t kOldTime = 4;
    constexpr std::size_t kTime = 8;
    if (file.size() > kMostBytes) return std::nullopt;
    const auto old = read_header(file);  // whose data are for readers of 32 bits
    if (!old || file.size() < kHeaderBytes + old->data_bytes(kOldTime)) return std::nullopt;
    file.remove_prefix(kHeaderBytes + old->data_bytes(kOldTime));
    const auto header = read_header(file);
    if (!header || header->types == 0) return std::nullopt;
    file.remove_prefix(kHeaderBytes);
    if (file.size() < header->data_bytes(kTime)) return std::nullopt;
    const std::string_view times = file.substr(0, header->times * kTime);
    const std::string_view kinds = file.substr(times.size(), header->times);
    const std::string_view types = file.substr(times.size() + kinds.size(), header->types * 6);

    TimeZone zone;
    zone.before_ = offset_of(types, 0);
    for (std::size_t i = 0; i < header->times; ++i) {
        const auto type = static_cast<unsigned char>(kinds[i]);
        const auto at = static_cast<std::int64_t>(big_endian(times.substr(i * kTime, kTime)));
        if (type >= header->types) return std::nullopt;
        if (at < -kFarthest || at > kFarthest) continue;
        const UtcTime from{Seconds(at)};
        if (!zone.changes_.empty() && from <= zone.changes_.back().from) return std::nullopt;
        zone.changes_.push_back({from, offset_of(types, type)});
    }
    file.remove_prefix(header->data_bytes(kTime));
    const std::size_t end = file.find('\n', 1);
    if (file.empty() || file.front() != '\n' || end == file.npos) return std::nullopt;
    if (end == 1) return zone;  // no rule: the last change holds
    const auto rule = parse_posix_rule(file.substr(1, end - 1));
    if (!rule) return std::nullopt;

    // Behind the last change that is listed.
    const UtcTime last = zone.changes_.empty() ? UtcTime::min() : zone.changes_.back().from;
    if (!rule->summer) {
        if (zone.changes_.empty()) zone.before_ = rule->standard;
        return zone;
    }
    std::vector<Change> more;
    for (int year = 1970; year <= kLastYear; ++year) {
        const auto begin = rule->summer->begin.in(std::chrono::year(year));
        const auto finish = rule->summer->end.in(std::chrono::year(year));
        more.push_back({UtcTime(begin.time_since_epoch() - rule->standard), rule->summer->offset});
        more.push_back({UtcTime(finish.time_since_epoch() - rule->summer->offset), rule->standard});
    }
    std::ranges::stable_sort(more, {}, &Change::from);
    for (const Change& change : more) {
        if (change.from > last) zone.changes_.push_back(change);
    }
    return zone;
}

std::optional<TimeZone> TimeZone::load(const std::string& name) {
    if (name == "UTC") return TimeZone();
    const bool is_plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '+' || c == '/';
    });
    if (name.empty() || name.front() == '/' || !is_plain) return std::nullopt;
    const std::string path = "/usr/share/zoneinfo/" + name;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;  // "Europe" is none
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return parse(text);
}

TimeZone::LocalTime TimeZone::local(UtcTime time) const noexcept {
    const auto after = std::ranges::upper_bound(changes_, time, {}, &Change::from);
    const Seconds offset = after == changes_.begin() ? before_ : std::prev(after)->offset;
    return LocalTime(time.time_since_epoch() + offset);
}

TimeZone::UtcTime TimeZone::first_at(LocalTime time) const noexcept {
    constexpr std::chrono::hours kWidest{27};  // no clocks differ more from UTC
    const UtcTime earliest(time.time_since_epoch() - kWidest);
    auto next = std::ranges::upper_bound(changes_, earliest, {}, &Change::from);
    Seconds offset = next == changes_.begin() ? before_ : std::prev(next)->offset;
    UtcTime from = UtcTime::min();
    for (;; ++next) {
        const UtcTime candidate = std::max(from, UtcTime(time.time_since_epoch() - offset));
        if (next == changes_.end() || candidate < next->from) return candidate;
        from = next->from;
        offset = next->offset;
    }
}

}  // namespace rotary::quota
