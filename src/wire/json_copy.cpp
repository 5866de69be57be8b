#include <rotary/wire/json_copy.hpp>

#include <rotary/base/json_text.hpp>

namespace rotary::wire {
namespace {

void append_members(std::string& out, JsonValue object) {
    out += '{';
    bool is_first = true;
    for (const JsonValue member : object.members()) {
        if (!is_first) {
            out += ',';
        }
        is_first = false;
        text::append_json_string(out, member.key());
        out += ':';
        append_json(out, member);
    }
    out += '}';
}

void append_elements(std::string& out, JsonValue array) {
    out += '[';
    bool is_first = true;
    for (const JsonValue element : array.elements()) {
        if (!is_first) {
            out += ',';
        }
        is_first = false;
        append_json(out, element);
    }
    out += ']';
}

}  // namespace

void append_json(std::string& out, JsonValue value) {
    switch (value.kind()) {
        case JsonKind::null:
            out += "null";
            break;
        case JsonKind::boolean:
            out += *value.boolean() ? "true" : "false";
            break;
        case JsonKind::number:
            out += value.number_text();
            break;
        case JsonKind::string:
            text::append_json_string(out, *value.string());
            break;
        case JsonKind::array:
            append_elements(out, value);
            break;
        case JsonKind::object:
            append_members(out, value);
            break;
    }
}

}  // namespace rotary::wire
