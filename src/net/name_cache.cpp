#include "name_cache.hpp"

#include <algorithm>
#include <utility>

namespace rotary::net {

const Addresses* NameCache::fresh(const std::string& name, SteadyTime now) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.fresh_until <= now) return nullptr;
    return &found->second.addresses;
}

void NameCache::store(const std::string& name, Addresses addresses, SteadyTime now) {
    if (most_entries_ == 0) return;
    if (entries_.size() >= most_entries_ && entries_.find(name) == entries_.end()) {
        entries_.erase(std::min_element(
            entries_.begin(), entries_.end(), [](const auto& left, const auto& right) {
                return left.second.fresh_until < right.second.fresh_until;
            }));
    }
    entries_[name] = Entry{std::move(addresses), now + lifetime_};
}

const Addresses* NameCache::extend(const std::string& name, SteadyTime now) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) return nullptr;
    found->second.fresh_until = now + lifetime_;
    return &found->second.addresses;
}

}  // namespace rotary::net
