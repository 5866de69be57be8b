#include <rotary/admin/consumers.hpp>

#include "admin/limit_row.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::admin {

namespace {

using quota::ConsumerUse;
using quota::Use;

// Where a consumer's limits stand.
class ConsumerLimits {
public:
    ConsumerLimits(const routing::Snapshot& snapshot, WallTime now)
        : snapshot_(snapshot), now_(now) {
        for (const routing::ConsumerBudgets& budgets : snapshot.consumer_budgets) {
            for (const std::size_t limit : budgets.for_each()) each_.insert(limit);
        }
        for (const routing::Route& route : snapshot.routes) {
            for (const routing::KeyedLimit& keyed : route.quotas.keyed) {
                if (keyed.by != config::CustomRate::By::consumer) continue;
                if (keyed.value.empty()) each_.insert(keyed.limit);
                if (!keyed.value.empty()) named_.emplace(keyed.value, keyed.limit);
            }
        }
    }

    void write(wire::JsonWriter& json, std::string_view consumer) const {
        std::set<std::size_t> own;
        for (const auto& [name, limit] : named_) {
            if (name == consumer) own.insert(limit);
        }
        for (const routing::ConsumerBudgets& budgets : snapshot_.consumer_budgets) {
            const auto& limits = budgets.of(consumer);
            own.insert(limits.begin(), limits.end());
        }
        for (const routing::Subscribers& subscribers : snapshot_.subscribers) {
            const routing::Subscriber* subscriber = subscribers.find(consumer);
            if (subscriber == nullptr) continue;
            const routing::LimitSet& set = subscriber->limits;
            for (const auto* limits : {&set.requests, &set.tokens, &set.costs}) {
                own.insert(limits->begin(), limits->end());
            }
        }
        json.begin_array("limits");
        for (const std::size_t place : own) {
            const quota::Limit& limit = snapshot_.limits[place];
            write_limit(json, limit, look_at(limit, now_));
        }
        for (const std::size_t place : each_) {
            const quota::Limit& limit = snapshot_.limits[place];
            write_limit(json, limit, look(limit, consumer));
        }
        json.end_array();
    }

private:
    // One that has not come has used nothing.
    quota::LimitUse look(const quota::Limit& limit, std::string_view consumer) const {
        if (snapshot_.counters != nullptr) {
            if (const auto counter = snapshot_.counters->find(*limit.family, consumer)) {
                return look_at(limit, *counter, now_);
            }
        }
        return quota::use_of(limit, quota::Counter(), now_);
    }

    const routing::Snapshot& snapshot_;
    WallTime now_;
    std::set<std::size_t> each_;  // that each has for itself
    std::set<std::pair<std::string_view, std::size_t>> named_;
};

void write_use(wire::JsonWriter& json, const Use& use) {
    json.number("requests", use.requests)
        .number("refused", use.refused)
        .number("input_tokens", use.input)
        .number("output_tokens", use.output)
        .number("cost_nd", use.nanos);
}

// Where there is no limit none is counted.
void write_in_flight(wire::JsonWriter& json, const routing::Snapshot& snapshot,
                     std::string_view consumer) {
    const std::uint64_t key = routing::InFlight::key_of("consumer", consumer);
    const std::uint32_t most =
        snapshot.consumer_limits.find(key, snapshot.config.quotas.max_concurrent_per_consumer);
    if (most == 0 || snapshot.in_flight == nullptr) return;
    json.number("in_flight", snapshot.in_flight->count(key)).number("max_concurrent", most);
}

using Row = std::pair<std::string, Use>;

bool is_busier(const Row& one, const Row& other) noexcept {
    if (one.second.requests != other.second.requests) {
        return one.second.requests > other.second.requests;
    }
    return one.first < other.first;
}

std::vector<Row> rows_of(const ConsumerUse* uses, const ConsumersAsked& asked) {
    std::vector<Row> rows;
    if (uses != nullptr) {
        uses->each([&](std::string_view name, const Use& use) {
            if (asked.consumer.empty() || asked.consumer == name) rows.emplace_back(name, use);
        });
    }
    if (rows.empty() && !asked.consumer.empty()) rows.emplace_back(asked.consumer, Use{});
    std::sort(rows.begin(), rows.end(), is_busier);
    return rows;
}

void sample(metrics::Exposition& out, std::string_view consumer, const Use& use) {
    const auto count = [&](std::string_view name, std::string_view help, std::uint64_t value) {
        out.counter(name, help, {{"consumer", consumer}}, static_cast<double>(value));
    };
    count("rotary_consumer_requests_total", "Requests of a consumer.", use.requests);
    count("rotary_consumer_refused_total",
          "Requests of a consumer that a limit or a budget refused.", use.refused);
    count("rotary_consumer_cost_nanodollars_total",
          "What a consumer's answers cost, by the price lists, in 10^-9 of the currency.",
          use.nanos);
    constexpr std::string_view kTokens = "rotary_consumer_tokens_total";
    constexpr std::string_view kHelp = "Tokens of a consumer's answers, told or estimated.";
    out.counter(kTokens, kHelp, {{"consumer", consumer}, {"type", "input"}},
                static_cast<double>(use.input));
    out.counter(kTokens, kHelp, {{"consumer", consumer}, {"type", "output"}},
                static_cast<double>(use.output));
}

}  // namespace

std::string consumers_json(const proxy::Wiring& wiring, WallTime now, const ConsumersAsked& asked,
                           const CostOfToday& today) {
    const routing::Snapshot& snapshot = *wiring.snapshot;
    const ConsumerUse* uses = snapshot.consumer_use;
    const ConsumerLimits limits(snapshot, now);
    const std::vector<Row> rows = rows_of(uses, asked);
    const std::size_t shown = std::min({rows.size(), asked.most, kMostConsumersShown});
    std::string out;
    wire::JsonWriter json(out);
    json.begin_object().boolean("counted", uses != nullptr);
    if (uses != nullptr) {
        TimestampBuffer since;
        json.string("since", format_timestamp(uses->since(), since));
        json.string("today_since", format_timestamp(today.since(), since));
        json.boolean("of_whole_day", today.is_of_whole_day());
        json.number("cost_today_nd", today.total(*uses));
    }
    json.begin_array("consumers");
    for (std::size_t i = 0; i < shown; ++i) {
        json.begin_object().string("consumer", rows[i].first);
        if (uses != nullptr) {
            write_use(json, rows[i].second);
            json.number("cost_today_nd", today.of(rows[i].first, rows[i].second.nanos));
        }
        write_in_flight(json, snapshot, rows[i].first);
        limits.write(json, rows[i].first);
        json.end_object();
    }
    json.end_array().number("not_shown", rows.size() - shown);
    if (uses != nullptr && asked.consumer.empty()) {
        json.begin_object("others");
        write_use(json, uses->of_others());
        json.end_object();
    }
    json.end_object();
    out.push_back('\n');
    return out;
}

void sample_consumers(const proxy::Wiring& wiring, metrics::Exposition& out) {
    const ConsumerUse* uses = wiring.snapshot->consumer_use;
    if (uses == nullptr) return;
    uses->each([&](std::string_view name, const Use& use) { sample(out, name, use); });
    sample(out, ConsumerUse::kOthers, uses->of_others());
}

}  // namespace rotary::admin
