#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/auth/jwt.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/seeded_hash.hpp>
#include <rotary/config/settings/limits.hpp>

namespace rotary::auth {

class TokenStore;

struct TokenCacheLimits {
    std::size_t entries = config::Limits{}.token_cache_entries;
    std::size_t bytes = config::Limits{}.token_cache_bytes;  // tokens and claims together
    std::size_t token_bytes = config::Limits{}.token_bytes;  // longer tokens are not remembered
    bool operator==(const TokenCacheLimits&) const = default;
};

// Tokens that were verified, each with its claims, so that the signature of one token is checked
// once a worker. Owned by a worker and used on its thread alone. Keyed by the whole token: a hash
// with a random seed finds the place and every byte is compared, so no two tokens are ever taken
// for each other. Bounded in entries and bytes, of memory and not only of text; the clock algorithm
// chooses who leaves, within a bounded number of looks.
class TokenCache {
public:
    using Seed = HashSeed;
    using Hash = std::uint64_t (*)(std::string_view token, const Seed& seed) noexcept;

    explicit TokenCache(const TokenCacheLimits& limits);
    // With a hash of the caller's choice, to make tokens collide in a test.
    TokenCache(const TokenCacheLimits& limits, Hash hash);
    ~TokenCache();
    TokenCache(const TokenCache&) = delete;
    TokenCache& operator=(const TokenCache&) = delete;

    // The claims of a token that was put with the same generation (IssuerTable's) and is still
    // valid, else null. Allocates nothing and touches no reference count, so the pointer holds only
    // until the next call on this cache: an exchange that awaits takes share() instead.
    const Claims* find(std::string_view token, WallTime now, std::uint64_t generation);
    std::shared_ptr<const Claims> share(std::string_view token, WallTime now,
                                        std::uint64_t generation);

    // Replaces what was there. A token that is already past its time or over the limits is not
    // kept.
    void put(std::string_view token, std::shared_ptr<const Claims> claims, WallTime now,
             std::uint64_t generation);

    void clear();

    const TokenCacheLimits& limits() const noexcept { return limits_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t bytes() const noexcept;  // of memory: tokens, gaps between them, claims

private:
    struct Entry {
        std::uint64_t hash = 0;
        std::uint64_t generation = 0;
        std::uint32_t token = 0;  // in the store
        std::uint32_t token_bytes = 0;
        std::shared_ptr<const Claims> claims;  // null: the place is free
        std::uint32_t next = 0;                // in the chain of its bucket, or of the free places
        bool used = false;                     // since the clock's hand last came by
    };

    Entry* lookup(std::string_view token, WallTime now, std::uint64_t generation);
    std::uint32_t& bucket_of(std::uint64_t hash) noexcept;
    bool is_for(const Entry& entry, std::uint64_t hash, std::string_view token) const noexcept;
    bool make_room(std::size_t token_bytes, std::size_t claims_bytes);
    void remove(std::uint32_t index);
    void evict_one();
    std::uint32_t take_place();

    TokenCacheLimits limits_;
    Hash hash_;
    Seed seed_;
    std::vector<std::uint32_t> buckets_;  // the first entry of each chain
    std::vector<Entry> entries_;          // grows up to the limit
    std::uint32_t free_;
    std::size_t hand_ = 0;
    std::size_t size_ = 0;
    std::size_t claims_bytes_ = 0;
    std::unique_ptr<TokenStore> tokens_;
};

}  // namespace rotary::auth
