#pragma once

#include <rotary/base/log.hpp>
#include <rotary/fleet/store.hpp>
#include <rotary/fleet/suspension_event.hpp>
#include <rotary/fleet/timers.hpp>
#include <rotary/rotation/fellows.hpp>
#include <rotary/rotation/suspension.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// An entry that replicas share the suspensions of, by the name they all have for it.
struct SharedEntry {
    std::string id;
    std::shared_ptr<rotation::EntryState> state;
};

// The suspensions of a fleet: a hash in the store has them all, and what changes is published. This
// replica's are told on; the others' are heard; one replica has the lease of an entry's probe.
// While the store is away each replica has its own, and what could not be said is said later.
// Control thread, but for what entries call.
//
// What the store has lost, those say again who said it, and a while later, at a time drawn by
// chance, each who had heard it, unless another was first: those who said it may be gone.
//
// What is heard of an entry is applied in the order in which the store had it, this replica's own
// words too where another's crossed them, so that all replicas end with the same.
class SharedSuspensions final : public Store::Listener {
public:
    struct Options {
        std::string name_space;
        std::string replica;
        std::chrono::milliseconds longest;  // no word of others takes an entry out for longer
    };
    struct Counts {
        std::uint64_t told = 0;
        std::uint64_t heard = 0;
        std::uint64_t ignored = 0;  // what another wrote that is no suspension
        std::uint64_t unknown = 0;  // of entries that this replica does not have
        std::uint64_t repairs = 0;  // the hash was not as it was heard of
        std::uint64_t probes_asked = 0;
        std::uint64_t probes_granted = 0;
    };

    SharedSuspensions(Store& store, std::shared_ptr<Timers> timers, Options options, Logger& log);
    ~SharedSuspensions() override;

    // All that there are now, with each configuration anew. The names must be different.
    void take(const std::vector<SharedEntry>& entries);
    void set_longest(std::chrono::milliseconds longest) { options_.longest = longest; }
    // Called once, when it is informed, or at once where it is.
    void when_informed(std::function<void()> informed);
    const Counts& counts() const noexcept { return counts_; }

    void on_ready() override;
    void on_lost() override;
    void on_message(std::string_view message) override;

private:
    class EntryFellows;
    // Points here, and to nothing once this is gone: for what is called later. Control thread.
    using Token = std::shared_ptr<SharedSuspensions*>;
    // What entries hold of this: they may outlive it.
    struct Door {
        std::atomic<bool> is_ready{false};
        Token token;
        std::shared_ptr<Timers> timers;
    };
    enum class Back : std::uint8_t { none, probe_passed, resumed };
    struct Entry {
        std::weak_ptr<rotation::EntryState> state;
        SteadyTime until{};                     // as this fleet knows
        std::optional<rotation::Outage> said;   // by this replica, or to be said
        std::optional<rotation::Outage> heard;  // of others
        Back unsaid = Back::none;
        bool is_told = false;      // the hash had it, by whichever replica
        std::uint64_t number = 0;  // of the last change that was heard
    };
    using Entries = std::map<std::string, Entry, std::less<>>;
    using Rows = std::map<std::string, SuspensionRow, std::less<>>;

    void went_out(const std::string& id, const rotation::Outage& outage);
    void came_back(const std::string& id, Back how);
    void asked_for_probe(const std::string& id, std::chrono::milliseconds wait);
    void ask_for_lease(const std::string& id, std::chrono::milliseconds wait);

    void say_out(const std::string& id, const rotation::Outage& outage);
    void say_back(const std::string& id, Back how);
    void hear(const SuspensionEvent& event);
    void hear_out(const std::string& id, Entry& entry, const ToldOutage& told, SteadyTime until);
    void hear_back(const std::string& id, Entry& entry, SuspensionEvent::Kind kind);
    void say_heard_later();
    void say_heard();

    void look_again();  // at the whole hash
    void read(std::chrono::milliseconds now, const Reply& reply);
    Rows rows_of(const Reply& reply);
    void take_number(std::uint64_t number, std::uint64_t born);
    void compare(const std::string& id, Entry& entry, const SuspensionRow* row,
                 std::chrono::milliseconds now);
    void each_second();
    void compare_number();

    Store& store_;
    Options options_;
    Logger& log_;
    const Token token_;
    const std::shared_ptr<Door> door_;
    const std::string hash_;
    const std::string channel_;
    Entries entries_;
    std::uint64_t number_ = 0;        // the last change without one missing before it
    std::uint64_t asked_number_ = 0;  // when the hash was asked for
    std::uint64_t read_number_ = 0;   // of the hash as it was read
    std::uint64_t born_ = 0;          // of the hash, as it was read
    bool is_same_hash_ = false;       // as at the time before, or later
    bool is_informed_ = false;
    bool is_reading_ = false;
    bool says_heard_ = false;  // before long
    bool look_again_ = false;  // behind what is being read, or at the next second
    std::vector<std::function<void()>> informed_;
    std::minstd_rand random_;
    Counts counts_;
};

}  // namespace rotary::fleet
