#pragma once

#include <rotary/base/fault.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rotary::llm {

// Where the value of one top-level member stands in a JSON text.
struct MemberRange {
    bool found = false;
    std::size_t begin = 0;  // offset of the value's first byte
    std::size_t end = 0;    // one past its last
};

// What the path needs to know of a request body, found in one pass over all of it, without a tree.
struct ScannedBody {
    MemberRange model;           // the value that names the model
    MemberRange stream;          // "stream"
    MemberRange stream_options;  // "stream_options"
    // Where what is missing of the model goes: of an object just behind its '{'. `levels` of the
    // members that lead to the model are there already, and `insert_at` lies within the last.
    std::size_t insert_at = 0;
    std::size_t levels = 0;
    bool is_empty = false;  // nothing follows there that a separator must keep apart
};

// Scans `text`, which must be one JSON object (RFC 8259), to its very end. `path` holds the names
// of the members that lead to the model, outermost first ({"model"} for OpenAI). Keys are compared
// decoded, so "mod\u0065l" is "model". Validates structure: balanced brackets up to `depth`,
// strings closed, commas and colons in place, literals and numbers well-formed, nothing after the
// object. `text` may be followed by up to 64 readable bytes, but that is not required. Faults:
// invalid_json; duplicate_model when a member of the path stands there twice; bad_request when one
// that leads on is no object. Strings must be UTF-8 without control characters; a lone \ud800 is
// let through, as the grammar does and clients send (an emoji cut in two). Numbers are never
// converted. Of other members that stand there twice the last counts, as it does for providers.
// Depth is capped at 1024.
Result<ScannedBody> scan_body(std::string_view text, std::span<const std::string> path,
                              std::size_t depth);

// The contents of a string value that holds no escapes (a client's model, for the log). A view into
// `text`; nullopt for anything else.
std::optional<std::string_view> plain_string(std::string_view text,
                                             const MemberRange& range) noexcept;

bool is_true(std::string_view text, const MemberRange& range) noexcept;

}  // namespace rotary::llm
