#include <rotary/admin/limits.hpp>

#include "admin/limit_row.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::admin {

namespace {

struct Caller {
    std::string who;
    quota::LimitUse use;

    std::int64_t used() const noexcept { return use.stands.used; }
    friend bool operator<(const Caller& one, const Caller& other) noexcept {
        if (one.used() != other.used()) return one.used() > other.used();
        return one.who < other.who;
    }
};

// The callers that have a counter of one limit.
struct Callers {
    const quota::Limit* limit = nullptr;
    WallTime now;
    std::size_t known = 0;
    std::vector<Caller> most_used{};  // a heap, the one that has used least in front

    void add(const quota::KeyedCounter& counter, std::size_t most) {
        const quota::LimitUse use = quota::use_of(*limit, counter.counter, now);
        ++known;
        const bool is_full = most_used.size() == most;
        if (most == 0 || (is_full && use.stands.used <= most_used.front().used())) return;
        if (is_full) {
            std::pop_heap(most_used.begin(), most_used.end());
            most_used.pop_back();
        }
        most_used.push_back({counter.who, use});
        std::push_heap(most_used.begin(), most_used.end());
    }
    // Of those that are shown.
    void ask_fleet(const quota::CounterTable& counters) const {
        for (const Caller& caller : most_used) {
            if (!caller.use.here) continue;
            const auto counter = counters.find(*limit->family, caller.who);
            if (counter) quota::ask_fleet(*limit, *counter, now);
        }
    }
};

using CallersByFamily = std::map<const quota::Family*, Callers>;

// One look at all counters for all limits that callers have for themselves.
CallersByFamily callers_of(const routing::Snapshot& snapshot, WallTime now, std::size_t most) {
    CallersByFamily all;
    for (const quota::Limit& limit : snapshot.limits) {
        if (limit.is_each) all[limit.family.get()] = {&limit, now};
    }
    if (all.empty() || snapshot.counters == nullptr) return all;
    snapshot.counters->each([&](const quota::KeyedCounter& counter) {
        const auto callers = all.find(counter.family.get());
        if (callers != all.end()) callers->second.add(counter, most);
    });
    for (const auto& [family, callers] : all) callers.ask_fleet(*snapshot.counters);
    return all;
}

void write_callers(wire::JsonWriter& json, Callers& callers) {
    json.number("known_callers", callers.known).begin_array("callers");
    std::sort_heap(callers.most_used.begin(), callers.most_used.end());
    for (const Caller& caller : callers.most_used) {
        json.begin_object().string("caller", caller.who);
        write_standing(json, *callers.limit, caller.use);
        json.end_object();
    }
    json.end_array();
}

bool is_sampled(const quota::Limit& limit) noexcept {
    return limit.scope == quota::Scope::backend || limit.scope == quota::Scope::api;
}

double used_ratio(const quota::Limit& limit, std::int64_t used) noexcept {
    if (limit.amount <= 0) return 1.0;  // of nothing all is used
    return static_cast<double>(used) / static_cast<double>(limit.amount);
}

double used_ratio_of(const quota::Limit& limit, WallTime now) noexcept {
    return used_ratio(limit, look_at(limit, now).stands.used);
}

}  // namespace

std::string limits_json(const proxy::Wiring& wiring, WallTime now, std::size_t callers) {
    const std::vector<quota::Limit>& limits = wiring.snapshot->limits;
    const std::size_t shown = std::min(limits.size(), kLimitsShown);
    CallersByFamily all = callers_of(*wiring.snapshot, now, std::min(callers, kMostCallersShown));
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().begin_array("limits");
    for (std::size_t i = 0; i < shown; ++i) {
        json.begin_object();
        write_limit_names(json, limits[i]);
        write_standing(json, limits[i], look_at(limits[i], now));
        if (limits[i].is_each) write_callers(json, all[limits[i].family.get()]);
        json.end_object();
    }
    json.end_array().number("not_shown", limits.size() - shown).end_object();
    out.push_back('\n');
    return out;
}

void sample_limits(const proxy::Wiring& wiring, WallTime now, metrics::Exposition& out) {
    std::map<std::string_view, double> by_policy;
    for (const quota::Limit& limit : wiring.snapshot->limits) {
        if (!is_sampled(limit) || limit.what == quota::What::cost) continue;
        double& most = by_policy[limit.policy];
        most = std::max(most, used_ratio_of(limit, now));
    }
    for (const auto& [policy, ratio] : by_policy) {
        out.gauge("rotary_limit_used_ratio",
                  "What was used of a limit of a Backend or an API in the window that is open.",
                  {{"policy", policy}}, ratio);
    }
}

void sample_budgets(const proxy::Wiring& wiring, WallTime now, metrics::Exposition& out) {
    const routing::Snapshot& snapshot = *wiring.snapshot;
    std::map<std::string_view, double> by_budget;
    const auto note = [&](const quota::Limit& limit, double ratio) {
        double& most = by_budget[limit.policy];
        most = std::max(most, ratio);
    };
    bool is_any_each = false;
    for (const routing::BudgetPlace& place : snapshot.budgets) {
        const quota::Limit& limit = snapshot.limits[place.limit];
        is_any_each = is_any_each || limit.is_each;
        note(limit, limit.is_each ? 0.0 : used_ratio_of(limit, now));
    }
    const auto all = is_any_each ? callers_of(snapshot, now, 1) : CallersByFamily{};
    for (const auto& [family, callers] : all) {
        const bool is_budget = callers.limit->what == quota::What::cost;
        if (!is_budget || callers.most_used.empty()) continue;
        note(*callers.limit, used_ratio(*callers.limit, callers.most_used.front().used()));
    }
    for (const auto& [budget, ratio] : by_budget) {
        out.gauge(
            "rotary_budget_used_ratio",
            "What was spent of a budget in the period that is open; of one that each consumer "
            "has, by the one that spent most.",
            {{"budget", budget}}, ratio);
    }
}

}  // namespace rotary::admin
