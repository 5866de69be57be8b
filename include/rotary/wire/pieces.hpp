#pragma once

#include <rotary/base/buffers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace rotary::wire {

// What one write of a message is made of: views of bytes that lie elsewhere, in the order of the
// wire. The payload stands in the middle; around it are places for the head of the message and for
// what its protocol frames a payload with, so that nothing is moved to make room.
class Pieces {
public:
    static constexpr std::size_t kPayload = 11;  // the most that add() takes

    void clear() noexcept {
        pieces_[kHead] = pieces_[kFrame] = pieces_[kKept] = {};
        used_ = kFirst;
    }
    void set_head(std::string_view bytes) noexcept { pieces_[kHead] = bytes; }
    void set_frame(std::string_view bytes) noexcept { pieces_[kFrame] = bytes; }
    void set_kept(std::string_view bytes) noexcept { pieces_[kKept] = bytes; }  // before the rest
    bool is_full() const noexcept { return used_ == kFirst + kPayload; }
    void add(std::string_view piece) noexcept { pieces_[used_++] = piece; }
    // One byte of the same; '\0' behind their end.
    char byte_at(std::size_t place) const noexcept {
        for (std::size_t i = kKept; i < used_; ++i) {
            if (place < pieces_[i].size()) return pieces_[i][place];
            place -= pieces_[i].size();
        }
        return '\0';
    }
    // Takes bytes out of what was kept and of the payload; once a message may they lie in the
    // middle of a piece.
    void cut_out(std::size_t begin, std::size_t end) noexcept;
    void add_end(std::string_view frame) noexcept { pieces_[used_++] = frame; }  // twice at most

    std::string_view head() const noexcept { return pieces_[kHead]; }
    std::span<std::string_view> payload() noexcept {
        return std::span(pieces_).subspan(kFirst, used_ - kFirst);
    }
    std::span<const std::string_view> all() const noexcept { return {pieces_.data(), used_}; }
    // Bytes of what was kept and of the payload, before add_end().
    std::size_t payload_bytes() const noexcept {
        std::size_t bytes = 0;
        for (std::size_t i = kKept; i < used_; ++i) bytes += pieces_[i].size();
        return bytes;
    }

    void drop_front(std::size_t bytes) noexcept {
        for (std::size_t i = 0; i < used_ && bytes > 0; ++i) {
            const std::size_t taken = std::min(bytes, pieces_[i].size());
            pieces_[i].remove_prefix(taken);
            bytes -= taken;
        }
    }
    bool empty() const noexcept {
        return std::all_of(pieces_.begin(), pieces_.begin() + used_,
                           [](std::string_view piece) { return piece.empty(); });
    }
    // Before a wait: what is left of the head, which lies in the worker's scratch, gets memory of
    // its own, once.
    void keep_head(Buffer& kept, BufferPool& buffers) {
        if (kept || head().empty()) return;
        kept = buffers.body(head().size());
        std::memcpy(kept.space(), head().data(), head().size());
        kept.produced(head().size());
        set_head(kept.view());
    }

private:
    static constexpr std::size_t kHead = 0;
    static constexpr std::size_t kFrame = 1;
    static constexpr std::size_t kKept = 2;
    static constexpr std::size_t kFirst = 3;
    static constexpr std::size_t kEnds = 2;
    static constexpr std::size_t kCut = 1;  // the rest of a piece that was cut in two

    std::array<std::string_view, kFirst + kPayload + kCut + kEnds> pieces_;
    std::size_t used_ = kFirst;
};

inline void Pieces::cut_out(std::size_t begin, std::size_t end) noexcept {
    std::size_t at = 0;  // of the piece in all of it
    for (std::size_t i = kKept; i < used_ && at < end; ++i) {
        const std::string_view piece = pieces_[i];
        const std::size_t from = std::min(piece.size(), begin - std::min(begin, at));
        const std::size_t to = std::min(piece.size(), end - at);
        at += piece.size();
        if (from >= to) continue;
        pieces_[i] = from == 0 ? piece.substr(to) : piece.substr(0, from);
        if (from == 0 || to == piece.size()) continue;
        for (std::size_t j = used_++; j > i + 1; --j) pieces_[j] = pieces_[j - 1];
        pieces_[i + 1] = piece.substr(to);
        return;
    }
}

}  // namespace rotary::wire
