#pragma once

#include <rotary/base/seeded_hash.hpp>
#include <rotary/quota/counter.hpp>
#include <rotary/quota/lease_desk.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rotary::quota {

// The counters of one limit. Most have one, `common`; a limit that each caller has for itself has
// one for each, in the table, and those for whom the table has no room share the common one. Made
// by CounterTable::family(), which gives the same one for the same key, so that reloads keep it.
class Family {
public:
    explicit Family(std::string key) : key_(std::move(key)) {}
    const std::string& key() const noexcept { return key_; }
    Counter& common() noexcept { return common_; }
    const Counter& common() const noexcept { return common_; }

private:
    const std::string key_;
    Counter common_;
};

// One caller's counter, in the table.
struct KeyedCounter {
    Counter counter;
    std::shared_ptr<Family> family;
    std::string who;
    std::atomic<std::uint32_t> holders{0};       // the first one under the shard's lock alone
    std::atomic<WallTime::rep> unused_after{0};  // of the wall clock: then it says nothing
};

// A counter that stays in its table while this lives.
class HeldCounter {
public:
    HeldCounter() = default;
    explicit HeldCounter(Counter& counter) noexcept : counter_(&counter) {}
    explicit HeldCounter(KeyedCounter& keyed) noexcept : counter_(&keyed.counter), keyed_(&keyed) {}
    ~HeldCounter() { release(); }
    HeldCounter(HeldCounter&& other) noexcept
        : counter_(std::exchange(other.counter_, nullptr)),
          keyed_(std::exchange(other.keyed_, nullptr)) {}
    HeldCounter& operator=(HeldCounter&& other) noexcept {
        release();
        counter_ = std::exchange(other.counter_, nullptr);
        keyed_ = std::exchange(other.keyed_, nullptr);
        return *this;
    }
    // One more of a counter that is held already.
    static HeldCounter another(KeyedCounter& keyed) noexcept {
        keyed.holders.fetch_add(1, std::memory_order_relaxed);
        return HeldCounter(keyed);
    }
    Counter* get() const noexcept { return counter_; }
    KeyedCounter* keyed() const noexcept { return keyed_; }  // null: it is a common one
    Counter* operator->() const noexcept { return counter_; }
    // It shares the counter of those for whom there was no room.
    bool is_known() const noexcept { return keyed_ != nullptr; }

private:
    void release() noexcept {
        if (keyed_ != nullptr) keyed_->holders.fetch_sub(1, std::memory_order_release);
        keyed_ = nullptr;
    }
    Counter* counter_ = nullptr;
    KeyedCounter* keyed_ = nullptr;
};

// All counters of the process, by key. Shared by all workers; outlives snapshots.
//
// A known key costs a look into one of many shards, under its lock, which is held for that look and
// no longer; a new one allocates. There are at most as many as set_most() says: a shard drops some
// that no window needs any more whenever it takes a new one in, and when there is no room the new
// ones of a family share its common counter. So known callers are never refused for it.
class CounterTable {
public:
    CounterTable();
    ~CounterTable();
    CounterTable(const CounterTable&) = delete;
    CounterTable& operator=(const CounterTable&) = delete;

    // The same one as before, as long as any configuration or counter has it. Control thread.
    std::shared_ptr<Family> family(const std::string& key);
    // Forgets the families that none has any more. Control thread.
    void prune();
    void set_most(std::size_t counters) noexcept {
        most_.store(counters, std::memory_order_relaxed);
    }

    // The counter of `who`, to be used in `window`. Names longer than kLongestName have no room.
    static constexpr std::size_t kLongestName = 256;
    HeldCounter hold(const std::shared_ptr<Family>& family, std::string_view who,
                     const Window& window) noexcept;

    // From now on replicas share the limits, until leases().close(): counters have leases, which
    // workers hand in with that bell. See LeaseDesk::open(). Control thread.
    void share(std::function<void()> bell);
    LeaseDesk& leases() noexcept { return leases_; }

    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    // How often a new caller found no room.
    std::uint64_t overflows() const noexcept { return overflows_.load(std::memory_order_relaxed); }
    // Visits all callers' counters. Locks a shard at a time: not for the path.
    using Visit = std::function<void(const KeyedCounter&)>;
    void each(const Visit& visit) const;
    // The counter of `who`, if there is one; makes none. Not for the path.
    std::optional<HeldCounter> find(const Family& family, std::string_view who) const;

private:
    struct Key {
        const Family* family;
        std::string_view who;
        friend bool operator==(const Key&, const Key&) noexcept = default;
    };
    // Names may be what clients choose: without the seed none can aim at one place.
    struct HashKey {
        HashSeed seed;
        std::size_t operator()(const Key& key) const noexcept;
    };
    using Counters = std::unordered_map<Key, std::unique_ptr<KeyedCounter>, HashKey>;
    struct Shard {
        mutable std::mutex mutex;
        Counters counters;
        std::size_t next_bucket = 0;  // to be swept
    };
    static constexpr std::size_t kShards = 64;

    KeyedCounter* add(Shard& shard, const std::shared_ptr<Family>& family, std::string_view who,
                      const Window& window);
    void sweep(Shard& shard, WallTime now);
    std::size_t shard_of(const Key& key) const noexcept;
    void lease_out(KeyedCounter& keyed);
    void lease_out(Family& family);

    LeaseDesk leases_;
    const HashKey hash_;
    std::array<Shard, kShards> shards_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> most_;
    std::atomic<std::uint64_t> overflows_{0};
    std::map<std::string, std::weak_ptr<Family>> families_;  // of the control thread
};

}  // namespace rotary::quota
