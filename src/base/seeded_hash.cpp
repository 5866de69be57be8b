#include <rotary/base/seeded_hash.hpp>

#include <algorithm>
#include <cstring>
#include <random>

namespace rotary {

namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(const char* bytes, std::size_t size) noexcept {
    std::uint64_t value = 0;
    if (size > 0) std::memcpy(&value, bytes, size);
    return value;
}

}  // namespace

HashSeed random_hash_seed() {
    std::random_device device;
    HashSeed seed{};
    for (auto& word : seed) word = (std::uint64_t{device()} << 32) | device();
    return seed;
}

// Sixteen bytes a multiplication. Every factor holds some of the random seed, so who does not know
// it cannot choose a block that multiplies the state away.
std::uint64_t seeded_hash(std::string_view text, const HashSeed& seed) noexcept {
    const char* at = text.data();
    std::size_t left = text.size();
    std::uint64_t state = seed[0] ^ text.size();
    for (; left >= 16; left -= 16, at += 16) {
        state = mix(load(at, 8) ^ seed[1], load(at + 8, 8) ^ seed[2] ^ state);
    }
    const std::size_t low = std::min<std::size_t>(left, 8);
    state = mix(load(at, low) ^ seed[1], load(at + low, left - low) ^ seed[2] ^ state);
    return mix(state ^ seed[1], seed[2] | 1);
}

}  // namespace rotary
