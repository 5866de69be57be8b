#include "auth/key_weakness.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rotary::auth {

namespace {

using Coordinate = std::array<std::uint8_t, 32>;

constexpr Coordinate coordinate(std::uint8_t first, std::uint8_t between, std::uint8_t last) {
    Coordinate y{};
    for (std::uint8_t& byte : y) byte = between;
    y.front() = first;
    y.back() = last;
    return y;
}

// The y of the eight points whose order divides 8; their x comes from it but for its sign.
constexpr std::array<Coordinate, 5> kSmallOrder = {
    coordinate(0x00, 0x00, 0x00), coordinate(0x01, 0x00, 0x00), coordinate(0xec, 0xff, 0x7f),
    Coordinate{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
               0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
               0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    Coordinate{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
               0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
               0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};

constexpr Coordinate kPrime = coordinate(0xed, 0xff, 0x7f);  // 2^255 - 19, the field's

// The primes below 168 modulo which the powers of 65537 are few. One that they all are would tell
// nothing.
constexpr std::array<unsigned, 17> kRocaPrimes = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                                  79, 97, 103, 107, 109, 127, 151, 157};

bool is_power_of_65537(unsigned rest, unsigned prime) noexcept {
    const unsigned generator = 65537 % prime;
    unsigned power = 1;
    do {
        if (power == rest) return true;
        power = power * generator % prime;
    } while (power != 1);
    return false;
}

}  // namespace

bool is_worthless_ed25519(std::string_view encoded) noexcept {
    Coordinate y{};
    if (encoded.size() != y.size()) return true;
    std::transform(encoded.begin(), encoded.end(), y.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    y.back() &= 0x7f;  // the sign of x
    // Little-endian: the last byte counts most.
    const bool in_field =
        std::lexicographical_compare(y.rbegin(), y.rend(), kPrime.rbegin(), kPrime.rend());
    return !in_field || std::find(kSmallOrder.begin(), kSmallOrder.end(), y) != kSmallOrder.end();
}

bool has_roca_fingerprint(const BIGNUM* modulus) noexcept {
    return std::all_of(kRocaPrimes.begin(), kRocaPrimes.end(), [&](unsigned prime) {
        return is_power_of_65537(static_cast<unsigned>(BN_mod_word(modulus, prime)), prime);
    });
}

}  // namespace rotary::auth
