#include "proxy/event_gate.hpp"

#include <algorithm>
#include <cstring>

namespace rotary::proxy {

void EventGate::pass(wire::Pieces& pieces, bool is_last) {
    std::size_t payload = 0;
    std::size_t whole = 0;
    for (const std::string_view piece : pieces.payload()) {
        events_.feed(piece);
        if (events_.boundary() != wire::SseScanner::npos) whole = payload + events_.boundary();
        payload += piece.size();
    }
    if (!kept_ && whole < payload) kept_ = buffers_.read_buffer();
    const bool is_overlong = whole == 0 && payload > 0 && payload > kept_.space_size();
    if (is_last || is_overlong) {
        at_boundary_ = events_.at_boundary();
        whole = payload;
    } else if (whole > 0) {
        at_boundary_ = true;
    }
    std::size_t before = 0;
    for (std::string_view& piece : pieces.payload()) {
        const std::size_t goes = std::min(piece.size(), whole - std::min(whole, before));
        before += piece.size();
        if (goes < piece.size()) tail_[tails_++] = piece.substr(goes);
        piece = piece.substr(0, goes);
    }
    sends_kept_ = kept_ && (whole > 0 || is_last);
    if (sends_kept_) pieces.set_kept(kept_.view());
}

void EventGate::sent() {
    if (sends_kept_) kept_.consume(kept_.size());
    sends_kept_ = false;
    for (std::size_t i = 0; i < tails_; ++i) {
        std::memcpy(kept_.space(), tail_[i].data(), tail_[i].size());
        kept_.produced(tail_[i].size());
    }
    tails_ = 0;
    if (kept_ && kept_.empty()) kept_.reset();
}

}  // namespace rotary::proxy
