#pragma once

#include <rotary/routing/place_shares.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::routing {

// How many requests are in flight, of each consumer and each API that has a limit. Shared by all
// workers, outlives snapshots, takes no lock and no memory.
//
// A count has a place in a window of the table that its key chooses, and keeps it until another key
// needs one and nothing is in flight. Counts are exact as long as a window has had fewer keys than
// places. Beyond that two first requests of one key at the same instant may be counted apart, and a
// key that finds a window full of others' requests is let in uncounted: those that have a place are
// never refused for it.
//
// Where replicas share the limits, a share stands beside each count.
class InFlight {
public:
    // One request, until this is destroyed.
    class Place {
    public:
        Place() = default;
        explicit Place(std::atomic<std::uint64_t>* count) noexcept : count_(count) {}
        Place(Place&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
        Place& operator=(Place&& other) noexcept {
            leave();
            count_ = std::exchange(other.count_, nullptr);
            return *this;
        }
        ~Place() { leave(); }
        void leave() noexcept {
            if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_acq_rel);
            count_ = nullptr;
        }

    private:
        std::atomic<std::uint64_t>* count_ = nullptr;
    };

    // The key of what has this name among those of its kind.
    static std::uint64_t key_of(std::string_view kind, std::string_view name) noexcept;

    // Nothing when `most`, which is not 0, are in flight already.
    std::optional<Place> enter(std::uint64_t key, std::uint32_t most) noexcept;
    std::uint32_t count(std::uint64_t key) const noexcept;

    struct Ask {
        std::uint64_t key = 0;
        std::uint32_t most = 0;  // not 0
        SteadyTime now;
        bool is_patient = true;   // it may wait for the fleet's answer
        bool has_waited = false;  // it is counted among those that do
    };
    struct Entered {
        std::optional<Place> place;
        bool waits = false;  // neither in nor refused: the fleet is being asked
    };
    // As far as places are granted to this replica; has the fleet asked for more where they lack.
    Entered enter(PlaceShares& shares, const Ask& ask) noexcept;
    // Those of this table, which has none before. Control thread.
    PlaceShares& share();
    // Null: replicas don't share the limits.
    PlaceShares* shares() const noexcept {
        PlaceShares* const shares = shares_.load(std::memory_order_acquire);
        return shares != nullptr && shares->is_open() ? shares : nullptr;
    }

private:
    static constexpr std::size_t kPlaces = 65536;
    static constexpr std::size_t kWindow = 16;

    using Count = std::atomic<std::uint64_t>;
    enum class Step : std::uint8_t { again, refused, entered, asked };

    std::size_t place_of(std::uint64_t key, std::size_t step) const noexcept {
        return (key + step) % kPlaces;
    }
    static Step join(Count& count, std::uint64_t tag, std::uint32_t most) noexcept;
    static Step join(PlaceShares& shares, PlaceShare& share, Count& count, const Ask& ask) noexcept;
    static Step ask(PlaceShares& shares, PlaceShare& share, const Count& count,
                    const Ask& ask) noexcept;
    Count* find(std::uint64_t key) noexcept;  // the key's, else one that it may have

    std::array<Count, kPlaces> counts_{};
    std::unique_ptr<PlaceShares> own_shares_;
    std::atomic<PlaceShares*> shares_{nullptr};
};

// How many requests a consumer may have in flight, by its key among those in flight.
class ConcurrencyLimits {
public:
    void set(std::uint64_t key, std::uint32_t most);
    bool empty() const noexcept { return limits_.empty(); }
    std::uint32_t find(std::uint64_t key, std::uint32_t otherwise) const noexcept;

private:
    std::vector<std::pair<std::uint64_t, std::uint32_t>> limits_;  // by key
};

}  // namespace rotary::routing
