#include <rotary/config/schema/schema.hpp>

#include "config/schema/json_value.hpp"
#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

#include <initializer_list>
#include <set>

namespace rotary::config {
namespace {

// Any scalar may hold a variable, whose value no schema knows.
constexpr const char* kVariable = "\\$\\{";

std::string or_variable(const std::string& pattern) { return pattern + "|" + kVariable; }

// Empty: any text. Of two rules the one about its letters; a text with a variable in it may be
// longer than what it stands for, so its length is a pattern too.
std::string pattern_of(const TextRule& rule) {
    if (const std::string_view letters = letters_pattern(rule); !letters.empty()) {
        return std::string(letters);
    }
    if (rule.max == TextRule{}.max) {
        return "";
    }
    return "^[\\s\\S]{0," + std::to_string(rule.max) + "}$";
}

JsonValue types(std::initializer_list<const char*> names, bool may_be_null) {
    JsonValue list = JsonValue::list();
    for (const char* name : names) {
        list.push(JsonValue::string(name));
    }
    if (may_be_null) {
        list.push(JsonValue::string("null"));
    }
    JsonValue value;
    if (list.items.size() == 1) {
        value.add("type", std::move(list.items.front()));
    } else {
        value.add("type", std::move(list));
    }
    return value;
}

// A scalar is read as it is written: a text that reads so is as good, and a variable.
JsonValue number_of(const NumberRule& rule, bool may_be_null) {
    JsonValue value = types({"integer", "string"}, may_be_null);
    if (rule.min != NumberRule{}.min) {
        value.add("minimum", JsonValue::raw(std::to_string(rule.min)));
    }
    if (rule.max != NumberRule{}.max) {
        value.add("maximum", JsonValue::raw(std::to_string(rule.max)));
    }
    value.add("pattern", JsonValue::string(or_variable("^(0|-?[1-9][0-9]*)$")));
    return value;
}

JsonValue seconds(Duration duration) {
    std::string text = std::to_string(duration.count() / 1000);
    if (const auto rest = duration.count() % 1000; rest != 0) {
        const std::string digits = std::to_string(1000 + rest);
        text += '.';
        text.append(digits, 1);
    }
    return JsonValue::raw(text);
}

JsonValue duration_of(const DurationRule& rule, bool may_be_null) {
    JsonValue value = types({"number", "string"}, may_be_null);
    value.add("minimum", seconds(rule.min));
    if (rule.max != DurationRule{}.max) {
        value.add("maximum", seconds(rule.max));
    }
    value.add("pattern", JsonValue::string(or_variable("^[0-9]+(\\.[0-9]+)?(ms|s|m|h)?$")));
    return value;
}

JsonValue flag_of(bool may_be_null) {
    JsonValue value = types({"boolean", "string"}, may_be_null);
    value.add("pattern", JsonValue::string(or_variable("^(true|false)$")));
    return value;
}

JsonValue text_of(const TextRule& rule, bool may_be_null) {
    JsonValue value = types({"string", "number", "boolean"}, may_be_null);
    if (rule.min > 0) {
        value.add("minLength", JsonValue::raw(std::to_string(rule.min)));
    }
    if (const std::string pattern = pattern_of(rule); !pattern.empty()) {
        value.add("pattern", JsonValue::string(or_variable(pattern)));
    }
    return value;
}

JsonValue names_of(const Shape& shape) {
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

// What is said of a shape of a kind, or of the settings when that is empty.
struct Place {
    std::string kind;
    std::string path;

    Place below(const std::string& name) const { return {kind, joined_path(path, name)}; }
    std::string usual() const {  // empty: there is none
        return kind.empty() && !path.starts_with("listeners") ? setting_words(path).usual : "";
    }
    std::string description(const Shape& shape) const;
};

void add_sentence(std::string& text, const std::string& sentence) {
    text.append(text.empty() ? "" : "\n\n").append(sentence);
}

// Words, then bounds with their unit, then the default: what an editor shows of a key.
std::string Place::description(const Shape& shape) const {
    using Kind = Shape::Kind;
    std::string said =
        kind.empty() ? setting_words(path).description : std::string(field_words(kind, path));
    if (shape.kind == Kind::number || shape.kind == Kind::duration) {
        const std::string unit = unit_of(path);
        add_sentence(said, "Value: " + value_words(shape) + (unit.empty() ? "" : " " + unit) + ".");
    }
    if (const std::string value = usual(); !value.empty() && shape.kind != Kind::object) {
        add_sentence(said, "Default: " + value + ".");
    }
    if (!shape.note.empty()) {
        add_sentence(said, "Not served: " + shape.note + ".");
    }
    return said;
}

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
    if (shape.list.min > 0) {
        value.add("minProperties", JsonValue::raw(std::to_string(shape.list.min)));
    }
    if (const std::string pattern = pattern_of(shape.text); !pattern.empty()) {
        JsonValue names;
        names.add("pattern", JsonValue::string(pattern));
        value.add("propertyNames", std::move(names));
    }
    value.add("additionalProperties",
              shape.named.empty() ? JsonValue::raw("false")
                                  : schema_of(shape.named.front(), place.below("NAME"), false));
}

JsonValue container_of(const Shape& shape, const Place& place, bool may_be_null) {
    JsonValue value = types({shape.kind == Shape::Kind::list ? "array" : "object"}, may_be_null);
    if (shape.kind == Shape::Kind::object) {
        add_object(shape, place, value);
    } else if (shape.kind == Shape::Kind::pairs) {
        value.add("additionalProperties", text_of({}, false));
    } else {
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

// The ways in which a value may be written, most often one: editors tell more of one than of many.
void add_ways(const Shape& shape, const Place& place, bool may_be_null, JsonValue& ways) {
    switch (shape.kind) {
        case Shape::Kind::any:
            break;
        case Shape::Kind::text:
            ways.push(text_of(shape.text, may_be_null));
            break;
        case Shape::Kind::number:
            ways.push(number_of(shape.number, may_be_null));
            break;
        case Shape::Kind::flag:
            ways.push(flag_of(may_be_null));
            break;
        case Shape::Kind::duration:
            ways.push(duration_of(shape.duration, may_be_null));
            break;
        case Shape::Kind::choice: {
            JsonValue variable = types({"string"}, may_be_null);
            variable.add("pattern", JsonValue::string(kVariable));
            ways.push(names_of(shape)).push(std::move(variable));
            break;
        }
        case Shape::Kind::list:
        case Shape::Kind::object:
        case Shape::Kind::pairs:
            ways.push(container_of(shape, place, may_be_null));
            break;
    }
}

// Of a setting that has one.
void add_default(const Shape& shape, const Place& place, JsonValue& value) {
    using Kind = Shape::Kind;
    const std::string usual = place.usual();
    if (usual.empty()) {
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
    JsonValue ways = JsonValue::list();
    add_ways(shape, place, may_be_null, ways);
    for (const Shape& other : shape.others) {
        add_ways(other, place, false, ways);
    }
    if (shape.is_loose) {
        ways.push({});
    }
    if (ways.items.size() == 1) {
        for (auto& member : ways.items.front().members) {
            value.members.push_back(std::move(member));
        }
        return value;
    }
    value.add("anyOf", std::move(ways));
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
    JsonValue version = types({"string"}, false);
    version.add("pattern", JsonValue::string(pattern));
    properties.add("apiVersion", std::move(version));
    JsonValue required = JsonValue::list();
    required.push(JsonValue::string("kind")).push(JsonValue::string("apiVersion"));
    JsonValue condition;
    condition.add("properties", std::move(properties)).add("required", std::move(required));
    return condition;
}

// A text of which editors know some values.
JsonValue known_or_any(const char* description, const std::vector<std::string>& known) {
    JsonValue names = JsonValue::list();
    for (const std::string& name : known) {
        names.push(JsonValue::string(name));
    }
    JsonValue choice;
    choice.add("enum", std::move(names));
    JsonValue any_of = JsonValue::list();
    any_of.push(std::move(choice)).push(types({"string"}, false));
    JsonValue value;
    value.add("description", JsonValue::string(description));
    value.add("anyOf", std::move(any_of));
    return value;
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

// kubectl's, whose items are read like documents.
JsonValue list_rule() {
    JsonValue item;
    item.add("$ref", JsonValue::string("#"));
    JsonValue items = types({"array"}, true);
    items.add("items", std::move(item));
    JsonValue properties;
    properties.add("items", std::move(items));
    JsonValue then;
    then.add("properties", std::move(properties));
    JsonValue rule;
    rule.add("if", condition_of({"List", "", {}, {}})).add("then", std::move(then));
    return rule;
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
    std::vector<std::string> names;
    std::set<std::string> versions;
    JsonValue all = JsonValue::list();
    for (const KindShape& kind : kind_shapes()) {
        names.push_back(kind.name);
        versions.insert(kind.versions.begin(), kind.versions.end());
        JsonValue rule;
        rule.add("if", condition_of(kind)).add("then", schema_of_kind(kind));
        all.push(std::move(rule));
    }
    all.push(list_rule());
    names.emplace_back("List");
    JsonValue properties;
    properties.add("kind", known_or_any("What is described; other kinds are skipped.", names));
    properties.add("apiVersion",
                   known_or_any("GROUP/VERSION of the kind.", {versions.begin(), versions.end()}));
    root.add("properties", std::move(properties)).add("required", std::move(required));
    root.add("allOf", std::move(all));
    return printed(root);
}

}  // namespace rotary::config
