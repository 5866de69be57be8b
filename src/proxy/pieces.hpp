#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace rotary::proxy {

// Takes `bytes` off the front of a list of pieces that are written one after the other.
inline void drop_front(std::span<std::string_view> pieces, std::size_t bytes) noexcept {
    for (std::string_view& piece : pieces) {
        const std::size_t taken = std::min(bytes, piece.size());
        piece.remove_prefix(taken);
        bytes -= taken;
        if (bytes == 0) return;
    }
}

inline bool all_empty(std::span<const std::string_view> pieces) noexcept {
    return std::all_of(pieces.begin(), pieces.end(),
                       [](const auto& piece) { return piece.empty(); });
}

}  // namespace rotary::proxy
