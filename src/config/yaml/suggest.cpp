#include <rotary/base/text.hpp>
#include <rotary/config/yaml/suggest.hpp>

#include <algorithm>

namespace rotary::config {
namespace {

using text::lower;

// Edits between two texts, a swap of neighbours counting as one (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

constexpr std::size_t kLongestCompared = 256;  // the work grows with the square of the length
constexpr std::size_t kListed = 5;

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    if (word.empty() || word.size() > kLongestCompared) {
        return "";
    }
    std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string_view nearest;
    for (const std::string& candidate : candidates) {
        if (candidate.empty() || candidate.size() > kLongestCompared) {
            continue;
        }
        const std::size_t edits = distance(word, candidate);
        if (edits < best) {
            best = edits;
            nearest = candidate;
        }
    }
    return nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?";
}

std::string what_is_there(std::string_view word, std::span<const std::string> candidates) {
    if (candidates.empty()) {
        return "; there is none at all";
    }
    std::string near = did_you_mean(word, candidates);
    if (!near.empty()) {
        return near;
    }
    std::string list = "; there is ";
    for (std::size_t i = 0; i < std::min(candidates.size(), kListed); ++i) {
        list += (i == 0 ? "\"" : ", \"") + candidates[i] + '"';
    }
    if (candidates.size() > kListed) {
        list += " and " + std::to_string(candidates.size() - kListed) + " more";
    }
    return list;
}

}  // namespace rotary::config
