#pragma once

#include <cstddef>
#include <cstdint>

namespace rotary::llm {

// How the counts of a Usage are known.
enum class UsageSource : std::uint8_t {
    none,       // no work was done that could be counted
    estimated,  // from the bytes that went by
    partial,    // one side told by the provider, the other estimated
    told        // by the provider
};
inline constexpr std::size_t kUsageSources = 4;
constexpr const char* to_string(UsageSource source) noexcept {
    switch (source) {
        case UsageSource::none:
            return "none";
        case UsageSource::estimated:
            return "estimated";
        case UsageSource::partial:
            return "partial";
        case UsageSource::told:
            return "told";
    }
    return "none";
}

// A longer name of the model that answered is not read.
inline constexpr std::size_t kMostModelBytes = 96;

// At what speed or discount a provider says that it served a request.
enum class Service : std::uint8_t { standard, batch, flex, priority };

// What one answer used, whatever the provider's way of counting. `input` and `output` are totals,
// everything that is billed as either; the tokens below them are parts of the two, never more.
struct Usage {
    std::uint64_t input = 0;
    std::uint64_t output = 0;

    // Parts of `input`.
    std::uint64_t cached_read = 0;
    std::uint64_t cache_write = 0;       // kept for minutes
    std::uint64_t cache_write_long = 0;  // kept for an hour or longer
    std::uint64_t audio_in = 0;
    std::uint64_t image_in = 0;
    // Parts of `output`.
    std::uint64_t reasoning = 0;
    std::uint64_t audio_out = 0;

    // What is billed by another unit than tokens.
    std::uint64_t milliseconds = 0;  // of audio
    std::uint64_t images = 0;
    std::uint64_t web_searches = 0;

    UsageSource source = UsageSource::none;
    Service service = Service::standard;

    // Computed, never copied from an answer: the vendors' totals differ in what they hold.
    constexpr std::uint64_t total() const noexcept { return input + output; }

    friend constexpr bool operator==(const Usage&, const Usage&) noexcept = default;
};

}  // namespace rotary::llm
