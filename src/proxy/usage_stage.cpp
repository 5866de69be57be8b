#include "proxy/usage_stage.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace rotary::proxy {

void UsageStage::begin(const llm::UsagePlaces& places, const wire::HeaderTable& headers,
                       bool reads_model) noexcept {
    places_ = &places;
    reads_model_ = reads_model;
    reader_.begin(places_, reads_model_);
    if (body_ == Body::events) events_.listen(this);
    for (std::size_t i = 0; i < llm::UsagePlaces::kPlaces; ++i) {
        if (places.headers[i].empty()) continue;
        const wire::Header* header = headers.find(places.headers[i]);
        if (header == nullptr) continue;
        const std::string_view text = header->value;
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), in_headers_[i]);
        is_in_headers_[i] = error == std::errc() && end == text.data() + text.size() &&
                            in_headers_[i] <= llm::kMostTokens;
        if (!is_in_headers_[i]) ++invalid_;
    }
}

void UsageStage::read_frames(std::string_view bytes) noexcept {
    for (;;) {
        const std::string_view payload = frames_.next(bytes);
        if (payload.empty()) return;
        if (frames_.begins()) reader_.begin_text();
        reader_.feed(payload);
        text_.measure(payload);
    }
}

void UsageStage::pass(wire::Pieces& pieces, bool is_last) {
    const bool is_whole = body_ == Body::json && is_last && passed_ == 0 &&
                          pieces.payload().size() == 1 && reader_.read_end(pieces.payload()[0]);
    if (!is_whole && (body_ == Body::json || body_ == Body::frames)) {
        for (const std::string_view piece : pieces.payload()) {
            body_ == Body::json ? reader_.feed(piece) : read_frames(piece);
        }
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

const llm::UsageCounts& UsageStage::read(std::uint64_t& invalid) noexcept {
    if (body_ == Body::events) {
        reader_.begin(places_, reads_model_);
        llm::read_events(reader_, events_.first_payload(), events_.usage_payload());
    }
    invalid = invalid_ + reader_.invalid();
    for (std::size_t i = 0; i < llm::UsagePlaces::kPlaces; ++i) {
        if (is_in_headers_[i]) reader_.tell(llm::kNamedCounts[i], in_headers_[i]);
    }
    return reader_.counts();
}

bool UsageStage::told_at_start_only() const noexcept {
    constexpr std::string_view kStart = "\"message_start\"";
    return body_ == Body::events && events_.usage_payload() == events_.first_payload() &&
           events_.first_payload().substr(0, 64).find(kStart) != std::string_view::npos;
}

UsageStage::Body usage_body(const wire::HeaderTable& headers, bool is_event_stream) noexcept {
    using Body = UsageStage::Body;
    const wire::Header* coding = headers.find(wire::field("content-encoding"));
    if (coding != nullptr && !text::iequals(coding->value, "identity")) return Body::other;
    if (is_event_stream) return Body::events;
    const wire::Header* type = headers.find(wire::field("content-type"));
    if (type == nullptr) return Body::other;
    if (text::istarts_with(type->value, "application/vnd.amazon.eventstream")) return Body::frames;
    return type->value.find("json") != std::string_view::npos ? Body::json : Body::other;
}

}  // namespace rotary::proxy
