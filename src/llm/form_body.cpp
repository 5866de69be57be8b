#include <rotary/llm/form_body.hpp>

#include <rotary/base/percent.hpp>
#include <rotary/base/text.hpp>
#include <rotary/wire/http1_scan.hpp>
#include <rotary/wire/query.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace rotary::llm {
namespace {

constexpr std::size_t kLongestBoundary = 70;

std::string_view essence_of(std::string_view content_type) noexcept {
    return text::trim(content_type.substr(0, content_type.find(';')));
}

// The next parameter of `rest`, which stands at its semicolon; false once there is none, or what
// stands there is none. A quoted value comes without its quotes, and holds no escapes.
bool take_parameter(std::string_view& rest, std::string_view& name,
                    std::string_view& value) noexcept {
    if (!rest.starts_with(';')) return false;
    rest = text::trim(rest.substr(1));
    std::size_t size = 0;
    while (size < rest.size() && wire::http1::is_class(rest[size], wire::http1::kTokenChar)) ++size;
    name = rest.substr(0, size);
    rest.remove_prefix(size);
    if (name.empty() || !rest.starts_with('=')) return false;
    rest.remove_prefix(1);
    const bool quoted = rest.starts_with('"');
    if (quoted) {
        rest.remove_prefix(1);
        size = rest.find('"');
        if (size == rest.npos || rest.substr(0, size).find('\\') != rest.npos) return false;
    } else {
        size = 0;
        while (size < rest.size() && wire::http1::is_class(rest[size], wire::http1::kTokenChar))
            ++size;
    }
    value = rest.substr(0, size);
    rest = text::trim(rest.substr(quoted ? size + 1 : size));
    return true;
}

// Text in another Unicode encoding than UTF-8 would be read as something else than is scanned here.
bool is_other_unicode(std::string_view content_type) noexcept {
    std::string_view rest =
        content_type.substr(std::min(content_type.find(';'), content_type.size()));
    std::string_view name;
    std::string_view value;
    while (take_parameter(rest, name, value)) {
        if (!text::iequals(name, "charset") || !text::istarts_with(value, "utf")) continue;
        if (!text::iequals(value, "utf-8") && !text::iequals(value, "utf8")) return true;
    }
    return false;
}

// RFC 2046 section 5.1.1, without the space, which no sender of forms uses.
bool is_boundary(std::string_view text) noexcept {
    static constexpr std::string_view kMarks = "'()+_,-./:=?";
    return !text.empty() && text.size() <= kLongestBoundary &&
           std::all_of(text.begin(), text.end(), [](char c) {
               const char low = text::lower(c);
               return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
                      kMarks.find(c) != kMarks.npos;
           });
}

// Takes one character off the front. An escape that is none stands for itself, as browsers read it.
char take_decoded(std::string_view& encoded) noexcept {
    const char c = encoded.front();
    const bool escape = c == '%' && encoded.size() >= 3 && text::hex_value(encoded[1]) >= 0 &&
                        text::hex_value(encoded[2]) >= 0;
    if (!escape) {
        encoded.remove_prefix(1);
        return c == '+' ? ' ' : c;
    }
    const char decoded =
        static_cast<char>(text::hex_value(encoded[1]) << 4 | text::hex_value(encoded[2]));
    encoded.remove_prefix(3);
    return decoded;
}

template <class Same>
bool decodes(std::string_view encoded, std::string_view plain, const Same& same) noexcept {
    while (!encoded.empty() && !plain.empty()) {
        if (!same(take_decoded(encoded), plain.front())) return false;
        plain.remove_prefix(1);
    }
    return encoded.empty() && plain.empty();
}

// Whether a piece behind a semicolon is named `key`.
bool hides(std::string_view pair, std::string_view key) noexcept {
    for (std::size_t at = pair.find(';'); at != pair.npos; at = pair.find(';')) {
        pair.remove_prefix(at + 1);
        if (decodes_to(pair.substr(0, pair.find_first_of("=;")), key)) return true;
    }
    return false;
}

}  // namespace

bool decodes_to(std::string_view encoded, std::string_view plain) noexcept {
    return decodes(encoded, plain, [](char a, char b) { return a == b; });
}

bool decodes_to_ignoring_case(std::string_view encoded, std::string_view plain) noexcept {
    return decodes(encoded, plain, [](char a, char b) { return text::lower(a) == text::lower(b); });
}

int DecodedBytes::next() noexcept {
    return rest_.empty() ? -1 : static_cast<unsigned char>(take_decoded(rest_));
}

BodyKind body_kind(std::string_view content_type) noexcept {
    if (content_type == "application/json") return BodyKind::json;  // as nearly all say it
    const std::string_view essence = essence_of(content_type);
    if (essence.empty()) return content_type.empty() ? BodyKind::json : BodyKind::other;
    if (is_other_unicode(content_type)) return BodyKind::other;
    if (text::iequals(essence, "application/json")) return BodyKind::json;
    if (text::iequals(essence, "multipart/form-data")) return BodyKind::multipart;
    if (text::iequals(essence, "application/x-www-form-urlencoded")) return BodyKind::form;
    const std::string_view ending =
        essence.substr(essence.size() - std::min<std::size_t>(5, essence.size()));
    const bool is_json = text::iequals(ending, "/json") || text::iequals(ending, "+json");
    return is_json && essence.size() > 5 ? BodyKind::json : BodyKind::other;
}

Result<std::string_view> boundary_of(std::string_view content_type) noexcept {
    std::string_view rest =
        content_type.substr(std::min(content_type.find(';'), content_type.size()));
    std::string_view name;
    std::string_view value;
    std::string_view boundary;
    bool twice = false;
    while (take_parameter(rest, name, value)) {
        if (!text::istarts_with(name, "boundary")) continue;
        twice = twice || !boundary.empty() || name.size() != 8;
        boundary = value;
    }
    if (!rest.empty() || twice || !is_boundary(boundary)) {
        return Fault::client(FaultKind::bad_request,
                             "The Content-Type does not name one plain boundary.");
    }
    return boundary;
}

Result<ScannedBody> scan_form(std::string_view text, std::string_view model_key) {
    ScannedBody body;
    body.is_empty = text.empty();
    for (std::string_view rest = text; !rest.empty();) {
        const wire::Parameter field = wire::take_parameter(rest);
        const auto value = static_cast<std::size_t>(field.value.data() - text.data());
        if (decodes_to(field.name, model_key)) {
            if (body.model.found) return Fault::client(FaultKind::duplicate_model);
            // Without a value there is no equals sign to write it behind.
            if (!field.has_value) {
                return Fault::client(FaultKind::bad_request, "The model's field has no value.");
            }
            body.model = {true, value, value + field.value.size()};
        } else if (decodes_to(field.name, "stream")) {
            body.stream = {true, value, value + field.value.size()};
        }
        if (hides(field.whole, model_key)) {
            return Fault::client(FaultKind::bad_request,
                                 "A semicolon of the form hides the model's field.");
        }
    }
    return body;
}

}  // namespace rotary::llm
