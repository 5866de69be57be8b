#include "admin/json_as_yaml.hpp"

#include <rotary/base/json_text.hpp>
#include <rotary/wire/json_document.hpp>

namespace rotary::admin {

namespace {

void write_scalar(const wire::JsonValue& value, std::string& out) {
    if (const auto text = value.string()) {
        text::append_json_string(out, *text);  // a JSON string is one of YAML's
    } else if (const auto flag = value.boolean()) {
        out += *flag ? "true" : "false";
    } else if (value.is_number()) {
        out += value.number_text();
    } else {
        out += value.is_array() ? "[]" : value.is_object() ? "{}" : "null";
    }
}

// Depth is what our writers nest, a handful.
void write_value(const wire::JsonValue& value, std::size_t indent, std::string& out) {
    const auto write_below = [&](const wire::JsonValue& below, std::size_t by) {
        if ((below.is_object() || below.is_array()) && below.size() != 0) {
            out += '\n';
            write_value(below, by, out);
        } else {
            out += ' ';
            write_scalar(below, out);
            out += '\n';
        }
    };
    for (const wire::JsonValue member : value.members()) {
        out.append(indent, ' ').append(member.key()).append(":");
        write_below(member, indent + 2);
    }
    for (const wire::JsonValue element : value.elements()) {
        out.append(indent, ' ').append("-");
        write_below(element, indent + 2);
    }
}

}  // namespace

std::string json_as_yaml(std::string_view json) {
    std::string out;
    const auto document = wire::JsonDocument::parse(json);
    if (document) write_value(document->root(), 0, out);
    return out;
}

}  // namespace rotary::admin
