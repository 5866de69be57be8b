#include <rotary/auth/unknown_kids.hpp>

#include <algorithm>
#include <utility>

namespace rotary::auth {

bool UnknownKids::contains(std::uint64_t generation, std::string_view kid,
                           SteadyTime now) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.generation == generation && now < entry.until && entry.kid == kid;
    });
}

void UnknownKids::remember(Entry entry, SteadyTime now, std::size_t limit) {
    std::erase_if(entries_, [&](const Entry& old) {
        const bool same = old.generation == entry.generation && old.kid == entry.kid;
        return same || now >= old.until;
    });
    if (limit == 0 || now >= entry.until) return;
    std::size_t count = 0;
    auto first = entries_.end();  // of this set, to expire
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
        if (at->generation != entry.generation) continue;
        ++count;
        if (first == entries_.end() || at->until < first->until) first = at;
    }
    if (count >= limit) entries_.erase(first);
    entries_.push_back(std::move(entry));
}

}  // namespace rotary::auth
