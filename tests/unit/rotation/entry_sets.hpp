#pragma once

#include <rotary/rotation/entry_set.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Sets of entries for the tests of this room, and what their orders are measured by.
namespace rotary::rotation {

struct OwnSet {
    std::vector<std::uint64_t> words = std::vector<std::uint64_t>(1);
    operator EntrySet() const { return words; }
    bool has(std::size_t entry) const { return contains(words, entry); }
    bool operator==(const OwnSet&) const = default;
    bool operator<(const OwnSet& other) const { return words < other.words; }
};

inline OwnSet set_of(std::string_view entries) {
    OwnSet set;
    for (const char c : entries) add(set.words, static_cast<std::size_t>(c - 'A'));
    return set;
}

inline OwnSet first_of(std::size_t entries) {
    OwnSet set;
    set.words.resize(std::max<std::size_t>(words_for(entries), 1));
    for (std::size_t i = 0; i < entries; ++i) add(set.words, i);
    return set;
}

inline OwnSet copy_of(EntrySet entries) {
    OwnSet set;
    set.words.assign(entries.begin(), entries.end());
    return set;
}

inline Tried tried_of(std::string_view entries) {
    Tried tried;
    for (const char c : entries) tried.add(static_cast<std::size_t>(c - 'A'));
    return tried;
}

// nginx's algorithm, step by step as it is told.
class PlainSmooth {
public:
    explicit PlainSmooth(std::span<const std::uint32_t> weights)
        : weights_(weights.begin(), weights.end()), current_(weights.size()) {}
    std::size_t next(EntrySet active) {
        std::int64_t total = 0;
        std::size_t best = weights_.size();
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            if (weights_[i] == 0 || !contains(active, i)) continue;
            total += weights_[i];
            current_[i] += weights_[i];
            if (best == weights_.size() || current_[i] > current_[best]) best = i;
        }
        current_[best] -= total;
        return best;
    }

private:
    std::vector<std::int64_t> weights_;
    std::vector<std::int64_t> current_;
};

// Whether each run of `period` picks holds every active entry its weight times; the period is that
// of the weights as they are, or of what is left when their common divisor is taken out.
inline void expect_exact(const std::vector<std::size_t>& picks,
                         const std::vector<std::uint32_t>& weights, EntrySet active,
                         const std::string& name, bool divided = true) {
    std::uint32_t divisor = divided ? 0 : 1;
    std::size_t total = 0;
    std::vector<std::size_t> expected(weights.size(), 0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (contains(active, i)) divisor = std::gcd(divisor, weights[i]);
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (contains(active, i)) total += expected[i] = weights[i] / divisor;
    }
    ASSERT_GE(picks.size(), total) << name;
    std::vector<std::size_t> seen(weights.size(), 0);
    std::size_t wrong = 0;  // entries that this window does not hold as often as it should
    for (const std::size_t times : expected) wrong += std::size_t{times != 0};
    const auto count = [&](std::size_t entry, std::size_t change) {
        wrong -= std::size_t{seen[entry] != expected[entry]};
        seen[entry] += change;
        wrong += std::size_t{seen[entry] != expected[entry]};
    };
    for (std::size_t i = 0; i < picks.size(); ++i) {
        count(picks[i], 1);
        if (i >= total) count(picks[i - total], static_cast<std::size_t>(-1));
        if (i + 1 < total) continue;
        ASSERT_EQ(wrong, 0U) << name << ", window up to pick " << i;
    }
}

inline std::size_t total_of(const std::vector<std::uint32_t>& weights) {
    return std::accumulate(weights.begin(), weights.end(), std::size_t{0});
}

}  // namespace rotary::rotation
