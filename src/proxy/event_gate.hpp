#pragma once

#include "proxy/stage.hpp"

#include <rotary/base/buffers.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace rotary::proxy {

// Lets only whole events of a stream pass: of a provider that dies in the middle of one a
// client could not use the rest, and what is told instead must begin on a line of its own. An event
// too large to keep goes on as it comes.
class EventGate final : public Stage {
public:
    EventGate(wire::SseScanner& events, BufferPool& buffers) noexcept
        : events_(events), buffers_(buffers) {}

    void pass(wire::Pieces& pieces, bool is_last) override;
    void sent() override;

    // Whether what was let through so far ends between two events.
    bool at_boundary() const noexcept { return at_boundary_; }

private:
    wire::SseScanner& events_;
    BufferPool& buffers_;
    Buffer kept_;  // an event whose end has not come yet
    std::array<std::string_view, wire::Pieces::kPayload> tail_;  // what sent() adds to it
    std::size_t tails_ = 0;
    bool sends_kept_ = false;
    bool at_boundary_ = true;
};

}  // namespace rotary::proxy
