#include "server/fleet_part.hpp"

#include "server/budget_history.hpp"

#include <rotary/fleet/asio_timers.hpp>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

namespace rotary::server {

namespace {

std::vector<fleet::SharedEntry> shared_entries(const routing::Snapshot& snapshot) {
    std::vector<fleet::SharedEntry> entries;
    for (const routing::EntryList& list : snapshot.lists) {
        for (std::size_t i = 0; i < list.entries.size(); ++i) {
            entries.push_back({list.entries[i].id, list.rotation.shared_state(i)});
        }
    }
    return entries;
}

constexpr std::string_view word_for(fleet::Redis::Link link) noexcept {
    switch (link) {
        case fleet::Redis::Link::away:
            return "away";
        case fleet::Redis::Link::slow:
            return "slow";
        case fleet::Redis::Link::ready:
            return "connected";
    }
    return "away";
}

// One family of counters, a series for each value of its label.
struct CounterFamily {
    std::string_view name;
    std::string_view help;
    std::string_view label;
};
void sample_counts(metrics::Exposition& out, const CounterFamily& family,
                   std::initializer_list<std::pair<std::string_view, std::uint64_t>> values) {
    for (const auto& [value, count] : values) {
        out.counter(family.name, family.help, {{family.label, value}}, static_cast<double>(count));
    }
}

}  // namespace

void FleetStanding::write(wire::JsonWriter& json) const {
    TimestampBuffer time;
    json.begin_object("fleet")
        .string("replica", replica)
        .number("replicas", replicas)
        .string("state", word_for(link))
        .string("since", format_timestamp(since, time))
        .string("redis", place)
        .string("last_error", error)
        .number("leases", leases)
        .number("places", places);
    if (cost_today) json.number("cost_today_nd", static_cast<std::uint64_t>(*cost_today));
    json.end_object();
}

void FleetPart::take(const routing::Snapshot& snapshot) {
    const config::Config& config = snapshot.config;
    if (!config.state.redis) {
        joined_.reset();
        return;
    }
    const std::string& name_space = config.state.redis->name_space;
    patience_ = config.timeouts.redis_connect + config.timeouts.redis_login;
    if (!joined_ || joined_->name_space != name_space) {
        auto next = std::make_unique<Joined>(control_, resolver_, log_);
        next->redis.configure(fleet::redis_options(config, replica_));
        next->name_space = name_space;
        joined_.reset();
        next->fleet = std::make_unique<fleet::Fleet>(
            next->redis, std::make_shared<fleet::AsioTimers>(control_),
            fleet::Fleet::Options{name_space, replica_, config.timeouts.suspension_max}, log_);
        joined_ = std::move(next);
    } else {
        joined_->redis.configure(fleet::redis_options(config, replica_));
    }
    joined_->fleet->take(shared_entries(snapshot), config.timeouts.suspension_max);
    snapshot.counters->leases().set_patience(config.state.redis->deadline);
    if (!joined_->limits) {
        share_limits(snapshot);
        share_places(snapshot);
    }
    if (!joined_->spend) share_spend(config);
    hand_in_budgets(snapshot, wall_now(), false);
}

void FleetPart::share_limits(const routing::Snapshot& snapshot) {
    if (!bell_) {
        bell_ = std::make_unique<fleet::Doorbell>(control_, [this] {
            if (joined_ && joined_->limits) joined_->limits->look();
            if (joined_ && joined_->places) joined_->places->look();
        });
    }
    const config::Config& config = snapshot.config;
    fleet::SharedLimits::Options options;
    options.prefix = "{rotary:" + joined_->name_space + "}";
    options.replica = replica_;
    options.journal = journal_of(config.budgets.ledger, config.budgets.currency, log_);
    options.bell = [this] { bell_->ring(); };
    options.replicas = [fleet = joined_->fleet.get()] { return fleet->parts(); };
    options.log = &log_;
    joined_->limits = std::make_unique<fleet::SharedLimits>(
        joined_->redis, std::make_shared<fleet::AsioTimers>(control_), *snapshot.counters,
        std::move(options));
    joined_->limits->on_answers([this] { wake_(); });
}

void FleetPart::share_spend(const config::Config& config) {
    if (currency_.empty()) currency_ = config.budgets.currency;
    fleet::SharedSpend::Options options;
    options.name_space = joined_->name_space;
    options.currency = currency_;
    options.ask_days = [this](control::DaysAsked asked) {
        if (ledger_ == nullptr) return asked.then(std::nullopt);
        ledger_->ask_days(std::move(asked));
    };
    options.on_loss = [this] { loss_(); };
    joined_->spend = std::make_unique<fleet::SharedSpend>(
        joined_->redis, std::make_shared<fleet::AsioTimers>(control_), std::move(options));
}

void FleetPart::share_places(const routing::Snapshot& snapshot) {
    fleet::SharedPlaces::Options options;
    options.prefix = "{rotary:" + joined_->name_space + "}";
    options.replica = replica_;
    options.bell = [this] { bell_->ring(); };
    options.replicas = [fleet = joined_->fleet.get()] { return fleet->parts(); };
    joined_->places = std::make_unique<fleet::SharedPlaces>(
        joined_->redis, std::make_shared<fleet::AsioTimers>(control_), *snapshot.in_flight,
        std::move(options));
    joined_->places->on_answers([this, desk = &snapshot.counters->leases()] {
        if (desk->is_waited_for()) wake_();
    });
}

void FleetPart::when_joined(std::function<void()> joined) {
    if (!joined_) return joined();
    joined_->fleet->when_joined(patience_, std::move(joined));
}

void FleetPart::each_second() {
    if (!joined_) return;
    joined_->limits->count_replicas();
    joined_->places->count_replicas();
}

void FleetPart::leave() {
    if (!joined_) return;
    joined_->places->leave();
    joined_->fleet->leave();
}

void FleetPart::finish(std::function<void()> finished) {
    if (!joined_ || ledger_ == nullptr) return finished();
    joined_->spend->finish(std::move(finished));
}

void FleetPart::stop() {
    joined_.reset();
    if (bell_) bell_->stop();
}

std::optional<FleetStanding> FleetPart::standing(const Now& now) const {
    if (!joined_) return std::nullopt;
    FleetStanding standing;
    standing.replica = replica_;
    standing.replicas = joined_->fleet->replicas();
    standing.link = joined_->redis.link();
    standing.place = joined_->redis.place();
    standing.error = joined_->redis.error();
    standing.since = now.wall - std::chrono::duration_cast<WallTime::duration>(
                                    now.steady - joined_->fleet->since());
    standing.leases = joined_->limits->leases();
    standing.places = joined_->places->granted();
    standing.cost_today = joined_->spend->today();
    return standing;
}

void FleetPart::sample(metrics::Exposition& out) const {
    if (!joined_) return;
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    const fleet::Redis::Counts& redis = joined_->redis.counts();
    out.gauge("rotary_fleet_replicas", "Replicas that share one Redis, as this one last heard.", {},
              number(joined_->fleet->replicas()));
    out.gauge("rotary_redis_up", "1 while the Redis of state.redis answers in time.", {},
              joined_->redis.is_ready() ? 1 : 0);
    sample_counts(
        out,
        {"rotary_redis_questions_total",
         "Questions to Redis: those with an answer, without one in time, answered with an error.",
         "outcome"},
        {{"answered", redis.questions - std::min(redis.questions, redis.late + redis.refused)},
         {"late", redis.late},
         {"refused", redis.refused}});
    const fleet::SharedSuspensions::Counts& shared = joined_->fleet->suspensions();
    sample_counts(out,
                  {"rotary_shared_suspensions_total",
                   "Changes of suspensions: told to the other replicas, heard from them, of "
                   "entries that this one does not have, ignored because they were none.",
                   "direction"},
                  {{"told", shared.told},
                   {"heard", shared.heard},
                   {"unknown", shared.unknown},
                   {"ignored", shared.ignored}});
    out.counter("rotary_shared_suspension_repairs_total",
                "How often what Redis has of suspensions was not what was heard of it.", {},
                number(shared.repairs));
    const fleet::SharedLimits::Counts& limits = joined_->limits->counts();
    sample_counts(out,
                  {"rotary_lease_questions_total",
                   "Questions to Redis for leases of limits, many in each: all, and those that had "
                   "no answer.",
                   "outcome"},
                  {{"asked", limits.questions}, {"unanswered", limits.unanswered}});
    out.counter("rotary_leases_asked_total", "Leases of limits that were asked for.", {},
                number(limits.leases));
    out.counter("rotary_leases_given_back_total", "Leases of limits that lay idle.", {},
                number(limits.given_back));
    out.gauge("rotary_leases", "Leases of limits that this replica has in use.", {},
              number(joined_->limits->leases()));
    sample_places(out);
    sample_counts(
        out,
        {"rotary_shared_probes_total",
         "Questions for the one probe of all replicas, and how often this one got it.", "outcome"},
        {{"asked", shared.probes_asked}, {"granted", shared.probes_granted}});
    sample_spend(out);
}

void FleetPart::sample_spend(metrics::Exposition& out) const {
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    const fleet::SharedSpend::Counts& counts = joined_->spend->counts();
    const auto today = joined_->spend->today();
    out.gauge(
        "rotary_fleet_cost_today_nanodollars",
        "What the answers of all replicas have cost today (UTC), as last heard; NaN: not yet.", {},
        today ? static_cast<double>(*today) : std::numeric_limits<double>::quiet_NaN());
    sample_counts(
        out,
        {"rotary_shared_spend_rows_total",
         "Sums of a day, told to the fleet's Redis; refused are those with which the day's sum "
         "would pass 2^63 nanodollars.",
         "outcome"},
        {{"told", counts.told}, {"refused", counts.refused}});
    out.counter("rotary_shared_spend_losses_total",
                "How often Redis had lost what it was told of spending; it is told again.", {},
                number(counts.lost));
}

void FleetPart::sample_places(metrics::Exposition& out) const {
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    const fleet::SharedPlaces::Counts& places = joined_->places->counts();
    sample_counts(out,
                  {"rotary_place_questions_total",
                   "Questions to Redis for places among the requests in flight, many limits in "
                   "each: all, and those that had no answer.",
                   "outcome"},
                  {{"asked", places.questions}, {"unanswered", places.unanswered}});
    out.counter("rotary_places_given_back_total",
                "Places among the requests in flight that lay idle, or were passed on.", {},
                number(places.given_back));
    out.gauge("rotary_places", "Places among the requests in flight that this replica may use.", {},
              number(joined_->places->granted()));
}

}  // namespace rotary::server
