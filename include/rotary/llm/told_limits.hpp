#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace rotary::llm {

// What a provider counts. `all` is the counter without a name.
enum class ToldCounter : std::uint8_t {
    all,
    requests,
    tokens,
    project_tokens,
    input_tokens,
    output_tokens
};
inline constexpr std::size_t kToldCounters = 6;
std::string_view to_string(ToldCounter counter) noexcept;

// What a provider has last told of its limits: how much is left, and of how much. Shared by all
// workers: each answer's numbers replace those before, whichever worker had them first.
class ToldLimits {
public:
    void note_remaining(ToldCounter counter, std::int64_t value) noexcept {
        remaining_[static_cast<std::size_t>(counter)].store(value, std::memory_order_relaxed);
    }
    void note_limit(ToldCounter counter, std::int64_t value) noexcept {
        limits_[static_cast<std::size_t>(counter)].store(value, std::memory_order_relaxed);
    }
    // None: it was never told.
    std::optional<std::int64_t> remaining(ToldCounter counter) const noexcept {
        return read(remaining_, counter);
    }
    std::optional<std::int64_t> limit(ToldCounter counter) const noexcept {
        return read(limits_, counter);
    }

private:
    static constexpr std::int64_t kUntold = std::numeric_limits<std::int64_t>::min();
    struct Number : std::atomic<std::int64_t> {
        Number() noexcept : atomic(kUntold) {}
    };
    using Numbers = std::array<Number, kToldCounters>;

    static std::optional<std::int64_t> read(const Numbers& numbers, ToldCounter counter) noexcept {
        const std::int64_t value =
            numbers[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
        return value == kUntold ? std::nullopt : std::optional(value);
    }

    Numbers remaining_;
    Numbers limits_;
};

}  // namespace rotary::llm
