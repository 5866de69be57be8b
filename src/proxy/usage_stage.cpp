#include "proxy/usage_stage.hpp"

#include <algorithm>

namespace rotary::proxy {

void UsageStage::begin(const llm::UsagePaths* paths) noexcept {
    paths_ = paths;
    reader_.begin(paths);
    if (body_ == Body::events) events_.listen(this);
}

void UsageStage::pass(wire::Pieces& pieces, bool) {
    if (body_ == Body::json) {
        for (const std::string_view piece : pieces.payload()) reader_.feed(piece);
    }
    const std::uint64_t size = pieces.payload_bytes();
    if (is_cutting_ || awaits_lf_) cut(pieces, size);
    passed_ += size;
}

void UsageStage::on_event(const wire::SseScanner::Event& event) {
    text_.measure(event.data);
    if (!drops_ || !event.has_usage) return;
    reader_.begin();
    reader_.feed(event.data);
    if (!reader_.is_usage_alone()) return;
    drops_ = false;
    // The beginning of an event that was too large to keep has gone already: then all of it goes.
    is_cutting_ = event.begin >= passed_;
    cut_begin_ = event.begin;
    cut_end_ = event.end;
}

void UsageStage::cut(wire::Pieces& pieces, std::uint64_t size) {
    if (size == 0) return;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    if (is_cutting_) {
        begin = cut_begin_ - std::min(cut_begin_, passed_);
        end = std::min(cut_end_ - passed_, size);
        if (begin >= end) return;
        is_cutting_ = cut_end_ > passed_ + size;
        awaits_lf_ = !is_cutting_ && pieces.byte_at(end - 1) == '\r';
    }
    if (awaits_lf_ && end < size) {
        awaits_lf_ = false;
        if (pieces.byte_at(end) == '\n') ++end;
    }
    pieces.cut_out(begin, end);
}

const llm::UsageReader& UsageStage::read() noexcept {
    if (body_ != Body::events) return reader_;
    reader_.begin(paths_);
    llm::read_events(reader_, events_.first_payload(), events_.usage_payload());
    return reader_;
}

bool UsageStage::told_at_start_only() const noexcept {
    constexpr std::string_view kStart = "\"message_start\"";
    return body_ == Body::events && events_.usage_payload() == events_.first_payload() &&
           events_.first_payload().substr(0, 64).find(kStart) != std::string_view::npos;
}

}  // namespace rotary::proxy
