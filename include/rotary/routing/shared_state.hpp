#pragma once

#include <rotary/quota/consumer_use.hpp>
#include <rotary/quota/counter_table.hpp>
#include <rotary/rotation/backend_state.hpp>
#include <rotary/rotation/retry_budget.hpp>
#include <rotary/rotation/rotation.hpp>
#include <rotary/routing/in_flight.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {

// What outlives a snapshot, by key: suspensions by entry, positions by list, counts by Backend. A
// new snapshot picks up what is still there. Used on the control thread only; the objects
// themselves are shared by all workers.
class SharedState {
public:
    // `key` names the entry: API, environment, model, Backend.
    std::shared_ptr<rotation::EntryState> entry(const std::string& key);
    // `key` names the Backend and where it is: elsewhere it is another one, with counts of its own.
    std::shared_ptr<rotation::BackendState> backend(const std::string& key);
    // The same cursor as before when the list's entries and weights are the same ones.
    std::shared_ptr<rotation::Cursor> cursor(const std::string& key, const std::string& entries,
                                             std::vector<std::uint32_t> weights);
    // From now on a cursor that has no place yet begins at one drawn from the replica's id, so that
    // the replicas of a fleet don't all begin with the same entry.
    void draw_starts(std::string_view replica) { replica_ = replica; }
    // `key` names the list, or the HTTPRoute of rules without one.
    std::shared_ptr<rotation::RetryReserve> retry_reserve(const std::string& key);
    const std::shared_ptr<InFlight>& in_flight() const noexcept { return in_flight_; }
    // Of limits: the table is shared by all workers.
    quota::CounterTable& counters() noexcept { return counters_; }
    // Null for none; once it is there it stays.
    quota::ConsumerUse* consumer_use(std::size_t most);
    // Drops what no snapshot refers to any more. Call after an old snapshot was freed.
    void prune();

private:
    struct KnownCursor {
        std::string entries;
        std::shared_ptr<rotation::Cursor> cursor;
    };
    double start_of(const std::string& key) const noexcept;

    std::string replica_;  // empty: cursors begin at their beginning
    quota::CounterTable counters_;
    std::unique_ptr<quota::ConsumerUse> consumer_use_;
    std::map<std::string, std::shared_ptr<rotation::EntryState>> entries_;
    std::map<std::string, std::shared_ptr<rotation::BackendState>> backends_;
    std::map<std::string, KnownCursor> cursors_;
    std::map<std::string, std::shared_ptr<rotation::RetryReserve>> retry_reserves_;
    std::shared_ptr<InFlight> in_flight_ = std::make_shared<InFlight>();
};

}  // namespace rotary::routing
