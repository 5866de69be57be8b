#include <support/json.hpp>

#include <rotary/base/text.hpp>
#include <rotary/wire/json_document.hpp>

namespace rotary::test {

namespace {

using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

std::optional<JsonDocument> parse(std::string_view text) {
    return JsonDocument::parse(text, {512, text.size()});
}

std::optional<JsonValue> walk(const JsonDocument& document, std::string_view path) {
    std::optional<JsonValue> value = document.root();
    while (value && !path.empty()) {
        const std::size_t dot = path.find('.');
        const std::string_view step = path.substr(0, dot);
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
        if (value->is_array()) {
            const auto index = text::parse_unsigned(step);
            value = index ? value->at(*index) : std::nullopt;
        } else {
            value = value->find(step);
        }
    }
    return value;
}

}  // namespace

std::string json_at(std::string_view text, std::string_view path) {
    const auto document = parse(text);
    if (!document) return "<not json>";
    const auto value = walk(*document, path);
    if (!value) return "<missing>";
    switch (value->kind()) {
        case JsonKind::null:
            return "null";
        case JsonKind::boolean:
            return *value->boolean() ? "true" : "false";
        case JsonKind::number:
            return std::string(value->number_text());
        case JsonKind::string:
            return std::string(*value->string());
        case JsonKind::array:
            return "[" + std::to_string(value->size()) + "]";
        case JsonKind::object:
            break;
    }
    return "{" + std::to_string(value->size()) + "}";
}

std::size_t json_size(std::string_view text, std::string_view path) {
    const auto document = parse(text);
    const auto value = document ? walk(*document, path) : std::nullopt;
    return value ? value->size() : 0;
}

bool is_json(std::string_view text) { return parse(text).has_value(); }

std::vector<std::string> json_keys(std::string_view text, std::string_view path) {
    std::vector<std::string> keys;
    const auto document = parse(text);
    const auto value = document ? walk(*document, path) : std::nullopt;
    if (!value) return keys;
    for (const JsonValue member : value->members()) keys.emplace_back(member.key());
    return keys;
}

}  // namespace rotary::test
