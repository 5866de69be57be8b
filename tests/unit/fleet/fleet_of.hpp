#pragma once

#include <rotary/fleet/shared_suspensions.hpp>
#include "support/model_store.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {

inline constexpr const char* kEntry = "Chat/production/gpt 4o@east";
inline constexpr const char* kOther = "Chat/production/gpt-5@west";

// One replica of two entries, on the moved clock of its fleet.
struct ModelReplica {
    ModelReplica(ModelServer& server, std::shared_ptr<MovedTime> moved, std::string id)
        : time(moved), store(server, *moved, std::chrono::microseconds(100)) {
        fleet::SharedSuspensions::Options options{"test", std::move(id), std::chrono::hours(1)};
        shared = std::make_unique<fleet::SharedSuspensions>(store, std::move(moved),
                                                            std::move(options), log);
        take();
    }
    void take() { shared->take({{kEntry, entry}, {kOther, other}}); }

    bool suspend(std::chrono::milliseconds duration,
                 rotation::SuspendReason reason = rotation::SuspendReason::rate_limited) {
        return entry->suspend(time->now(), duration, reason, limits);
    }
    bool is_active() const { return entry->standing(time->now()) == rotation::Standing::active; }
    bool claims() { return entry->claim_probe(time->now(), limits); }
    // Milliseconds until it returns; 0 while it is active.
    std::int64_t left() const {
        if (is_active()) return 0;
        return std::chrono::round<std::chrono::milliseconds>(entry->until() - time->now()).count();
    }

    std::FILE* sink = std::tmpfile();
    Logger log{LogLevel::info, LogFormat::json, fileno(sink)};
    const std::shared_ptr<MovedTime> time;
    ModelStore store;
    rotation::EntryState::Limits limits;
    std::shared_ptr<rotation::EntryState> entry = std::make_shared<rotation::EntryState>();
    std::shared_ptr<rotation::EntryState> other = std::make_shared<rotation::EntryState>();
    std::unique_ptr<fleet::SharedSuspensions> shared;
};

// Of so many, that all have read what the server has.
struct ModelFleet {
    explicit ModelFleet(std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) join();
        move(std::chrono::milliseconds(1));
    }
    ModelReplica& join() {
        const std::string id = "replica" + std::to_string(replicas.size());
        replicas.push_back(std::make_unique<ModelReplica>(server, time, id));
        return *replicas.back();
    }
    ModelReplica& operator[](std::size_t index) { return *replicas[index]; }
    void move(std::chrono::nanoseconds by) { time->move(by); }

    const std::shared_ptr<MovedTime> time = std::make_shared<MovedTime>();
    ModelServer server{*time};
    std::vector<std::unique_ptr<ModelReplica>> replicas;
};

}  // namespace rotary::test
