#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rotary::rotation {

// Entries of one list: entry i is bit i % 64 of word i / 64. A set may be shorter than its list.
using EntrySet = std::span<const std::uint64_t>;

inline constexpr std::size_t kWordEntries = 64;  // of a list whose sets are one word

constexpr std::size_t words_for(std::size_t entries) noexcept {
    return (entries + kWordEntries - 1) / kWordEntries;
}
constexpr bool contains(EntrySet set, std::size_t entry) noexcept {
    const std::size_t word = entry / kWordEntries;
    return word < set.size() && (set[word] >> entry % kWordEntries & 1) != 0;
}
constexpr void add(std::span<std::uint64_t> set, std::size_t entry) noexcept {
    set[entry / kWordEntries] |= std::uint64_t{1} << entry % kWordEntries;
}

// The entries that one request has tried. They are few as a rule, whatever the length of the list,
// and these need no memory of their own.
class Tried {
public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    bool contains(std::size_t entry) const noexcept;
    void add(std::size_t entry);
    void take_from(std::span<std::uint64_t> set) const noexcept;

private:
    static constexpr std::size_t kAtHand = 6;
    std::uint32_t size_ = 0;
    std::array<std::uint16_t, kAtHand> first_{};
    std::vector<std::uint16_t> more_;
};

}  // namespace rotary::rotation
