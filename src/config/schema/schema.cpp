#include <rotary/config/schema/schema.hpp>

#include "config/schema/json_value.hpp"
#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

// Any scalar may hold a variable, whose value no schema knows.
constexpr const char* kVariable = "\\$\\{";

// The rules of texts that an expression can say too.
struct KnownRule {
    bool (*fits)(std::string_view);
    const char* pattern;
};
constexpr KnownRule kKnownRules[] = {
    {is_token, "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$"},
    {is_object_name, "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"},
    {is_currency, "^([A-Z]{3})?$"},
};

JsonValue type(const char* name) {
    JsonValue value;
    value.add("type", JsonValue::string(name));
    return value;
}

JsonValue patterned(const std::string& pattern) {
    JsonValue value = type("string");
    value.add("pattern", JsonValue::string(pattern));
    return value;
}

std::string or_variable(const std::string& pattern) { return pattern + "|" + kVariable; }

JsonValue integer(const NumberRule& rule) {
    JsonValue value = type("integer");
    if (rule.min != NumberRule{}.min) {
        value.add("minimum", JsonValue::raw(std::to_string(rule.min)));
    }
    if (rule.max != NumberRule{}.max) {
        value.add("maximum", JsonValue::raw(std::to_string(rule.max)));
    }
    return value;
}

// A scalar is read as it is written: 1.0 is a text too.
JsonValue text_of(const TextRule& rule) {
    JsonValue value;
    JsonValue types = JsonValue::list();
    for (const char* name : {"string", "number", "boolean"}) {
        types.push(JsonValue::string(name));
    }
    value.add("type", std::move(types));
    if (rule.min > 0) {
        value.add("minLength", JsonValue::raw(std::to_string(rule.min)));
    }
    for (const KnownRule& known : kKnownRules) {
        if (rule.fits == known.fits) {
            value.add("pattern", JsonValue::string(or_variable(known.pattern)));
        }
    }
    return value;
}

JsonValue choice_of(const Shape& shape) {
    JsonValue names = JsonValue::list();
    for (const std::string& name : shape.choices) {
        names.push(JsonValue::string(name));
        if (parse_integer(name)) {
            names.push(JsonValue::raw(name));
        }
    }
    JsonValue value;
    value.add("enum", std::move(names));
    return value;
}

void add_alternatives(const Shape& shape, JsonValue& any_of) {
    const auto or_text = [&](JsonValue value, const std::string& pattern) {
        any_of.push(std::move(value));
        any_of.push(patterned(pattern.empty() ? kVariable : or_variable(pattern)));
    };
    switch (shape.kind) {
        case Shape::Kind::text:
            any_of.push(text_of(shape.text));
            break;
        case Shape::Kind::number:
            or_text(integer(shape.number), "^(0|-?[1-9][0-9]*)$");
            break;
        case Shape::Kind::flag:
            or_text(type("boolean"), "^(true|false)$");
            break;
        case Shape::Kind::duration: {
            JsonValue seconds = type("number");
            seconds.add("minimum", JsonValue::raw("0"));
            or_text(std::move(seconds), "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)?$");
            break;
        }
        case Shape::Kind::choice:
            or_text(choice_of(shape), "");
            break;
        default:
            break;
    }
}

std::string with_note(std::string text, const Shape& shape) {
    if (shape.note.empty()) {
        return text;
    }
    return text + (text.empty() ? "" : " ") + "Not served: " + shape.note + ".";
}

// What is said of a shape of a kind, or of the settings when that is empty.
struct Place {
    std::string kind;
    std::string path;

    Place below(const std::string& name) const { return {kind, joined_path(path, name)}; }
    std::string description(const Shape& shape) const {
        const std::string said =
            kind.empty() ? setting_words(path).description : std::string(field_words(kind, path));
        return with_note(said, shape);
    }
};

JsonValue schema_of(const Shape& shape, const Place& place, bool may_be_null);

void add_object(const Shape& shape, const Place& place, JsonValue& value) {
    JsonValue properties;
    JsonValue required = JsonValue::list();
    for (const auto& [name, field] : shape.fields) {
        const bool is_needed = field.is_required(shape);
        properties.add(name, schema_of(field, place.below(name), !is_needed));
        if (is_needed) {
            required.push(JsonValue::string(name));
        }
    }
    value.add("properties", std::move(properties));
    if (!required.items.empty()) {
        value.add("required", std::move(required));
    }
    value.add("additionalProperties", JsonValue::raw("false"));
}

JsonValue container_of(const Shape& shape, const Place& place) {
    JsonValue value = type(shape.kind == Shape::Kind::list ? "array" : "object");
    if (shape.kind == Shape::Kind::object) {
        add_object(shape, place, value);
    } else if (shape.kind == Shape::Kind::list) {
        if (!shape.item.empty()) {
            value.add("items", schema_of(shape.item.front(), place, false));
        }
        if (shape.list.min > 0) {
            value.add("minItems", JsonValue::raw(std::to_string(shape.list.min)));
        }
        if (shape.list.max != ListRule{}.max) {
            value.add("maxItems", JsonValue::raw(std::to_string(shape.list.max)));
        }
    }
    return value;
}

void add_shape(const Shape& shape, const Place& place, JsonValue& any_of) {
    const bool is_container = shape.kind == Shape::Kind::object ||
                              shape.kind == Shape::Kind::list || shape.kind == Shape::Kind::pairs;
    if (is_container) {
        any_of.push(container_of(shape, place));
    } else {
        add_alternatives(shape, any_of);
    }
}

// Of a setting that has one.
void add_default(const Shape& shape, const Place& place, JsonValue& value) {
    using Kind = Shape::Kind;
    const std::string usual = place.kind.empty() ? setting_words(place.path).usual : "";
    if (usual.empty() || place.path.starts_with("listeners")) {
        return;
    }
    if (shape.kind == Kind::number || shape.kind == Kind::flag) {
        value.add("default", JsonValue::raw(usual));
    } else if (shape.kind == Kind::choice || shape.kind == Kind::duration) {
        value.add("default", JsonValue::string(usual));
    }
}

// Null counts as absent.
JsonValue schema_of(const Shape& shape, const Place& place, bool may_be_null) {
    JsonValue value;
    if (const std::string said = place.description(shape); !said.empty()) {
        value.add("description", JsonValue::string(said));
    }
    if (shape.kind == Shape::Kind::any) {
        return value;
    }
    add_default(shape, place, value);
    JsonValue any_of = JsonValue::list();
    add_shape(shape, place, any_of);
    for (const Shape& other : shape.others) {
        add_shape(other, place, any_of);
    }
    if (may_be_null) {
        any_of.push(type("null"));
    }
    if (any_of.items.size() == 1) {
        for (auto& member : any_of.items.front().members) {
            value.members.push_back(std::move(member));
        }
        return value;
    }
    value.add("anyOf", std::move(any_of));
    return value;
}

JsonValue root_of(const char* title, const char* description) {
    JsonValue root;
    root.add("$schema", JsonValue::string("http://json-schema.org/draft-07/schema#"));
    root.add("title", JsonValue::string(title));
    root.add("description", JsonValue::string(description));
    return root;
}

std::string printed(const JsonValue& root) {
    std::string out;
    root.print(out);
    return out + "\n";
}

JsonValue constant(const std::string& text) {
    JsonValue value;
    value.add("const", JsonValue::string(text));
    return value;
}

// Which documents are of the kind: those of another group are not read.
JsonValue condition_of(const KindShape& kind) {
    const std::string group = kind.group.empty() ? "[^/]*$" : kind.group + "/";
    std::string pattern = "^";
    for (const char c : group) {
        pattern += c == '.' ? "\\." : std::string(1, c);
    }
    JsonValue properties;
    properties.add("kind", constant(kind.name));
    properties.add("apiVersion", patterned(pattern));
    JsonValue required = JsonValue::list();
    required.push(JsonValue::string("kind")).push(JsonValue::string("apiVersion"));
    JsonValue condition;
    condition.add("properties", std::move(properties)).add("required", std::move(required));
    return condition;
}

JsonValue schema_of_kind(const KindShape& kind) {
    JsonValue versions = JsonValue::list();
    for (const std::string& version : kind.versions) {
        versions.push(JsonValue::string(version));
    }
    JsonValue api_version;
    api_version.add("enum", std::move(versions));
    JsonValue value;
    add_object(kind.shape, {kind.name, ""}, value);
    value.members.front().second.add("apiVersion", std::move(api_version));
    value.members.front().second.add("kind", constant(kind.name));
    return value;
}

}  // namespace

std::string settings_schema() {
    JsonValue root = root_of("rotary.yaml", "The process configuration of Rotary.");
    root.add("type", JsonValue::string("object"));
    add_object(settings_shape(), {}, root);
    return printed(root);
}

std::string resources_schema() {
    JsonValue root = root_of("Rotary's resources", "One object of a file of resources.");
    root.add("type", JsonValue::string("object"));
    JsonValue required = JsonValue::list();
    required.push(JsonValue::string("apiVersion")).push(JsonValue::string("kind"));
    JsonValue names = JsonValue::list();
    JsonValue all = JsonValue::list();
    for (const KindShape& kind : kind_shapes()) {
        names.push(JsonValue::string(kind.name));
        JsonValue rule;
        rule.add("if", condition_of(kind)).add("then", schema_of_kind(kind));
        all.push(std::move(rule));
    }
    JsonValue known;
    known.add("enum", std::move(names));
    JsonValue any_of = JsonValue::list();
    any_of.push(std::move(known)).push(type("string"));
    JsonValue kind;
    kind.add("description", JsonValue::string("What is described; other kinds are skipped."));
    kind.add("anyOf", std::move(any_of));
    JsonValue api_version = type("string");
    api_version.add("description", JsonValue::string("GROUP/VERSION of the kind."));
    JsonValue properties;
    properties.add("kind", std::move(kind)).add("apiVersion", std::move(api_version));
    root.add("properties", std::move(properties)).add("required", std::move(required));
    root.add("allOf", std::move(all));
    return printed(root);
}

}  // namespace rotary::config
