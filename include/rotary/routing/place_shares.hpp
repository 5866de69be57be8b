#pragma once

#include <rotary/base/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace rotary::routing {

class PlaceShares;

// How many of one key's places among the requests in flight are this replica's, while replicas
// share the limit. Beside a count of InFlight, whose key may be another one meanwhile.
// Shared by all workers, without a lock; the control thread alone grants.
//
// While it is due it is the control thread's to answer, and a worker that lacks a place only says
// that it does.
class PlaceShare {
public:
    // What is known of a key. Not heard: nothing is granted yet.
    struct View {
        bool heard = false;
        std::uint32_t granted = 0;
        std::uint32_t rest = 0;   // of the limit, that no replica had when that was said
        bool is_refused = false;  // of late, by the fleet
    };
    // Any worker's.
    View view(std::uint64_t key, SteadyTime now) const noexcept;
    std::uint32_t granted(std::uint64_t key) const noexcept;
    // Whether `left`, granted and free, is so little that more is asked for.
    bool is_low(std::uint32_t left, SteadyTime now) const noexcept;
    void note(std::uint32_t count) noexcept;  // so many are in flight
    // Hands it to the control thread, unless it is there already.
    enum class Need : std::uint8_t {
        none,   // it is low
        again,  // a request waits for a place, and has been counted
        one,    // one that has not
    };
    void want(PlaceShares& shares, std::uint64_t key, std::uint32_t most, Need need) noexcept;

    // The control thread's. What is read of a count behind grant() has all that entered by more.
    struct Grant {
        std::uint32_t granted = 0;
        std::uint32_t rest = 0;
    };
    void grant(std::uint64_t key, const Grant& grant) noexcept;
    void lower(std::uint32_t granted) noexcept;  // of the same key
    void forget() noexcept { word_.store(0); }
    bool is_of(std::uint64_t key) const noexcept;
    // Until then nothing more is to be had, and none asks.
    void refuse_until(SteadyTime when) noexcept;
    // So few left that more is asked for before a request lacks one, and not before `when`.
    void set_low(std::uint32_t low, SteadyTime when) noexcept;
    std::uint32_t take_peak(std::uint32_t now) noexcept { return peak_.exchange(now); }
    std::uint32_t take_lacking() noexcept;                 // places that requests wait for
    std::uint64_t key() const noexcept { return key_; }    // while it is due
    std::uint32_t most() const noexcept { return most_; }  // idem
    void answered() noexcept { due_.store(false); }

private:
    friend class PlaceShares;

    std::atomic<std::uint64_t> word_{0};  // tag and what is granted, as a count's; 0: unheard
    std::atomic<std::int64_t> refused_until_{0};
    std::atomic<std::int64_t> calm_until_{0};
    std::atomic<std::uint32_t> rest_{0};
    std::atomic<std::uint32_t> low_{0};
    std::atomic<std::uint32_t> peak_{0};     // most in flight since take_peak()
    std::atomic<std::uint32_t> lacking_{0};  // requests that found none since take_lacking()
    std::atomic<bool> is_lacked_{false};
    std::atomic<bool> due_{false};
    std::uint32_t most_ = 0;  // of who made it due, like the key
    std::uint64_t key_ = 0;
    PlaceShare* next_ = nullptr;
};

// The shares of all counts of an InFlight, and where workers hand in those that lack places. What
// changes is said by the control thread.
class PlaceShares {
public:
    explicit PlaceShares(std::size_t places);

    // From now on replicas share the limits. `bell` is rung by any worker when the first share is
    // handed in after take_due() took all: it may neither wait nor allocate. The first one stays.
    void open(std::function<void()> bell);
    void close() noexcept { is_open_.store(false); }  // each replica counts by itself again
    bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }
    // The fleet can't be asked: each replica goes on with what it has, and its part of the rest.
    void set_away(bool away) noexcept { is_away_.store(away); }
    bool is_away() const noexcept { return is_away_.load(std::memory_order_relaxed); }
    void set_replicas(std::uint32_t replicas) noexcept {
        replicas_.store(replicas > 0 ? replicas : 1);
    }
    std::uint32_t replicas() const noexcept { return replicas_.load(std::memory_order_relaxed); }
    // What one goes on with, beyond what is granted to it; of a limit that it has heard nothing of
    // one place at least.
    std::uint32_t part(const PlaceShare::View& view, std::uint32_t most) const noexcept;

    PlaceShare& at(std::size_t place) noexcept { return shares_[place]; }
    void hand_in(PlaceShare& share) noexcept;
    // All that were handed in since, the latest first; null: none. Control thread.
    PlaceShare* take_due() noexcept { return due_.exchange(nullptr); }
    static PlaceShare* next(const PlaceShare& share) noexcept { return share.next_; }

private:
    const std::unique_ptr<PlaceShare[]> shares_;
    std::atomic<bool> is_open_{false};
    std::atomic<bool> is_away_{false};
    std::atomic<std::uint32_t> replicas_{1};
    std::atomic<PlaceShare*> due_{nullptr};
    std::function<void()> bell_;
};

}  // namespace rotary::routing
