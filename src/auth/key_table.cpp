#include <rotary/auth/key_table.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace rotary::auth {

bool KeyOwner::may_call(std::uint32_t api) const noexcept {
    return !has_apis || std::binary_search(apis.begin(), apis.end(), api);
}

bool KeyOwner::has_scope(std::string_view scope) const noexcept {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

const char* to_string(KeyDefect defect) noexcept {
    switch (defect) {
        case KeyDefect::none:
            break;
        case KeyDefect::malformed:
            return "malformed key";
        case KeyDefect::unknown:
            return "unknown key";
        case KeyDefect::disabled:
            return "disabled key";
        case KeyDefect::not_yet_valid:
            return "key not yet valid";
        case KeyDefect::expired:
            return "expired key";
    }
    return "";
}

KeyTable::KeyTable(std::vector<KeyOwner> owners, std::vector<KnownKey> keys)
    : owners_(std::move(owners)), keys_(std::move(keys)) {
    if (keys_.empty()) return;
    for (KeyOwner& owner : owners_) std::sort(owner.apis.begin(), owner.apis.end());
    places_.resize(std::bit_ceil(2 * keys_.size()));
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        std::size_t place = home_of(keys_[i].digest);
        while (places_[place] != 0) place = (place + 1) & (places_.size() - 1);
        places_[place] = static_cast<std::uint32_t>(i + 1);
    }
}

std::size_t KeyTable::home_of(const KeyDigest& digest) const noexcept {
    std::uint64_t first = 0;
    std::memcpy(&first, digest.data(), sizeof first);
    return static_cast<std::size_t>(first) & (places_.size() - 1);
}

KeyTable::Found KeyTable::find(const KeyDigest& digest, WallTime now) const noexcept {
    if (keys_.empty()) return {};
    std::size_t place = home_of(digest);
    for (; places_[place] != 0; place = (place + 1) & (places_.size() - 1)) {
        const KnownKey& key = keys_[places_[place] - 1];
        if (key.digest != digest) continue;
        const KeyOwner& owner = owners_[key.owner];
        if (owner.disabled) return {&owner, KeyDefect::disabled};
        if (now < key.not_before) return {&owner, KeyDefect::not_yet_valid};
        if (now >= key.not_after) return {&owner, KeyDefect::expired};
        return {&owner, KeyDefect::none};
    }
    return {};
}

}  // namespace rotary::auth
