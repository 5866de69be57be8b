#pragma once

#include <rotary/policy/backend_state.hpp>
#include <rotary/policy/retry_budget.hpp>
#include <rotary/policy/rotation.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rotary::policy {

// What outlives a snapshot, by key: suspensions by entry, positions by list, counts by Backend. A
// new snapshot picks up what is still there. Used on the control thread only; the objects
// themselves are shared by all workers.
class SharedState {
public:
    // `key` names the entry: API, environment, model, Backend.
    std::shared_ptr<EntryState> entry(const std::string& key);
    // `key` names the Backend and where it is: elsewhere it is another one, with counts of its own.
    std::shared_ptr<BackendState> backend(const std::string& key);
    // The same cursor as before when the list's entries and weights are the same ones.
    std::shared_ptr<Cursor> cursor(const std::string& key, const std::string& entries,
                                   std::vector<std::uint32_t> weights);
    // `key` names the list, or the HTTPRoute of rules without one.
    std::shared_ptr<RetryReserve> retry_reserve(const std::string& key);
    // Drops what no snapshot refers to any more. Call after an old snapshot was freed.
    void prune();

private:
    struct KnownCursor {
        std::string entries;
        std::shared_ptr<Cursor> cursor;
    };
    std::map<std::string, std::shared_ptr<EntryState>> entries_;
    std::map<std::string, std::shared_ptr<BackendState>> backends_;
    std::map<std::string, KnownCursor> cursors_;
    std::map<std::string, std::shared_ptr<RetryReserve>> retry_reserves_;
};

}  // namespace rotary::policy
