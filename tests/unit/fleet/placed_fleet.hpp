#pragma once

#include <rotary/fleet/shared_places.hpp>
#include <rotary/routing/in_flight.hpp>

#include "support/model_store.hpp"
#include "support/place_books.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rotary::fleet {

// Replicas that share the places among the requests in flight by way of a store, on a moved clock:
// all but the network is the program's own.
class PlacedFleet {
public:
    using Place = routing::InFlight::Place;

    struct Replica {
        Replica(PlacedFleet& fleet, std::size_t index)
            : store(fleet.server_, *fleet.time_, std::chrono::microseconds(100)) {
            SharedPlaces::Options options;
            options.prefix = "{rotary:test}";
            options.replica = "replica-" + std::to_string(index);
            options.bell = [this] { is_rung = true; };
            options.replicas = [&fleet] { return fleet.alive(); };
            shared = std::make_unique<SharedPlaces>(store, fleet.time_, *table, std::move(options));
        }
        void hear() {
            if (shared != nullptr && std::exchange(is_rung, false)) shared->look();
        }

        const std::unique_ptr<routing::InFlight> table = std::make_unique<routing::InFlight>();
        test::ModelStore store;
        bool is_rung = false;
        std::unique_ptr<SharedPlaces> shared;
        std::vector<Place> inside;  // of kKey
        std::int64_t refused = 0;
        std::int64_t entered = 0;
        std::chrono::nanoseconds longest_wait{0};
    };

    // The books are no longer young when this returns.
    explicit PlacedFleet(std::size_t replicas, std::uint32_t most) : most_(most) {
        test::teach_places(server_, books);
        for (std::size_t i = 0; i < replicas; ++i) {
            replicas_.push_back(std::make_unique<Replica>(*this, i));
        }
        for (const auto& replica : replicas_) replica->shared->count_replicas();
        enter(0, 1);
        run_for(kPlacesYoung);
        (*this)[0].inside.clear();
        run_for(std::chrono::seconds(8));
        (*this)[0].entered = 0;
        begun_with_ = counted();
    }

    Replica& operator[](std::size_t index) { return *replicas_[index]; }
    std::size_t size() const { return replicas_.size(); }
    std::size_t alive() const { return std::max<std::size_t>(replicas_.size() - dead_, 1); }
    void set_most(std::uint32_t most) { most_ = most; }

    // A request that looks for a place as the path does, and waits for it; returns whether it is
    // in.
    bool enter(std::size_t index) { return enter(index, 1) == 1; }
    // So many that come at once; returns how many are in, all of which stay.
    std::size_t enter(std::size_t index, std::size_t requests) {
        Replica& replica = *replicas_[index];
        const SteadyTime begun = time_->now();
        std::size_t entered = 0;
        std::vector<bool> waiting(requests, false);
        for (bool is_first = true; !waiting.empty(); is_first = false) {
            const bool is_patient = time_->now() - begun < kPatience;
            std::vector<bool> still;
            for (std::size_t i = 0; i < waiting.size(); ++i) {
                auto got = replica.table->enter(*replica.table->shares(),
                                                {kKey, most_, begun, is_patient, !is_first});
                if (got.place) {
                    replica.inside.push_back(*std::move(got.place));
                    ++replica.entered;
                    ++entered;
                } else if (got.waits) {
                    still.push_back(true);
                } else {
                    ++replica.refused;
                }
                highest = std::max(highest, in_flight());
            }
            replica.hear();
            waiting = std::move(still);
            if (!waiting.empty()) run_for(std::chrono::microseconds(100));
        }
        replica.longest_wait = std::max(replica.longest_wait, time_->now() - begun);
        return entered;
    }
    void end_one(std::size_t index) { replicas_[index]->inside.pop_back(); }

    // As kill -9: its requests are gone, the store hears no word of it.
    void kill(std::size_t index) {
        replicas_[index]->store.set_silent(true);
        replicas_[index]->shared->on_lost();
        replicas_[index]->inside.clear();
        ++dead_;
    }

    std::uint32_t in_flight() const {
        std::size_t all = 0;
        for (const auto& replica : replicas_) all += replica->inside.size();
        return static_cast<std::uint32_t>(all);
    }
    std::uint64_t questions() const { return counted() - begun_with_; }
    void run_for(std::chrono::nanoseconds time) {
        time_->move(time);
        for (const auto& replica : replicas_) replica->hear();
    }

    test::PlaceBooks books;
    std::uint32_t highest = 0;  // that were ever in flight

    static constexpr std::uint64_t kKey = 0x0123456789abcdefu;
    static constexpr std::chrono::milliseconds kPatience{20};

private:
    std::uint64_t counted() const {
        std::uint64_t all = 0;
        for (const auto& replica : replicas_) all += replica->shared->counts().questions;
        return all;
    }

    const std::shared_ptr<test::MovedTime> time_ = std::make_shared<test::MovedTime>();
    test::ModelServer server_{*time_};
    std::uint32_t most_;
    std::size_t dead_ = 0;
    std::uint64_t begun_with_ = 0;
    std::vector<std::unique_ptr<Replica>> replicas_;
};

}  // namespace rotary::fleet
