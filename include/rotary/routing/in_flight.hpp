#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
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

private:
    static constexpr std::size_t kPlaces = 65536;
    static constexpr std::size_t kWindow = 16;
    static constexpr unsigned kCountBits = 24;  // of a place; the others are its key's
    static constexpr std::uint64_t kCounts = (std::uint64_t{1} << kCountBits) - 1;

    using Count = std::atomic<std::uint64_t>;
    enum class Step : std::uint8_t { again, refused, entered };

    static std::uint64_t tag_of(std::uint64_t key) noexcept;
    std::size_t place_of(std::uint64_t key, std::size_t step) const noexcept {
        return (key + step) % kPlaces;
    }
    static Step join(Count& count, std::uint64_t tag, std::uint32_t most) noexcept;
    Count* find(std::uint64_t key) noexcept;  // the key's, else one that it may have

    std::array<Count, kPlaces> counts_{};
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
