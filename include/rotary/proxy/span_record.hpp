#pragma once

#include <rotary/base/span_queue.hpp>
#include <rotary/proxy/observer.hpp>

#include <cstddef>

namespace rotary::proxy {

// Spans of exchanges that are recorded in a trace, one for the request and one for each try that
// its trail holds, as OTLP's JSON. One worker's: it gathers them and hands them over when there are
// many, and at each tick.
class SpanRecord final : public Observer {
public:
    // `most_bytes`: gathered before they are handed over.
    SpanRecord(SpanQueue& queue, std::size_t most_bytes) noexcept
        : queue_(queue), most_bytes_(most_bytes) {}
    void record(const Exchange& exchange, SteadyTime now) override;
    void flush() { queue_.submit(batch_); }
    void set_most_bytes(std::size_t bytes) noexcept { most_bytes_ = bytes; }

private:
    SpanQueue& queue_;
    std::size_t most_bytes_;
    SpanQueue::Batch batch_;
};

}  // namespace rotary::proxy
