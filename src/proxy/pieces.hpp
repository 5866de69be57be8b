#pragma once

#include <rotary/base/buffers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
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

// Before a wait: what is left of the first piece, which lies in the worker's scratch, gets memory
// of its own, once.
inline void keep_first(std::span<std::string_view> pieces, Buffer& kept, BufferPool& buffers) {
    if (kept || pieces[0].empty()) return;
    kept = buffers.body(pieces[0].size());
    std::memcpy(kept.space(), pieces[0].data(), pieces[0].size());
    kept.produced(pieces[0].size());
    pieces[0] = kept.view();
}

}  // namespace rotary::proxy
