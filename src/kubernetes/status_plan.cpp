#include "kubernetes/status_plan.hpp"

#include <algorithm>

namespace rotary::kubernetes {
namespace {

bool same_findings(const std::vector<config::Finding>& one,
                   const std::vector<config::Finding>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const config::Finding& a, const config::Finding& b) {
                          return a.severity == b.severity && a.path == b.path &&
                                 a.message == b.message;
                      });
}

bool same_judged(const Judged& one, const Judged& other) {
    return one.object.uid == other.object.uid && one.verdict.outcome == other.verdict.outcome &&
           (one.text == other.text || *one.text == *other.text) &&
           same_findings(one.verdict.findings, other.verdict.findings);
}

}  // namespace

void StatusPlan::tell(std::vector<Judged> objects, SteadyTime now, double random) {
    const auto spread = std::chrono::duration_cast<SteadyTime::duration>(kSpread * random);
    std::map<std::string, Entry> entries;
    for (Judged& judged : objects) {
        Entry entry;
        const auto known = entries_.find(judged.target);
        const bool is_known = known != entries_.end();
        if (is_known) {
            entry.due = known->second.due;
            entry.looked_at = known->second.looked_at;
        }
        const bool is_news = !is_known || !same_judged(known->second.judged, judged);
        entry.judged = std::move(judged);
        if (is_news && !entry.due) {
            const SteadyTime soon = now + spread;
            entry.due = entry.looked_at ? std::max(soon, *entry.looked_at + kPause) : soon;
        }
        std::string target = entry.judged.target;
        entries.emplace(std::move(target), std::move(entry));
    }
    entries_ = std::move(entries);
}

std::optional<Judged> StatusPlan::take(SteadyTime now) {
    if (now < resumes_at_) {
        return std::nullopt;
    }
    Entry* first = nullptr;
    for (auto& [target, entry] : entries_) {
        if (entry.due && *entry.due <= now && (first == nullptr || *entry.due < *first->due)) {
            first = &entry;
        }
    }
    if (first == nullptr) {
        return std::nullopt;
    }
    first->due.reset();
    first->looked_at = now;
    return first->judged;
}

void StatusPlan::finish(const Judged& judged, Result result, SteadyTime now) {
    const auto found = entries_.find(judged.target);
    if (found == entries_.end() || found->second.due) {
        return;  // it is gone, or there is more to be said of it by now
    }
    if (result == Result::failed) {
        resumes_at_ = now + kFailed;
    }
    if (result == Result::failed || result == Result::conflict) {
        found->second.due = now;
    }
}

std::optional<SteadyTime> StatusPlan::next() const {
    std::optional<SteadyTime> first;
    for (const auto& [target, entry] : entries_) {
        if (entry.due && (!first || *entry.due < *first)) {
            first = entry.due;
        }
    }
    return first ? std::max(*first, resumes_at_) : first;
}

bool EventMemory::knows(const std::string& what, SteadyTime now) {
    std::erase_if(said_, [&](const auto& one) { return now - one.second >= kKept; });
    return said_.contains(what);
}

}  // namespace rotary::kubernetes
