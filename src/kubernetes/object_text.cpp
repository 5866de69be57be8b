#include "kubernetes/object_text.hpp"

#include <rotary/base/json_text.hpp>

#include <utility>

namespace rotary::kubernetes {

namespace {

using wire::JsonKind;
using wire::JsonValue;

constexpr std::string_view kOwnAnnotations = "rotary/";

// A JSON value copied as text. What it may nest was bounded when it was parsed.
void copy(std::string& out, const JsonValue& value);

class MemberList {
public:
    explicit MemberList(std::string& out) : out_(out) { out_ += '{'; }
    void name(std::string_view key) {
        if (!is_first_) out_ += ',';
        is_first_ = false;
        text::append_json_string(out_, key);
        out_ += ':';
    }
    void text_member(std::string_view key, std::string_view value) {
        name(key);
        text::append_json_string(out_, value);
    }
    void end() { out_ += '}'; }

private:
    std::string& out_;
    bool is_first_ = true;
};

void copy_members(std::string& out, const JsonValue& object, std::string_view prefix) {
    MemberList list(out);
    for (const JsonValue member : object.members()) {
        if (!member.key().starts_with(prefix)) continue;
        list.name(member.key());
        copy(out, member);
    }
    list.end();
}

void copy(std::string& out, const JsonValue& value) {
    switch (value.kind()) {
        case JsonKind::null:
            out += "null";
            return;
        case JsonKind::boolean:
            out += *value.boolean() ? "true" : "false";
            return;
        case JsonKind::number:
            out += value.number_text();
            return;
        case JsonKind::string:
            text::append_json_string(out, *value.string());
            return;
        case JsonKind::object:
            copy_members(out, value, "");
            return;
        case JsonKind::array:
            break;
    }
    out += '[';
    bool is_first = true;
    for (const JsonValue element : value.elements()) {
        if (!is_first) out += ',';
        is_first = false;
        copy(out, element);
    }
    out += ']';
}

bool has_own(const JsonValue& annotations) {
    for (const JsonValue member : annotations.members()) {
        if (member.key().starts_with(kOwnAnnotations)) return true;
    }
    return false;
}

std::string text_of(const JsonValue& object, std::string_view key) {
    const auto member = object.find(key);
    return std::string(member ? member->string().value_or("") : "");
}

config::Node node_of(const JsonValue& value) {
    config::Node node;
    node.kind = config::Node::Kind::scalar;
    switch (value.kind()) {
        case JsonKind::null:
            node.kind = config::Node::Kind::null;
            break;
        case JsonKind::boolean:
            node.text = *value.boolean() ? "true" : "false";
            break;
        case JsonKind::number:
            node.text = value.number_text();
            break;
        case JsonKind::string:
            node.text = *value.string();
            break;
        case JsonKind::array:
            node.kind = config::Node::Kind::list;
            for (const JsonValue element : value.elements()) node.items.push_back(node_of(element));
            break;
        case JsonKind::object:
            node.kind = config::Node::Kind::map;
            for (const JsonValue member : value.members()) {
                node.members.push_back({std::string(member.key()), 0, 0, node_of(member)});
            }
            break;
    }
    return node;
}

}  // namespace

std::optional<ObjectText> object_text(JsonValue object, std::string_view api_version,
                                      std::string_view kind) {
    const auto metadata = object.find("metadata");
    if (!metadata) return std::nullopt;
    ObjectText made{text_of(*metadata, "namespace"), text_of(*metadata, "name"),
                    text_of(*metadata, "uid"), text_of(*metadata, "resourceVersion"), ""};
    if (made.name.empty()) return std::nullopt;
    MemberList whole(made.text);
    whole.text_member("apiVersion", api_version);
    whole.text_member("kind", kind);
    whole.name("metadata");
    MemberList inner(made.text);
    inner.text_member("name", made.name);
    if (!made.name_space.empty()) inner.text_member("namespace", made.name_space);
    const auto annotations = metadata->find("annotations");
    if (annotations && has_own(*annotations)) {
        inner.name("annotations");
        copy_members(made.text, *annotations, kOwnAnnotations);
    }
    inner.end();
    for (const JsonValue member : object.members()) {
        const std::string_view key = member.key();
        if (key == "apiVersion" || key == "kind" || key == "metadata" || key == "status") continue;
        whole.name(key);
        copy(made.text, member);
    }
    whole.end();
    return made;
}

config::Node node_of(std::string_view json) {
    const auto document = wire::JsonDocument::parse(json, {kObjectDepth, json.size()});
    if (!document) return {config::Node::Kind::map, 0, 0, {}, {}, {}};
    return node_of(document->root());
}

}  // namespace rotary::kubernetes
