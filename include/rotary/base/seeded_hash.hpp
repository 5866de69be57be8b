#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rotary {

// A hash of text that others choose: without the seed none can aim many texts at one place of a
// table. Not for secrets' sake: the table compares the texts themselves.
using HashSeed = std::array<std::uint64_t, 3>;
HashSeed random_hash_seed();
std::uint64_t seeded_hash(std::string_view text, const HashSeed& seed) noexcept;

}  // namespace rotary
