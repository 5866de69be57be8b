#include <rotary/auth/token_cache.hpp>

#include "auth/token_store.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace rotary::auth {

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kMostLooks = 64;  // at entries in use, for one that may go

}  // namespace

TokenCache::TokenCache(const TokenCacheLimits& limits) : TokenCache(limits, seeded_hash) {}

TokenCache::TokenCache(const TokenCacheLimits& limits, Hash hash)
    : limits_(limits),
      hash_(hash),
      seed_(random_hash_seed()),
      buckets_(std::bit_ceil(std::max<std::size_t>(limits.entries, 1)), kNone),
      free_(kNone),
      tokens_(std::make_unique<TokenStore>(limits.bytes)) {
    entries_.reserve(limits.entries);  // touches nothing; to grow would take long, and leave holes
}

TokenCache::~TokenCache() = default;

std::size_t TokenCache::bytes() const noexcept { return tokens_->bytes() + claims_bytes_; }

std::uint32_t& TokenCache::bucket_of(std::uint64_t hash) noexcept {
    return buckets_[hash & (buckets_.size() - 1)];
}

const Claims* TokenCache::find(std::string_view token, WallTime now, std::uint64_t generation) {
    const Entry* entry = lookup(token, now, generation);
    return entry == nullptr ? nullptr : entry->claims.get();
}

std::shared_ptr<const Claims> TokenCache::share(std::string_view token, WallTime now,
                                                std::uint64_t generation) {
    const Entry* entry = lookup(token, now, generation);
    return entry == nullptr ? nullptr : entry->claims;
}

bool TokenCache::is_for(const Entry& entry, std::uint64_t hash,
                        std::string_view token) const noexcept {
    return entry.hash == hash && tokens_->holds(entry.token, entry.token_bytes, token);
}

TokenCache::Entry* TokenCache::lookup(std::string_view token, WallTime now,
                                      std::uint64_t generation) {
    const std::uint64_t hash = hash_(token, seed_);
    for (std::uint32_t i = bucket_of(hash); i != kNone; i = entries_[i].next) {
        Entry& entry = entries_[i];
        if (!is_for(entry, hash, token)) continue;
        if (entry.generation != generation || now >= entry.claims->valid_until()) {
            remove(i);
            return nullptr;
        }
        entry.used = true;
        return &entry;
    }
    return nullptr;
}

void TokenCache::put(std::string_view token, std::shared_ptr<const Claims> claims, WallTime now,
                     std::uint64_t generation) {
    const std::uint64_t hash = hash_(token, seed_);
    for (std::uint32_t i = bucket_of(hash); i != kNone; i = entries_[i].next) {
        if (is_for(entries_[i], hash, token)) {
            remove(i);
            break;
        }
    }
    if (claims == nullptr || limits_.entries == 0 || now >= claims->valid_until()) return;
    const std::size_t claims_bytes = claims->bytes();
    if (token.size() > limits_.token_bytes || !make_room(token.size(), claims_bytes)) return;

    const std::uint32_t place = take_place();
    Entry& entry = entries_[place];
    entry.hash = hash;
    entry.generation = generation;
    entry.token = tokens_->keep(token);
    entry.token_bytes = static_cast<std::uint32_t>(token.size());
    entry.claims = std::move(claims);
    entry.next = std::exchange(bucket_of(hash), place);
    entry.used = false;
    ++size_;
    claims_bytes_ += claims_bytes;
}

// What the store once touched counts until the cache is empty; then it begins anew.
bool TokenCache::make_room(std::size_t token_bytes, std::size_t claims_bytes) {
    const auto fits = [&] {
        return bytes() + tokens_->growth(token_bytes) + claims_bytes <= limits_.bytes;
    };
    while (size_ >= limits_.entries || !fits()) {
        if (size_ == 0) return false;
        evict_one();
    }
    return true;
}

void TokenCache::clear() {
    std::fill(buckets_.begin(), buckets_.end(), kNone);
    entries_.clear();
    free_ = kNone;
    hand_ = 0;
    size_ = 0;
    claims_bytes_ = 0;
    tokens_->clear();
}

void TokenCache::remove(std::uint32_t index) {
    Entry& entry = entries_[index];
    std::uint32_t* link = &bucket_of(entry.hash);
    while (*link != index) link = &entries_[*link].next;
    *link = entry.next;
    --size_;
    claims_bytes_ -= entry.claims->bytes();
    tokens_->drop(entry.token);
    if (size_ == 0) tokens_->clear();
    entry = Entry{};
    entry.next = std::exchange(free_, index);
}

// Only called while an entry is there. Where all are in use the request that brought another token
// does not go through all of them: the last one it looked at goes.
void TokenCache::evict_one() {
    for (std::size_t looks = 0;; ++hand_) {
        if (hand_ >= entries_.size()) hand_ = 0;
        Entry& entry = entries_[hand_];
        if (entry.claims == nullptr) continue;
        if (!std::exchange(entry.used, false) || ++looks == kMostLooks) break;
    }
    remove(static_cast<std::uint32_t>(hand_++));
}

std::uint32_t TokenCache::take_place() {
    if (free_ != kNone) return std::exchange(free_, entries_[free_].next);
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
}

}  // namespace rotary::auth
