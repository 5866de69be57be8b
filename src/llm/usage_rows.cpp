#include "llm/usage_rows.hpp"

namespace rotary::llm {

namespace {

using Node = UsageNode;
using Row = UsageRow;
using Is = UsageRow::Is;

constexpr Row counts(std::string_view name, Count count) noexcept {
    return {name, Is::count, count, Node::none};
}
constexpr Row leads(std::string_view name, Node node) noexcept {
    return {name, Is::object, Count::no_count, node};
}
constexpr Row item(std::string_view name, Is is) noexcept {
    return {name, is, Count::no_count, Node::none};
}

constexpr Row kRoot[] = {
    leads("usage", Node::usage),
    leads("choices", Node::choices),
    leads("message", Node::envelope),
    leads("response", Node::envelope),
    leads("usageMetadata", Node::gemini),
    leads("data", Node::data),
    counts("prompt_eval_count", Count::ollama_prompt),
    counts("eval_count", Count::ollama_output),
    item("service_tier", Is::service),
};
constexpr Row kEnvelope[] = {
    leads("usage", Node::usage),
    leads("usageMetadata", Node::gemini),
    item("service_tier", Is::service),
};
constexpr Row kUsage[] = {
    counts("prompt_tokens", Count::prompt),
    counts("completion_tokens", Count::completion),
    counts("total_tokens", Count::total),
    counts("input_tokens", Count::input),
    counts("output_tokens", Count::output),
    leads("prompt_tokens_details", Node::input_details),
    leads("completion_tokens_details", Node::output_details),
    leads("input_tokens_details", Node::input_details),
    leads("output_tokens_details", Node::output_details),
    leads("input_token_details", Node::input_details),
    leads("output_token_details", Node::output_details),
    counts("cache_creation_input_tokens", Count::cache_creation),
    counts("cache_read_input_tokens", Count::cache_read),
    leads("cache_creation", Node::cache_creation),
    leads("server_tool_use", Node::server_tools),
    counts("inputTokens", Count::bedrock_input),
    counts("outputTokens", Count::bedrock_output),
    counts("cacheReadInputTokens", Count::bedrock_cache_read),
    counts("cacheWriteInputTokens", Count::bedrock_cache_write),
    leads("cacheDetails", Node::cache_details),
    counts("prompt_cache_hit_tokens", Count::cache_hit),
    {"seconds", Is::seconds, Count::milliseconds, Node::none},
    {"prompt_audio_seconds", Is::seconds, Count::milliseconds, Node::none},
    item("service_tier", Is::service),
};
constexpr Row kInputDetails[] = {
    counts("cached_tokens", Count::cached),
    counts("cache_write_tokens", Count::cache_write),
    leads("cache_write_tokens_details", Node::cache_writes),
    counts("audio_tokens", Count::audio_in),
    counts("image_tokens", Count::image_in),
};
constexpr Row kOutputDetails[] = {
    counts("reasoning_tokens", Count::reasoning),
    counts("thinking_tokens", Count::reasoning),
    counts("audio_tokens", Count::audio_out),
};
constexpr Row kCacheWrites[] = {
    counts("ttl_12h_tokens", Count::cache_write_long),
};
constexpr Row kCacheCreation[] = {
    counts("ephemeral_1h_input_tokens", Count::cache_creation_long),
};
constexpr Row kServerTools[] = {
    counts("web_search_requests", Count::web_searches),
};
constexpr Row kGemini[] = {
    counts("promptTokenCount", Count::gemini_prompt),
    counts("candidatesTokenCount", Count::gemini_candidates),
    counts("thoughtsTokenCount", Count::gemini_thoughts),
    counts("toolUsePromptTokenCount", Count::gemini_tool_prompt),
    counts("cachedContentTokenCount", Count::gemini_cached),
    leads("promptTokensDetails", Node::prompt_parts),
    leads("candidatesTokensDetails", Node::candidate_parts),
};
constexpr Row kParts[] = {
    item("modality", Is::item_label),
    item("tokenCount", Is::item_count),
};
constexpr Row kCacheDetails[] = {
    item("ttl", Is::item_label),
    item("inputTokens", Is::item_count),
};
constexpr Row kData[] = {
    item("b64_json", Is::item_image),
    item("url", Is::item_image),
};

}  // namespace

std::span<const Row> rows_of(Node node) noexcept {
    switch (node) {
        case Node::root:
            return kRoot;
        case Node::envelope:
            return kEnvelope;
        case Node::usage:
            return kUsage;
        case Node::input_details:
            return kInputDetails;
        case Node::output_details:
            return kOutputDetails;
        case Node::cache_writes:
            return kCacheWrites;
        case Node::cache_creation:
            return kCacheCreation;
        case Node::server_tools:
            return kServerTools;
        case Node::gemini:
            return kGemini;
        case Node::prompt_parts:
        case Node::candidate_parts:
            return kParts;
        case Node::cache_details:
            return kCacheDetails;
        case Node::data:
            return kData;
        case Node::none:
        case Node::choices:
        case Node::named:
            break;
    }
    return {};
}

std::span<const Count> sums_of(Node node) noexcept {
    static constexpr Count kPrompt[] = {Count::audio_in, Count::image_in};
    static constexpr Count kCandidates[] = {Count::audio_out};
    static constexpr Count kLong[] = {Count::bedrock_cache_write_long};
    static constexpr Count kImages[] = {Count::images};
    switch (node) {
        case Node::prompt_parts:
            return kPrompt;
        case Node::candidate_parts:
            return kCandidates;
        case Node::cache_details:
            return kLong;
        case Node::data:
            return kImages;
        default:
            return {};
    }
}

}  // namespace rotary::llm
