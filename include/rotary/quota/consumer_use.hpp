#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/seeded_hash.hpp>
#include <rotary/config/settings/callers.hpp>
#include <rotary/quota/spend.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rotary::quota {

// What a consumer's requests came to, since the process began.
struct Use {
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;  // of them, by a limit or a budget
    std::uint64_t input = 0;    // tokens
    std::uint64_t output = 0;
    std::uint64_t nanos = 0;  // of money
};

// Sums by consumer, of as many as set_most() says; the others' are one sum. Shared by all workers,
// outlives snapshots. A known consumer costs a look and some atomic additions; a new one, once, the
// memory of its name. None is ever forgotten: series of metrics may not go back.
class ConsumerUse {
public:
    static constexpr std::size_t kMost = config::kMostConsumers;
    static constexpr std::size_t kLongestName = 256;  // a longer one has no sum of its own
    static constexpr std::string_view kOthers = SpendTable::kOthers;

    ConsumerUse();
    ~ConsumerUse();
    ConsumerUse(const ConsumerUse&) = delete;
    ConsumerUse& operator=(const ConsumerUse&) = delete;

    // At most kMost. Those that are there stay, even if they are more.
    void set_most(std::size_t consumers) noexcept {
        most_.store(consumers, std::memory_order_relaxed);
    }
    void add(std::string_view consumer, const Use& use) noexcept;

    std::size_t size() const noexcept;
    using Visit = std::function<void(std::string_view, const Use&)>;
    void each(const Visit& visit) const;
    Use of_others() const noexcept { return read(others_); }
    WallTime since() const noexcept { return since_; }

private:
    struct Sums {
        std::array<std::atomic<std::uint64_t>, 5> of{};
    };
    struct Place {
        std::atomic<std::uint64_t> hash{0};  // 0: free
        std::atomic<const std::string*> name{nullptr};
        Sums sums;
    };
    static constexpr std::size_t kPlaces = 32'768;  // of which few are taken
    static_assert(kPlaces >= 3 * kMost);

    static Use read(const Sums& sums) noexcept;
    static void add_to(Sums& sums, const Use& use) noexcept;
    Sums& find(std::string_view consumer) noexcept;
    bool settle_in(Place& place, std::uint64_t hash, std::string_view consumer) noexcept;

    const WallTime since_ = wall_now();
    const HashSeed seed_;
    std::unique_ptr<Place[]> places_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> most_{0};
    Sums others_;
};

}  // namespace rotary::quota
