#pragma once

#include <rotary/fleet/replicas.hpp>
#include <rotary/fleet/shared_suspensions.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::fleet {

// What this process is of a fleet: all that it shares with the others over one store. Control
// thread. The store outlives it.
class Fleet final : public Store::Listener {
public:
    struct Options {
        std::string name_space;  // fleets of different ones share nothing
        std::string replica;     // make_replica_id()
        std::chrono::milliseconds longest;
    };
    Fleet(Store& store, std::shared_ptr<Timers> timers, Options options, Logger& log);
    ~Fleet() override;

    // What there is to share, with each configuration anew.
    void take(const std::vector<SharedEntry>& entries, std::chrono::milliseconds longest);
    // Once: when what the others know is known here too, or after `patience`.
    void when_joined(std::chrono::milliseconds patience, std::function<void()> joined);
    // The others need not count with this one any more.
    void leave();

    std::size_t replicas() const noexcept { return replicas_.count(); }
    std::size_t parts() const noexcept { return replicas_.parts(); }  // of a limit
    const SharedSuspensions::Counts& suspensions() const noexcept { return suspensions_.counts(); }
    bool is_joined() const noexcept { return is_joined_; }
    SteadyTime since() const noexcept { return since_; }  // when that changed

    void on_ready() override;
    void on_lost() override;
    void on_message(std::string_view) override {}

private:
    Store& store_;
    const std::shared_ptr<Timers> timers_;
    Replicas replicas_;
    SharedSuspensions suspensions_;
    bool is_joined_;
    SteadyTime since_;
};

}  // namespace rotary::fleet
