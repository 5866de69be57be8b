#pragma once

#include <rotary/config/settings/settings.hpp>
#include <rotary/llm/request_size.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace rotary::llm {

// What of a request's body its number of tokens can be estimated from.
struct RequestFacts {
    std::uint64_t text_bytes = 0;  // of messages, prompts and instructions
    std::uint64_t tool_bytes = 0;  // the JSON of what may be called, and of a schema to answer in
    std::uint64_t messages = 0;
    std::uint64_t media = 0;  // images, sounds and files, whether sent or named by a URL
    std::optional<std::uint64_t> max_output = {};
    std::uint32_t n = 1;

    friend constexpr bool operator==(const RequestFacts&, const RequestFacts&) noexcept = default;
};

// One pass over a body of any vendor's chat, completions, embeddings or responses. The body should
// have passed scan_body(); of any other what can be made of it is told. Does not allocate.
RequestFacts measure_request(std::string_view body) noexcept;

// Estimates go by usage.bytes_per_token, or by what a LearntRatio has learnt: `learnt`, 0 for none.

// The estimate that limits take before the answer is there: on the high side for nearly all texts.
RequestSize size_of(const RequestFacts& facts, const config::UsageSettings& settings,
                    std::uint32_t learnt = 0) noexcept;

// The estimates that stand for what no provider told: the most likely ones.
std::uint64_t likely_input(const RequestFacts& facts, const config::UsageSettings& settings,
                           std::uint32_t learnt = 0) noexcept;
std::uint64_t likely_output(std::uint64_t text_bytes, const config::UsageSettings& settings,
                            std::uint32_t learnt = 0) noexcept;
// The tokens of a request of text alone, without what its messages take besides; 0: there are none.
std::uint64_t text_tokens(const RequestFacts& facts, std::uint64_t told) noexcept;

}  // namespace rotary::llm
