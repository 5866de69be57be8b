#include <rotary/llm/form_body.hpp>
#include <rotary/wire/http1_scan.hpp>

#include <algorithm>
#include <cstddef>

namespace rotary::llm {
namespace {

constexpr std::string_view kCrlf = "\r\n";

Fault bad(const char* detail) noexcept { return Fault::client(FaultKind::bad_request, detail); }

constexpr const char* kBadName =
    "A part of the body has no Content-Disposition of form-data with one plain name.";

// The name of a part out of `form-data; name="model"; filename="a.wav"`. Names with escapes, in
// either way of writing them, are read differently by different parsers.
Result<std::string_view> name_of(std::string_view disposition) noexcept {
    std::string_view rest = disposition.substr(std::min(disposition.find(';'), disposition.size()));
    if (!text::iequals(text::trim(disposition.substr(0, disposition.size() - rest.size())),
                       "form-data")) {
        return bad(kBadName);
    }
    std::string_view found;
    bool seen = false;
    while (!rest.empty()) {
        rest = text::trim(rest.substr(1));
        const std::size_t equals = rest.find('=');
        if (equals == rest.npos) return bad(kBadName);
        const std::string_view name = rest.substr(0, equals);
        if (!wire::http1::all_of_class(name, wire::http1::kTokenChar)) return bad(kBadName);
        rest.remove_prefix(equals + 1);
        std::size_t size = std::min(rest.find(';'), rest.size());
        std::string_view value = text::trim(rest.substr(0, size));
        if (rest.starts_with('"')) {
            size = 1;
            while (size < rest.size() && rest[size] != '"') size += rest[size] == '\\' ? 2U : 1U;
            if (size >= rest.size()) return bad(kBadName);
            value = rest.substr(1, size - 1);
            ++size;
        }
        rest = text::trim(rest.substr(size));
        if (!rest.empty() && rest.front() != ';') return bad(kBadName);
        if (!text::istarts_with(name, "name")) continue;
        if (seen || name.size() != 4 || value.find_first_of("\\%") != value.npos) {
            return bad(kBadName);
        }
        seen = true;
        found = value;
    }
    if (!seen) return bad(kBadName);
    return found;
}

// Reads the header lines of a part, which end with an empty line; `at` stands at their first byte
// and is left behind the empty line.
Result<std::string_view> read_part_head(std::string_view text, std::size_t& at) noexcept {
    Result<std::string_view> name = bad(kBadName);
    std::size_t dispositions = 0;
    for (;;) {
        const std::size_t end = text.find(kCrlf, at);
        if (end == text.npos) return bad("The head of a part is not closed.");
        const std::string_view line = text.substr(at, end - at);
        at = end + kCrlf.size();
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == line.npos || colon == 0 ||
            !wire::http1::all_of_class(line.substr(0, colon), wire::http1::kTokenChar) ||
            !wire::http1::all_of_class(line.substr(colon + 1), wire::http1::kFieldChar)) {
            return bad("The head of a part holds a malformed line.");
        }
        const std::string_view field = line.substr(0, colon);
        const std::string_view value = text::trim(line.substr(colon + 1));
        if (text::iequals(field, "content-disposition")) {
            name = name_of(value);
            ++dispositions;
        } else if (text::iequals(field, "content-transfer-encoding") &&
                   !text::iequals(value, "binary") && !text::iequals(value, "8bit") &&
                   !text::iequals(value, "7bit")) {
            return bad("A part of the body is encoded.");
        }
    }
    if (dispositions != 1) return bad(kBadName);
    return name;
}

// Where the next delimiter's "--" begins; npos: there is none.
std::size_t find_delimiter(std::string_view text, std::string_view boundary,
                           std::size_t at) noexcept {
    for (;;) {
        // The boundary is the rarer part of the two.
        const std::size_t found = text.find(boundary, at + 2);
        if (found == text.npos) return found;
        if (text[found - 1] == '-' && text[found - 2] == '-') return found - 2;
        at = found - 1;
    }
}

}  // namespace

Result<ScannedBody> scan_multipart(std::string_view text, std::string_view boundary,
                                   std::string_view model_key) {
    constexpr const char* kLoose = "A delimiter of the multipart body is malformed or misplaced.";
    ScannedBody body;
    std::size_t at = text.starts_with(kCrlf) ? kCrlf.size() : 0;
    body.insert_at = at;
    if (find_delimiter(text, boundary, at) != at) return bad(kLoose);
    for (;;) {
        at += 2 + boundary.size();
        const std::string_view rest = text.substr(at);
        if (rest == "--" || rest == "--\r\n") return body;
        if (!rest.starts_with(kCrlf)) return bad(kLoose);
        at += kCrlf.size();
        const std::size_t next = find_delimiter(text, boundary, at);
        if (next == text.npos) return bad("The multipart body is not closed.");
        const auto name = read_part_head(text.substr(0, next), at);
        if (!name) return name.error();
        if (next < at + kCrlf.size() || text.substr(next - kCrlf.size(), kCrlf.size()) != kCrlf) {
            return bad(kLoose);
        }
        const MemberRange content{true, at, next - kCrlf.size()};
        if (*name == model_key) {
            if (body.model.found) return Fault::client(FaultKind::duplicate_model);
            body.model = content;
        } else if (*name == "stream") {
            body.stream = content;
        }
        at = next;
    }
}

}  // namespace rotary::llm
