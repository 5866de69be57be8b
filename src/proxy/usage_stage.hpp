#pragma once

#include "proxy/stage.hpp"

#include <rotary/llm/event_frames.hpp>
#include <rotary/llm/text_meter.hpp>
#include <rotary/llm/usage_reader.hpp>
#include <rotary/wire/message.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <array>
#include <cstdint>

namespace rotary::proxy {

// Reads what an answer used as it passes: of a stream the scanner keeps the events that matter, of
// JSON all is followed. Of a stream whose usage only Rotary asked for, the one event that answers
// this is kept from the client. Stands behind the EventGate, so that it meets whole events.
class UsageStage final : public Stage, public wire::SseScanner::Listener {
public:
    enum class Body : std::uint8_t {
        events,
        frames,  // Amazon's
        json,
        other
    };

    // `drops`: Rotary asked, the client did not.
    UsageStage(wire::SseScanner& events, Body body, bool drops) noexcept
        : events_(events), body_(body), drops_(drops) {}

    // Listens to the scanner until that begins anew or is told otherwise. `places` must outlive the
    // answer, whose `headers` are only looked at now. The model that a body names is read only
    // where that is asked for.
    void begin(const llm::UsagePlaces& places, const wire::HeaderTable& headers,
               bool reads_model = false) noexcept;
    void pass(wire::Pieces& pieces, bool is_last) override;
    void sent() override {}
    void on_event(const wire::SseScanner::Event& event) override;

    // What was told up to now; of a stream read from its events then. `invalid`: how many counts
    // were none.
    const llm::UsageCounts& read(std::uint64_t& invalid) noexcept;
    // What read() found besides; empty: no model is named, or it is not read.
    std::string_view model() const noexcept { return reader_.model(); }
    llm::Service service() const noexcept { return reader_.service(); }
    Body body() const noexcept { return body_; }
    std::uint64_t payload_bytes() const noexcept { return passed_; }  // dropped ones too
    std::uint64_t text_bytes() const noexcept { return text_.bytes(); }
    // All that a stream told stands in its first event, which knows the input alone.
    bool told_at_start_only() const noexcept;

private:
    void read_frames(std::string_view bytes) noexcept;
    void cut(wire::Pieces& pieces, std::uint64_t size);

    wire::SseScanner& events_;
    const Body body_;
    bool drops_;
    bool reads_model_ = false;
    bool is_cutting_ = false;      // there is a range to be kept back, not all of which has come by
    bool awaits_lf_ = false;       // it ended with a CR: an LF behind it belongs to it
    std::uint64_t cut_begin_ = 0;  // in the stream
    std::uint64_t cut_end_ = 0;
    std::uint64_t passed_ = 0;
    const llm::UsagePlaces* places_ = nullptr;
    llm::UsageReader reader_;
    llm::EventFrames frames_;
    std::array<std::uint64_t, llm::UsagePlaces::kPlaces> in_headers_{};
    std::array<bool, llm::UsagePlaces::kPlaces> is_in_headers_{};
    std::uint64_t invalid_ = 0;  // in headers
    llm::TextMeter text_;
};

// How the answer with these headers is to be read.
UsageStage::Body usage_body(const wire::HeaderTable& headers, bool is_event_stream) noexcept;

}  // namespace rotary::proxy
