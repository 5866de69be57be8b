#include <rotary/admin/token_rates.hpp>

#include <utility>

namespace rotary::admin {

namespace {
constexpr std::chrono::minutes kSpan{1};
}  // namespace

std::uint64_t tokens_of(const metrics::Registry& registry, const proxy::EntrySeries& series) {
    return registry.value(series.tokens[0]) + registry.value(series.tokens[1]);
}

void TokenRates::note(const proxy::Wiring& wiring, const metrics::Registry& registry,
                      SteadyTime now) {
    decltype(by_entry_) next;
    const routing::Snapshot& snapshot = *wiring.snapshot;
    for (std::size_t list = 0; list < snapshot.lists.size(); ++list) {
        for (std::size_t i = 0; i < snapshot.lists[list].entries.size(); ++i) {
            const std::string& id = snapshot.lists[list].entries[i].id;
            std::deque<Noted>& noted = next[id];
            const auto known = by_entry_.find(id);
            if (noted.empty() && known != by_entry_.end()) noted = std::move(known->second);
            noted.push_back({now, tokens_of(registry, wiring.entries[list][i])});
            while (noted.size() > 1 && now - noted[1].at >= kSpan) noted.pop_front();
        }
    }
    by_entry_ = std::move(next);
}

std::uint64_t TokenRates::last_minute(std::string_view entry, std::uint64_t total,
                                      SteadyTime now) const {
    const auto known = by_entry_.find(entry);
    if (known == by_entry_.end()) return 0;
    std::uint64_t before = known->second.front().total;
    for (const Noted& noted : known->second) {
        if (now - noted.at >= kSpan) before = noted.total;
    }
    return total >= before ? total - before : total;  // less: its series began anew
}

}  // namespace rotary::admin
