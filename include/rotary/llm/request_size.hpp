#pragma once

#include <cstdint>
#include <optional>

namespace rotary::llm {

// What a request asks for, as far as limits must know it before there is an answer. The input is
// an estimate; `max_output` is what the client allows one candidate to take, when it says so.
struct RequestSize {
    std::uint64_t input_tokens = 0;
    std::optional<std::uint64_t> max_output;
    std::uint32_t n = 1;  // candidates that are asked for, each with an output of its own

    friend constexpr bool operator==(const RequestSize&, const RequestSize&) noexcept = default;
};

}  // namespace rotary::llm
