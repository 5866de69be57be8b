#include "name_table.hpp"

#include <algorithm>

namespace rotary::net {

NameTable::Found NameTable::find(const std::string& name, SteadyTime now) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || now >= found->second.until) return {};
    return {&found->second.resolved, now >= found->second.renew_from};
}

void NameTable::store(const std::string& name, const Resolved& resolved, bool gone,
                      SteadyTime now) {
    const auto known = entries_.find(name);
    if (!resolved && !gone && known != entries_.end() && known->second.resolved &&
        now < known->second.until) {
        known->second.renew_from = now + rules_.negative;
        return;
    }
    Entry entry;
    entry.resolved = resolved;
    entry.renew_from = now + (resolved ? rules_.fresh : rules_.negative);
    entry.until = entry.renew_from + (resolved ? rules_.stale : std::chrono::milliseconds(0));
    if (known != entries_.end()) {
        known->second = std::move(entry);
        return;
    }
    while (!entries_.empty() && entries_.size() >= rules_.entries) {
        entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                        [](const auto& left, const auto& right) {
                                            return left.second.until < right.second.until;
                                        }));
    }
    if (rules_.entries > 0) entries_.emplace(name, std::move(entry));
}

}  // namespace rotary::net
