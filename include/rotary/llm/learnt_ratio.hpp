#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace rotary::llm {

// How many bytes of text make a token of a model, learnt from answers that told how many tokens the
// text of their request was: better than any constant, since it is of this model and of what is
// said to it here. Shared by all workers; of two that learn at once one may be lost, which is fine.
class LearntRatio {
public:
    static constexpr std::uint32_t kByte = 1024;              // what ratio() counts in
    static constexpr std::uint32_t kLeast = kByte * 13 / 10;  // no text has more or fewer
    static constexpr std::uint32_t kMost = kByte * 9;
    static constexpr std::uint32_t kAnswers = 16;  // before so many have told it, it is not used
    static constexpr std::uint64_t kLeastBytes =
        512;  // of shorter texts what surrounds them counts

    void learn(std::uint64_t bytes, std::uint64_t tokens) noexcept {
        if (bytes < kLeastBytes || tokens == 0) return;
        const std::uint64_t exact = std::min(bytes, kMostBytes) * kByte / tokens;
        const auto told =
            static_cast<std::int64_t>(std::clamp<std::uint64_t>(exact, kLeast, kMost));
        const std::uint64_t state = state_.load(std::memory_order_relaxed);
        const std::uint64_t answers = std::min<std::uint64_t>((state >> 32) + 1, kAnswers);
        auto ratio = static_cast<std::int64_t>(state & 0xFFFFFFFFU);
        ratio += (told - ratio) / static_cast<std::int64_t>(answers);
        state_.store(answers << 32 | static_cast<std::uint64_t>(ratio), std::memory_order_relaxed);
    }
    // In 1/1024 of a byte; 0: not known yet.
    std::uint32_t ratio() const noexcept {
        const std::uint64_t state = state_.load(std::memory_order_relaxed);
        return state >> 32 < kAnswers ? 0 : static_cast<std::uint32_t>(state);
    }

private:
    static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;

    std::atomic<std::uint64_t> state_{0};  // answers up to kAnswers, and what they told on average
};

}  // namespace rotary::llm
