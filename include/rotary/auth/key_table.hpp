#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/auth/api_key.hpp>
#include <rotary/base/clock.hpp>

namespace rotary::auth {

// What the keys of one ConsumerKey are good for.
struct KeyOwner {
    static constexpr std::uint32_t kAllModels = std::numeric_limits<std::uint32_t>::max();

    std::string consumer;
    bool disabled = false;
    bool has_apis = false;            // else any API
    std::vector<std::uint32_t> apis;  // their numbers, ascending
    std::vector<std::string> scopes;
    std::uint32_t model_set = kAllModels;  // number of its allow-list

    bool may_call(std::uint32_t api) const noexcept;
    bool has_scope(std::string_view scope) const noexcept;
};

// One key, of which only the hash is known.
struct KnownKey {
    KeyDigest digest{};
    WallTime not_before = WallTime::min();
    WallTime not_after = WallTime::max();  // from then on it is not valid
    std::uint32_t owner = 0;               // its place among the owners
};

// What is wrong with a key, for the log: a client is told no more than the fault's kind.
enum class KeyDefect : std::uint8_t {
    none,
    malformed,  // not the form, or the checksum does not fit
    unknown,    // never was, or was taken out
    disabled,
    not_yet_valid,
    expired
};
const char* to_string(KeyDefect defect) noexcept;  // words, such as "unknown key"

// The keys of one snapshot. Immutable; any thread. What is compared are hashes of secrets of 256
// bits: how long it takes tells nothing that helps to guess one.
class KeyTable {
public:
    KeyTable() = default;
    // Digests must differ.
    KeyTable(std::vector<KeyOwner> owners, std::vector<KnownKey> keys);

    bool empty() const noexcept { return keys_.empty(); }
    std::size_t size() const noexcept { return keys_.size(); }

    struct Found {
        const KeyOwner* owner = nullptr;  // null for a key that is unknown
        KeyDefect defect = KeyDefect::unknown;
    };
    Found find(const KeyDigest& digest, WallTime now) const noexcept;

private:
    std::size_t home_of(const KeyDigest& digest) const noexcept;

    std::vector<KeyOwner> owners_;
    std::vector<KnownKey> keys_;
    std::vector<std::uint32_t> places_;  // of keys_, by digest, 0 is free; a power of two
};

}  // namespace rotary::auth
