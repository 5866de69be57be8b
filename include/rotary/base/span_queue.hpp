#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace rotary {

// Spans as JSON objects, a comma between two, on their way from the workers to who sends them.
// Shared by all threads; the mutex is held for a move. Bounded by bytes: what finds no room is
// dropped and counted, and never waited for.
class SpanQueue {
public:
    struct Batch {
        std::string text;
        std::uint64_t spans = 0;
    };

    // Takes the spans and leaves an empty batch. False when they were dropped.
    bool submit(Batch& batch);
    // What was submitted first, up to `most_bytes` or one batch that is larger.
    Batch take(std::size_t most_bytes);

    void set_max_bytes(std::size_t bytes) noexcept {
        most_.store(bytes, std::memory_order_relaxed);
    }
    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
    std::size_t bytes() const;

private:
    mutable std::mutex mutex_;
    std::deque<Batch> batches_;
    std::size_t bytes_ = 0;
    std::atomic<std::size_t> most_{0};
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace rotary
