#include <rotary/quota/spend.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace rotary::quota {

namespace {
constexpr std::size_t kFirstIndex = 64;
constexpr std::size_t kShareOfOthers = 8;  // of the cells, so many more for consumers in common
}  // namespace

std::int64_t SpendKey::quarter_hour_of(WallTime time) noexcept {
    return std::chrono::floor<QuarterHours>(time.time_since_epoch()).count();
}

Spend Spend::of(const llm::Usage& usage, std::optional<Nanos> cost) noexcept {
    Spend spend;
    spend.requests = 1;
    spend.unpriced = cost ? 0 : 1;
    spend.estimated = usage.source == llm::UsageSource::told ? 0 : 1;
    spend.usage = usage;
    spend.nanos = cost.value_or(0);
    return spend;
}

Spend& Spend::operator+=(const Spend& other) noexcept {
    constexpr std::uint64_t llm::Usage::*kCounts[] = {
        &llm::Usage::input,        &llm::Usage::output,           &llm::Usage::cached_read,
        &llm::Usage::cache_write,  &llm::Usage::cache_write_long, &llm::Usage::audio_in,
        &llm::Usage::image_in,     &llm::Usage::reasoning,        &llm::Usage::audio_out,
        &llm::Usage::milliseconds, &llm::Usage::images,           &llm::Usage::web_searches};
    requests += other.requests;
    unpriced += other.unpriced;
    estimated += other.estimated;
    for (const auto count : kCounts) usage.*count += other.usage.*count;
    constexpr Nanos kMost = std::numeric_limits<Nanos>::max();
    nanos = other.nanos > kMost - nanos ? kMost : nanos + other.nanos;  // neither is negative
    return *this;
}

SpendKey SpendTable::key_of(const Cell& cell) noexcept {
    SpendKey key;
    key.quarter_hour = cell.quarter_hour;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < SpendKey::kNames; ++i) {
        key.names[i] = std::string_view(cell.text).substr(begin, cell.ends[i] - begin);
        begin = cell.ends[i];
    }
    return key;
}

void SpendTable::widen() {
    index_.assign(std::max(kFirstIndex, index_.size() * 2), 0);
    for (std::size_t i = 0; i < size_; ++i) {
        std::size_t at = std::hash<std::string_view>()(cells_[i].text);
        while (index_[at & (index_.size() - 1)] != 0) ++at;
        index_[at & (index_.size() - 1)] = static_cast<std::uint32_t>(i + 1);
    }
}

// Where in the index the key is or would be. What it is like is in wanted_ from then on.
std::size_t SpendTable::place(const SpendKey& key) {
    wanted_.quarter_hour = key.quarter_hour;
    wanted_.text.clear();
    for (std::size_t i = 0; i < SpendKey::kNames; ++i) {
        wanted_.text.append(key.names[i].substr(0, kLongestName));
        wanted_.ends[i] = static_cast<std::uint16_t>(wanted_.text.size());
    }
    const std::size_t mask = index_.size() - 1;
    std::size_t at = std::hash<std::string_view>()(wanted_.text) & mask;
    for (; index_[at] != 0; at = (at + 1) & mask) {
        const Cell& cell = cells_[index_[at] - 1];
        if (cell.quarter_hour == wanted_.quarter_hour && cell.ends == wanted_.ends &&
            cell.text == wanted_.text) {
            break;
        }
    }
    return at;
}

bool SpendTable::add_to(const SpendKey& key, const Spend& spend, std::size_t most) {
    if (2 * (size_ + 1) > index_.size()) widen();
    const std::size_t at = place(key);
    if (index_[at] != 0) {
        cells_[index_[at] - 1].spend += spend;
        return true;
    }
    if (size_ >= most) return false;
    if (size_ == cells_.size()) cells_.emplace_back();
    Cell& cell = cells_[size_++];
    cell.quarter_hour = wanted_.quarter_hour;
    cell.ends = wanted_.ends;
    cell.text = wanted_.text;
    cell.spend = spend;
    index_[at] = static_cast<std::uint32_t>(size_);
    return true;
}

bool SpendTable::add(const SpendKey& key, const Spend& spend, std::size_t most) {
    if (add_to(key, spend, most)) return true;
    SpendKey common = key;
    common.names.front() = kOthers;
    if (add_to(common, spend, most + most / kShareOfOthers)) return false;
    common.names.fill(kOthers);
    add_to(common, spend, std::numeric_limits<std::uint32_t>::max());
    return false;
}

std::size_t SpendTable::add_all(const SpendTable& other, std::size_t most) {
    std::size_t crowded = 0;
    other.each([&](const SpendKey& key, const Spend& spend) {
        if (!add(key, spend, most)) ++crowded;
    });
    return crowded;
}

void SpendTable::clear() noexcept {
    if (size_ == 0) return;
    size_ = 0;
    std::fill(index_.begin(), index_.end(), 0);
}

bool SpendOutbox::add(const SpendKey& key, const Spend& spend, std::size_t most) {
    const bool was_empty = filling_.empty();
    if (!filling_.add(key, spend, most)) crowded_.fetch_add(1, std::memory_order_relaxed);
    return was_empty;
}

bool SpendOutbox::hand_over() {
    if (filling_.empty()) return false;
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) std::swap(ready_, filling_);
    return true;
}

void SpendOutbox::take(SpendTable& empty) {
    const std::lock_guard lock(mutex_);
    std::swap(ready_, empty);
}

}  // namespace rotary::quota
