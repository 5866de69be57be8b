#include <rotary/llm/usage_counts.hpp>

#include <algorithm>
#include <initializer_list>

namespace rotary::llm {

namespace {

// The first of them that was said.
std::uint64_t first_of(const UsageCounts& counts, std::initializer_list<Count> names) noexcept {
    for (const Count name : names) {
        if (counts.has(name)) return counts.get(name);
    }
    return 0;
}

// What is in `whole` besides `part`.
constexpr std::uint64_t rest_of(std::uint64_t whole, std::uint64_t part) noexcept {
    return whole - std::min(whole, part);
}

// Some servers count what they thought in the total alone.
void add_rest_of_total(Usage& usage, std::uint64_t total) noexcept {
    const std::uint64_t rest = rest_of(total, usage.total());
    usage.output += rest;
    usage.reasoning = std::max(usage.reasoning, rest);
}

void read_gemini(const UsageCounts& counts, Usage& usage) noexcept {
    usage.input = counts.get(Count::gemini_prompt) + counts.get(Count::gemini_tool_prompt);
    usage.output = counts.get(Count::gemini_candidates) + counts.get(Count::gemini_thoughts);
    usage.cached_read = counts.get(Count::gemini_cached);
    usage.reasoning = counts.get(Count::gemini_thoughts);
}

void read_bedrock(const UsageCounts& counts, Usage& usage) noexcept {
    const std::uint64_t written = counts.get(Count::bedrock_cache_write);
    usage.cached_read = counts.get(Count::bedrock_cache_read);
    usage.cache_write_long = std::min(written, counts.get(Count::bedrock_cache_write_long));
    usage.cache_write = written - usage.cache_write_long;
    usage.input = counts.get(Count::bedrock_input) + usage.cached_read + written;
    usage.output = counts.get(Count::bedrock_output);
}

// The caches that the details tell of are a part of the prompt.
void read_inner_caches(const UsageCounts& counts, Usage& usage) noexcept {
    const std::uint64_t written = first_of(counts, {Count::cache_write, Count::cache_creation});
    usage.cached_read = first_of(counts, {Count::cached, Count::cache_hit, Count::cache_read});
    usage.cache_write_long =
        std::min(written, first_of(counts, {Count::cache_write_long, Count::cache_creation_long}));
    usage.cache_write = written - usage.cache_write_long;
}

void read_chat(const UsageCounts& counts, Usage& usage) noexcept {
    usage.input = counts.get(Count::prompt);
    usage.output = counts.get(Count::completion);
    read_inner_caches(counts, usage);
    if (counts.has(Count::prompt)) add_rest_of_total(usage, counts.get(Count::total));
}

// Only Anthropic has counts of caches beside the input; they are not a part of it.
void read_input_output(const UsageCounts& counts, Usage& usage) noexcept {
    usage.input = counts.get(Count::input) + counts.get(Count::cache_creation) +
                  counts.get(Count::cache_read);
    usage.output = counts.get(Count::output);
    read_inner_caches(counts, usage);
}

void read_named(const UsageCounts& counts, Usage& usage) noexcept {
    if (counts.has(Count::named_prompt)) usage.input = counts.get(Count::named_prompt);
    if (counts.has(Count::named_completion)) usage.output = counts.get(Count::named_completion);
    const bool has_sides = counts.has(Count::named_prompt) || counts.has(Count::named_completion);
    if (has_sides && counts.has(Count::named_total)) {
        add_rest_of_total(usage, counts.get(Count::named_total));
    }
}

// Whatever was said, a part is no more than its whole.
void clamp_parts(Usage& usage) noexcept {
    std::uint64_t left = usage.input;
    for (std::uint64_t* part : {&usage.cached_read, &usage.cache_write, &usage.cache_write_long}) {
        *part = std::min(*part, left);
        left -= *part;
    }
    usage.audio_in = std::min(usage.audio_in, usage.input);
    usage.image_in = std::min(usage.image_in, usage.input);
    usage.reasoning = std::min(usage.reasoning, usage.output);
    usage.audio_out = std::min(usage.audio_out, usage.output);
}

}  // namespace

Usage usage_of(const UsageCounts& counts) noexcept {
    Usage usage;
    if (!counts.any()) return usage;
    usage.source = UsageSource::told;
    usage.audio_in = counts.get(Count::audio_in);
    usage.image_in = counts.get(Count::image_in);
    usage.audio_out = counts.get(Count::audio_out);
    usage.reasoning = counts.get(Count::reasoning);
    usage.milliseconds = counts.get(Count::milliseconds);
    usage.images = counts.get(Count::images);
    usage.web_searches = counts.get(Count::web_searches);
    if (counts.has(Count::gemini_prompt) || counts.has(Count::gemini_candidates)) {
        read_gemini(counts, usage);
    } else if (counts.has(Count::bedrock_input) || counts.has(Count::bedrock_output)) {
        read_bedrock(counts, usage);
    } else if (counts.has(Count::prompt) || counts.has(Count::completion)) {
        read_chat(counts, usage);
    } else if (counts.has(Count::input) || counts.has(Count::output)) {
        read_input_output(counts, usage);
    } else {
        usage.input = counts.get(Count::ollama_prompt);
        usage.output = counts.get(Count::ollama_output);
    }
    read_named(counts, usage);
    clamp_parts(usage);
    return usage;
}

}  // namespace rotary::llm
