#pragma once

#include <rotary/fleet/shared_limits.hpp>
#include <rotary/quota/admission.hpp>

#include "support/lease_books.hpp"
#include "support/model_store.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace rotary::fleet {

// 2026-11-29T12:00:00Z
inline const WallTime kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 29) + std::chrono::hours(12);

// Replicas that share limits by way of a store, on a moved clock: all but the network is the
// program's own.
class LeasedFleet {
public:
    struct Replica {
        Replica(test::ModelServer& server, const std::shared_ptr<test::MovedTime>& time,
                std::size_t size, std::chrono::nanoseconds way, SharedLimits::Options options)
            : store(server, *time, way) {
            options.prefix = "{rotary:test}";
            options.bell = [this] { is_rung = true; };
            options.replicas = [size] { return size; };
            table.leases().set_replicas(static_cast<std::uint32_t>(size));
            shared = std::make_unique<SharedLimits>(store, time, table, std::move(options));
        }

        quota::CounterTable table;
        test::ModelStore store;
        std::unique_ptr<SharedLimits> shared;
        quota::Limit limit;
        bool is_rung = false;
        std::int64_t admitted = 0;
        std::int64_t refused = 0;
        std::chrono::nanoseconds longest_wait{0};
    };

    // `log`: the first replica's.
    LeasedFleet(std::size_t replicas, quota::Limit limit,
                std::chrono::nanoseconds way = std::chrono::microseconds(100),
                Logger* log = nullptr) {
        test::teach_leases(server_, books);
        for (std::size_t i = 0; i < replicas; ++i) {
            SharedLimits::Options options;
            options.replica = "replica-" + std::to_string(i);
            if (i == 0) options.log = log;
            replicas_.push_back(
                std::make_unique<Replica>(server_, time_, replicas, way, std::move(options)));
            Replica& replica = *replicas_.back();
            replica.limit = limit;
            replica.limit.family = replica.table.family("limit");
        }
    }

    Replica& operator[](std::size_t index) { return *replicas_[index]; }
    std::size_t size() const { return replicas_.size(); }

    // A request that takes `estimate` and uses `actual`: asks, waits as the path does, and settles.
    bool request(std::size_t index, std::int64_t estimate = 1, std::int64_t actual = 1) {
        Replica& replica = *replicas_[index];
        quota::Admission admission;
        const auto begun = passed();
        const std::chrono::nanoseconds patience = replica.table.leases().patience();
        admission.ask(replica.limit, estimate, time_->wall_now());
        hear(replica);
        while (admission.waits()) {
            admission.undo();
            if (passed() - begun >= patience) admission.end_patience();
            run_for(std::chrono::microseconds(100));
            admission.ask(replica.limit, estimate, time_->wall_now());
            hear(replica);
        }
        replica.longest_wait = std::max(replica.longest_wait, passed() - begun);
        last_ = admission.requests().limit != nullptr ? admission.requests() : admission.tokens();
        if (const quota::Reached* reached = admission.reached()) {
            reached_ = *reached;
            ++replica.refused;
            return false;
        }
        replica.admitted += actual;
        quota::Amounts used;
        used[replica.limit.what] = actual;
        admission.settle(used, time_->wall_now());
        hear(replica);
        return true;
    }
    const quota::Standing& last() const { return last_; }
    const quota::Reached& reached() const { return reached_; }

    std::int64_t admitted() const { return sum(&Replica::admitted); }
    std::uint64_t questions() const {
        std::uint64_t all = 0;
        for (const auto& replica : replicas_) all += replica->shared->counts().questions;
        return all;
    }
    // The worker's bell, as the loop of the control thread hears it.
    static void hear(Replica& replica) {
        if (std::exchange(replica.is_rung, false)) replica.shared->look();
    }

    // As with a memory that is full.
    void refuse_writes() {
        server_.teach(lease_script(), [](auto&&...) { return Reply{}; });
    }
    void accept_writes() { test::teach_leases(server_, books); }

    std::chrono::nanoseconds passed() const { return time_->now() - begun_; }
    WallTime wall_now() const { return time_->wall_now(); }
    void run_for(std::chrono::nanoseconds time) { time_->move(time); }
    void run_until(std::chrono::nanoseconds end) { time_->move_to(begun_ + end); }

    test::LeaseBooks books;

private:
    std::int64_t sum(std::int64_t Replica::*of) const {
        std::int64_t all = 0;
        for (const auto& replica : replicas_) all += (*replica).*of;
        return all;
    }

    const std::shared_ptr<test::MovedTime> time_ = std::make_shared<test::MovedTime>();
    const SteadyTime begun_ = time_->now();
    test::ModelServer server_{*time_};
    std::vector<std::unique_ptr<Replica>> replicas_;
    quota::Standing last_;
    quota::Reached reached_;
};

inline quota::Limit limit_of(std::int64_t amount, quota::What what = quota::What::requests) {
    quota::Limit limit;
    limit.policy = "limit";
    limit.amount = amount;
    limit.what = what;
    return limit;
}

// Requests at random moments, so many a second, of which each replica gets its part.
struct Traffic {
    double a_second = 0;
    std::vector<double> parts;

    // One window of a minute, to its end.
    void run(LeasedFleet& fleet) const {
        std::mt19937_64 random(7);
        std::exponential_distribution<double> gap(a_second);
        std::discrete_distribution<std::size_t> replica(parts.begin(), parts.end());
        const auto end = fleet.passed() + std::chrono::seconds(60);
        for (;;) {
            const auto next = fleet.passed() + std::chrono::nanoseconds(
                                                   static_cast<std::int64_t>(gap(random) * 1e9));
            if (next >= end) break;
            fleet.run_until(next);
            fleet.request(replica(random));
        }
        fleet.run_until(end);
    }
};

}  // namespace rotary::fleet
