#include "config/schema/crd_fields.hpp"

namespace rotary::config {
namespace {

using Kind = Shape::Kind;

struct Place {
    const std::string& kind;
    std::string path;
};

void fill(JsonValue& value, const Shape& shape, const Place& place);

void add_type(JsonValue& value, const char* type) { value.add("type", JsonValue::string(type)); }

void add_number(JsonValue& value, const char* name, long long number) {
    value.add(name, JsonValue::raw(std::to_string(number)));
}

void add_bounds(JsonValue& value, const NumberRule& rule) {
    value.add("format", JsonValue::string("int64"));
    if (rule.min != NumberRule{}.min) {
        add_number(value, "minimum", rule.min);
    }
    if (rule.max != NumberRule{}.max) {
        add_number(value, "maximum", rule.max);
    }
}

// The API server counts characters where the reader counts bytes: it refuses no more.
void add_text_rule(JsonValue& value, const TextRule& rule) {
    if (rule.min > 0) {
        value.add("minLength", JsonValue::raw("1"));
    }
    if (rule.max != TextRule{}.max) {
        value.add("maxLength", JsonValue::raw(std::to_string(rule.max)));
    }
    if (const std::string_view pattern = letters_pattern(rule); !pattern.empty()) {
        value.add("pattern", JsonValue::string(pattern));
    }
}

void add_names(JsonValue& value, const Shape& shape) {
    JsonValue names = JsonValue::list();
    for (const std::string& name : shape.choices) {
        names.push(JsonValue::string(name));
    }
    value.add("enum", std::move(names));
}

std::string description_of(const Shape& shape, const Place& place) {
    std::string said(field_words(place.kind, place.path));
    if (!shape.note.empty()) {
        said += (said.empty() ? "" : " ") + ("Not served: " + shape.note) + ".";
    }
    return said;
}

void add_fields(JsonValue& value, const Shape& shape, const Place& place) {
    JsonValue properties;
    JsonValue required = JsonValue::list();
    for (const auto& [name, field] : shape.fields) {
        const Place there{place.kind, joined_path(place.path, name)};
        JsonValue property;
        if (const std::string said = description_of(field, there); !said.empty()) {
            property.add("description", JsonValue::string(said));
        }
        fill(property, field, there);
        properties.add(name, std::move(property));
        if (field.is_required(shape)) {
            required.push(JsonValue::string(name));
        }
    }
    if (!required.items.empty()) {
        value.add("required", std::move(required));
    }
    if (!properties.members.empty()) {
        value.add("properties", std::move(properties));
    }
}

void add_items(JsonValue& value, const Shape& shape, const Place& place) {
    if (shape.list.min > 0) {
        add_number(value, "minItems", static_cast<long long>(shape.list.min));
    }
    if (shape.list.max != ListRule{}.max) {
        add_number(value, "maxItems", static_cast<long long>(shape.list.max));
    }
    JsonValue item;
    fill(item, shape.item.front(), place);
    value.add("items", std::move(item));
}

void add_rules(JsonValue& value, const Shape& shape, const Place& place) {
    switch (shape.kind) {
        case Kind::text:
            add_type(value, "string");
            add_text_rule(value, shape.text);
            break;
        case Kind::number:
            add_type(value, "integer");
            add_bounds(value, shape.number);
            break;
        case Kind::flag:
            add_type(value, "boolean");
            break;
        case Kind::choice:
            add_type(value, "string");
            add_names(value, shape);
            break;
        case Kind::duration:  // 30 or "30s"
            value.add("x-kubernetes-int-or-string", JsonValue::raw("true"));
            break;
        case Kind::list:
            add_type(value, "array");
            add_items(value, shape, place);
            break;
        case Kind::object:
            add_type(value, "object");
            add_fields(value, shape, place);
            break;
        case Kind::any:
        case Kind::pairs:
            break;
    }
}

// Written in ways that no single type has, or not looked into.
bool is_kept_whole(const Shape& shape) {
    return shape.kind == Kind::any || shape.is_loose || !shape.others.empty() ||
           !shape.named.empty() || shape.kind == Kind::pairs ||
           (shape.kind == Kind::list && shape.item.empty());
}

void fill(JsonValue& value, const Shape& shape, const Place& place) {
    if (is_kept_whole(shape)) {
        value.add("x-kubernetes-preserve-unknown-fields", JsonValue::raw("true"));
    } else {
        add_rules(value, shape, place);
    }
}

}  // namespace

JsonValue structural_schema(const Shape& shape, const std::string& kind, const std::string& path) {
    JsonValue value;
    fill(value, shape, {kind, path});
    return value;
}

}  // namespace rotary::config
