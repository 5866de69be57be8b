#pragma once

#include <rotary/llm/json_scanner.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace rotary::llm {

// Bytes [begin, end) of a body, and what goes there instead. The text is a literal.
struct BodyEdit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view text;
};

// What makes a request in OpenAI's format ask its stream to tell its usage
// (stream_options.include_usage): nothing else of the body changes. Nullopt: it asks already.
// `body` must have passed scan_body(), with a member `stream`.
std::optional<BodyEdit> ask_for_usage(std::string_view body, const ScannedBody& scan);

// Whether the body of a refusal speaks of what that put in.
bool names_stream_options(std::string_view body) noexcept;

}  // namespace rotary::llm
