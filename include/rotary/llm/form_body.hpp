#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/llm/json_scanner.hpp>

#include <cstdint>
#include <string_view>

// Bodies that are no JSON and name a model all the same: forms, and multipart/form-data (audio
// transcriptions, image edits). Scanned like JSON, in one pass, without a copy.
namespace rotary::llm {

// What a Content-Type says of a body. None at all is taken for JSON, as providers do.
enum class BodyKind : std::uint8_t { json, form, multipart, other };
BodyKind body_kind(std::string_view content_type) noexcept;

// The boundary of a multipart Content-Type (RFC 2046 section 5.1.1). Faults: bad_request.
Result<std::string_view> boundary_of(std::string_view content_type) noexcept;

// application/x-www-form-urlencoded. Names are compared decoded, so "%6dodel" is "model". In the
// result `insert_at` is 0: a missing field goes first. Faults: duplicate_model; bad_request where a
// semicolon, which some parsers take for an ampersand, hides the name.
Result<ScannedBody> scan_form(std::string_view text, std::string_view model_key);

// multipart/form-data (RFC 7578). In the result `insert_at` is where the first delimiter begins.
// Strict, for what two parsers could read differently is no way to a model: the delimiter stands
// nowhere else, on lines of CRLF, without padding, and nothing is before the first or behind the
// last but one CRLF; every part has one Content-Disposition with one plain name. Faults:
// bad_request, duplicate_model.
Result<ScannedBody> scan_multipart(std::string_view text, std::string_view boundary,
                                   std::string_view model_key);

// Whether percent-encoded text ("+" is a space) stands for `plain`.
bool decodes_to(std::string_view encoded, std::string_view plain) noexcept;
bool decodes_to_ignoring_case(std::string_view encoded, std::string_view plain) noexcept;

// The bytes that such a text stands for, one after another.
class DecodedBytes {
public:
    explicit DecodedBytes(std::string_view encoded) noexcept : rest_(encoded) {}
    int next() noexcept;  // -1 at the end

private:
    std::string_view rest_;
};

}  // namespace rotary::llm
