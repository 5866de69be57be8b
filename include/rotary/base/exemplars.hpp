#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/trace_id.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace rotary::metrics {

// One observation of a bucket, with the trace that it was made in.
struct Exemplar {
    TraceId trace;
    std::uint64_t nanoseconds = 0;
    std::int64_t at = 0;  // nanoseconds since 1970
};

// The last exemplar of each bucket, by its cell, of one worker: it alone puts, any thread may read.
// The table has a place for some hundred buckets; two that share one take it from each other, which
// costs an exemplar and nothing else.
class Exemplars {
public:
    void put(std::uint32_t cell, const Exemplar& exemplar) noexcept;
    // None: there is none, or it is being replaced just now.
    std::optional<Exemplar> find(std::uint32_t cell) const noexcept;

private:
    static constexpr std::size_t kPlaces = 512;
    // A sequence lock: `version` is odd while the words change.
    struct Place {
        std::atomic<std::uint32_t> version{0};
        std::atomic<std::uint32_t> cell{0};  // 0 is a sink's, which has none
        std::array<std::atomic<std::uint64_t>, 4> words{};
    };
    std::array<Place, kPlaces> places_{};
};

}  // namespace rotary::metrics
