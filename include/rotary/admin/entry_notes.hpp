#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/proxy/wiring.hpp>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace rotary::admin {

// What each entry had come to at some moments of late, to be taken off what it has come to now. Of
// one thread.
template <class Sums>
class EntryNotes {
public:
    explicit EntryNotes(SteadyTime::duration span) noexcept : span_(span) {}

    // Notes `sums(series)` of all entries. Those that are not there any more are forgotten.
    template <class Sum>
    void note(const proxy::Wiring& wiring, SteadyTime now, const Sum& sums) {
        decltype(by_entry_) next;
        const routing::Snapshot& snapshot = *wiring.snapshot;
        for (std::size_t list = 0; list < snapshot.lists.size(); ++list) {
            for (std::size_t i = 0; i < snapshot.lists[list].entries.size(); ++i) {
                const std::string& id = snapshot.lists[list].entries[i].id;
                std::deque<Noted>& noted = next[id];
                const auto known = by_entry_.find(id);
                if (noted.empty() && known != by_entry_.end()) noted = std::move(known->second);
                noted.push_back({now, sums(wiring.entries[list][i])});
                while (noted.size() > 1 && now - noted[1].at >= span_) noted.pop_front();
            }
        }
        by_entry_ = std::move(next);
    }

    bool empty() const noexcept { return by_entry_.empty(); }
    // As it was the span ago, or as far back as it was noted; null: it never was.
    const Sums* before(std::string_view entry, SteadyTime now) const {
        const auto known = by_entry_.find(entry);
        if (known == by_entry_.end()) return nullptr;
        const Noted* before = &known->second.front();
        for (const Noted& noted : known->second) {
            if (now - noted.at >= span_) before = &noted;
        }
        return &before->sums;
    }

private:
    struct Noted {
        SteadyTime at;
        Sums sums;
    };
    SteadyTime::duration span_;
    std::map<std::string, std::deque<Noted>, std::less<>> by_entry_;
};

}  // namespace rotary::admin
