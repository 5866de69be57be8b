#pragma once

#include <rotary/base/buffers.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace rotary::proxy {

// Lets only whole events of a stream pass: of a provider that dies in the middle of one nobody
// could use the rest, and what is told instead must begin on a line of its own. An event too large
// to keep goes on as it comes. Owned by the relay of one answer; each admit() is followed by a
// sent() before the memory behind its pieces is used again.
class EventGate {
public:
    static constexpr std::size_t kPieces = 16;  // the most that admit() takes

    EventGate(wire::SseScanner& events, BufferPool& buffers) noexcept
        : events_(events), buffers_(buffers) {}

    // `pieces`: payload that came; what must wait is cut off their ends. `is_last`: no more will
    // come. Returns how many bytes are to be sent, kept() and what is left of the pieces.
    std::size_t admit(std::span<std::string_view> pieces, bool is_last);
    // What was held back earlier and goes before the pieces.
    std::string_view kept() const noexcept { return sends_kept_ ? kept_.view() : ""; }
    void sent();

    // Whether what was let through so far ends between two events.
    bool at_boundary() const noexcept { return at_boundary_; }

private:
    wire::SseScanner& events_;
    BufferPool& buffers_;
    Buffer kept_;                                 // an event whose end has not come yet
    std::array<std::string_view, kPieces> tail_;  // what sent() adds to it
    std::size_t tails_ = 0;
    bool sends_kept_ = false;
    bool at_boundary_ = true;
};

}  // namespace rotary::proxy
