#include <rotary/quota/counter_table.hpp>

#include <rotary/config/settings/limits.hpp>
#include <rotary/quota/lease.hpp>

#include <algorithm>
#include <new>
#include <vector>

namespace rotary::quota {

namespace {

// How many places a new counter looks at for one that can go. More than one for each that comes,
// so that a table of idle ones empties faster than it fills.
constexpr std::size_t kSweptBuckets = 16;

// Once its window and the next one are over, a counter says nothing that its absence would not.
WallTime::rep unused_after(const Window& window) noexcept {
    WallTime::rep time = 0;
    const bool never = __builtin_add_overflow(window.end.time_since_epoch().count(),
                                              window.length().count(), &time);
    return never ? WallTime::max().time_since_epoch().count() : time;
}

}  // namespace

std::size_t CounterTable::HashKey::operator()(const Key& key) const noexcept {
    const auto family = reinterpret_cast<std::uintptr_t>(key.family);
    return seeded_hash(key.who, seed) ^ (family * 0x9e3779b97f4a7c15u);
}

CounterTable::CounterTable() : hash_{random_hash_seed()}, most_(config::kCounters) {
    for (Shard& shard : shards_) shard.counters = Counters(0, hash_);
}
// What was handed in, and is not answered any more, holds counters.
CounterTable::~CounterTable() {
    std::vector<Lease::Hold> holds;
    for (Lease* due = leases_.take_due(); due != nullptr;) {
        Lease& lease = *due;
        due = LeaseDesk::next(lease);
        holds.push_back(lease.let_go());
    }
}

void CounterTable::share(std::function<void()> bell) {
    leases_.open(std::move(bell));
    for (const auto& [key, known] : families_) {
        if (const auto family = known.lock()) lease_out(*family);
    }
}

void CounterTable::lease_out(Family& family) {
    Counter& common = family.common();
    if (common.lease() != nullptr) return;
    common.set_lease(std::make_unique<Lease>(leases_, common, family.key()));
}

std::shared_ptr<Family> CounterTable::family(const std::string& key) {
    std::weak_ptr<Family>& known = families_[key];
    std::shared_ptr<Family> family = known.lock();
    if (!family) {
        family = std::make_shared<Family>(key);
        known = family;
    }
    if (leases_.is_open()) lease_out(*family);
    return family;
}

void CounterTable::prune() {
    std::erase_if(families_, [](const auto& row) { return row.second.expired(); });
}

void CounterTable::sweep(Shard& shard, WallTime now) {
    const WallTime::rep time = now.time_since_epoch().count();
    for (std::size_t i = 0; i < kSweptBuckets && shard.counters.bucket_count() > 0; ++i) {
        const std::size_t bucket = shard.next_bucket++ % shard.counters.bucket_count();
        const KeyedCounter* unused = nullptr;
        for (auto one = shard.counters.begin(bucket); one != shard.counters.end(bucket); ++one) {
            const KeyedCounter& counter = *one->second;
            if (counter.holders.load(std::memory_order_acquire) == 0 &&
                counter.unused_after.load(std::memory_order_relaxed) < time) {
                unused = &counter;
            }
        }
        if (unused == nullptr) continue;
        shard.counters.erase(Key{unused->family.get(), unused->who});
        size_.fetch_sub(1, std::memory_order_relaxed);
    }
}

void CounterTable::lease_out(KeyedCounter& keyed) {
    try {
        std::string name = keyed.family->key();
        name.append("\n\n").append(keyed.who);
        keyed.counter.set_lease(std::make_unique<Lease>(leases_, keyed.counter, std::move(name)));
    } catch (const std::bad_alloc&) {
        // It counts for this replica alone until it is asked for again.
    }
}

KeyedCounter* CounterTable::add(Shard& shard, const std::shared_ptr<Family>& family,
                                std::string_view who, const Window& window) {
    sweep(shard, window.begin);
    const std::size_t most = most_.load(std::memory_order_relaxed);
    if (size_.fetch_add(1, std::memory_order_relaxed) >= most) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
    try {
        auto made = std::make_unique<KeyedCounter>();
        made->family = family;
        made->who = who;
        if (leases_.is_open()) lease_out(*made);
        const Key key{family.get(), made->who};
        return shard.counters.emplace(key, std::move(made)).first->second.get();
    } catch (const std::bad_alloc&) {
        size_.fetch_sub(1, std::memory_order_relaxed);
        return nullptr;
    }
}

HeldCounter CounterTable::hold(const std::shared_ptr<Family>& family, std::string_view who,
                               const Window& window) noexcept {
    const Key key{family.get(), who};
    Shard& shard = shards_[shard_of(key)];
    if (who.size() <= kLongestName) {
        std::lock_guard lock(shard.mutex);
        const auto found = shard.counters.find(key);
        KeyedCounter* keyed =
            found != shard.counters.end() ? found->second.get() : add(shard, family, who, window);
        if (keyed != nullptr) {
            if (leases_.is_open() && keyed->counter.lease() == nullptr) lease_out(*keyed);
            keyed->holders.fetch_add(1, std::memory_order_relaxed);
            const auto until =
                std::max(unused_after(window), keyed->unused_after.load(std::memory_order_relaxed));
            keyed->unused_after.store(until, std::memory_order_relaxed);
            return HeldCounter(*keyed);
        }
    }
    overflows_.fetch_add(1, std::memory_order_relaxed);
    return HeldCounter(family->common());
}

std::size_t CounterTable::shard_of(const Key& key) const noexcept {
    return hash_(key) >> 7 & (kShards - 1);
}

void CounterTable::each(const Visit& visit) const {
    for (const Shard& shard : shards_) {
        std::lock_guard lock(shard.mutex);
        for (const auto& [key, counter] : shard.counters) visit(*counter);
    }
}

std::optional<HeldCounter> CounterTable::find(const Family& family, std::string_view who) const {
    const Key key{&family, who};
    const Shard& shard = shards_[shard_of(key)];
    std::lock_guard lock(shard.mutex);
    const auto found = shard.counters.find(key);
    if (found == shard.counters.end()) return std::nullopt;
    return HeldCounter::another(*found->second);
}

}  // namespace rotary::quota
