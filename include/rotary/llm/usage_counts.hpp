#pragma once

#include <rotary/llm/usage.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rotary::llm {

// A count that some vendor's answer may hold, by the meaning it has there.
enum class Count : std::uint8_t {
    // OpenAI's chat and all that copy it: caches, audio and images are inside the two.
    prompt,
    completion,
    total,
    cache_hit,  // DeepSeek's way of saying cached
    // OpenAI's responses (caches inside) and Anthropic's messages (the two caches outside).
    input,
    output,
    cache_creation,
    cache_creation_long,
    cache_read,
    // The details of either.
    cached,
    cache_write,
    cache_write_long,
    audio_in,
    image_in,
    audio_out,
    reasoning,
    // Gemini: the thoughts are outside the candidates, what tools put in outside the prompt.
    gemini_prompt,
    gemini_tool_prompt,
    gemini_candidates,
    gemini_thoughts,
    gemini_cached,
    // Bedrock's Converse: both caches are outside the input.
    bedrock_input,
    bedrock_output,
    bedrock_cache_read,
    bedrock_cache_write,
    bedrock_cache_write_long,
    // Ollama's own.
    ollama_prompt,
    ollama_output,
    // What rateLimitFields of an AIProvider name.
    named_prompt,
    named_completion,
    named_total,
    // Other units.
    milliseconds,
    images,
    web_searches,
    no_count
};
inline constexpr std::size_t kCounts = static_cast<std::size_t>(Count::no_count);

// In the order of an AIProvider's rateLimitFields.
inline constexpr std::array<Count, 3> kNamedCounts{Count::named_prompt, Count::named_completion,
                                                   Count::named_total};

// A bit for each.
template <class... Counts>
constexpr std::uint64_t bits_of(Counts... counts) noexcept {
    static_assert(kCounts <= 64);
    return ((std::uint64_t{1} << static_cast<unsigned>(counts)) | ...);
}
// Which of them are a side of what is billed.
inline constexpr std::uint64_t kInputCounts =
    bits_of(Count::prompt, Count::input, Count::gemini_prompt, Count::bedrock_input,
            Count::ollama_prompt, Count::named_prompt);
inline constexpr std::uint64_t kOutputCounts =
    bits_of(Count::completion, Count::output, Count::gemini_candidates, Count::gemini_thoughts,
            Count::bedrock_output, Count::ollama_output, Count::named_completion);
inline constexpr std::uint64_t kBilledCounts =
    kInputCounts | kOutputCounts | bits_of(Count::milliseconds, Count::images);

// A larger count than this is a mistake.
inline constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 40;

// What an answer, or the events of a stream in their order, said. A count that is said again
// replaces the earlier one: vendors' counts are running totals, never to be added up.
class UsageCounts {
public:
    void set(Count count, std::uint64_t value) noexcept {
        values_[index(count)] = value;
        present_ |= bits_of(count);
    }
    void add(Count count, std::uint64_t value) noexcept { set(count, get(count) + value); }
    void erase(Count count) noexcept {
        values_[index(count)] = 0;
        present_ &= ~bits_of(count);
    }
    void clear() noexcept {
        if (present_ != 0) *this = {};
    }
    bool has(Count count) const noexcept { return (present_ & bits_of(count)) != 0; }
    std::uint64_t get(Count count) const noexcept { return values_[index(count)]; }

    bool has_output() const noexcept { return (present_ & kOutputCounts) != 0; }
    // Some part of what is billed was said.
    bool any() const noexcept { return (present_ & kBilledCounts) != 0; }

private:
    static constexpr std::size_t index(Count count) noexcept {
        return static_cast<std::size_t>(count);
    }

    std::array<std::uint64_t, kCounts> values_{};
    std::uint64_t present_ = 0;  // a bit for each
};

// The one record for all vendors, `source` told, or none when there is nothing. Whether caches are
// inside or outside the input, and thoughts the output, is decided here and nowhere else.
Usage usage_of(const UsageCounts& counts) noexcept;

}  // namespace rotary::llm
