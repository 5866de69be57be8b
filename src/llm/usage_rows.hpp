#pragma once

#include <rotary/llm/usage_counts.hpp>

#include <span>
#include <string_view>

namespace rotary::llm {

// What kind of object or list of an answer a UsageReader stands in.
enum class UsageNode : std::uint8_t {
    none,
    root,
    envelope,  // an object that may hold the usage: Anthropic's message, OpenAI's response
    usage,
    input_details,
    output_details,
    cache_writes,    // by how long they are kept, of OpenAI
    cache_creation,  // the same, of Anthropic
    server_tools,
    gemini,
    prompt_parts,     // by modality
    candidate_parts,  // by modality
    cache_details,    // a list, of Bedrock
    choices,
    data,  // a list, of images among others
    named  // on the way of a path that the configuration names
};

// A member: the count that it holds, or what is found in it.
struct UsageRow {
    enum class Is : std::uint8_t {
        count,
        seconds,
        object,
        service,
        item_count,
        item_label,
        item_image
    };
    std::string_view name;
    Is is = Is::count;
    Count count = Count::no_count;
    UsageNode node = UsageNode::none;
};

// The members of such an object that mean something, and of a list what its objects add up to (the
// list is told whole each time).
std::span<const UsageRow> rows_of(UsageNode node) noexcept;
std::span<const Count> sums_of(UsageNode node) noexcept;

}  // namespace rotary::llm
