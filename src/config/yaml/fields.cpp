#include "config/yaml/fields.hpp"

#include <algorithm>

#include <rotary/config/yaml/suggest.hpp>
#include "config/kinds/unserved.hpp"
#include "config/yaml/expand.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

const char* name_of(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::scalar:
            return "plain text";
        case Node::Kind::list:
            return "a list";
        case Node::Kind::map:
            return "a mapping";
        case Node::Kind::broken:
            return "an alias";
    }
    return "";
}

std::string indexed(const std::string& path, std::size_t index) {
    return path + '[' + std::to_string(index) + ']';
}

}  // namespace

Fields::Fields(FileReading& reading, const Node& map, std::string path)
    : reading_(reading), map_(map), path_(std::move(path)) {}

bool Fields::has(std::string_view key) const {
    const Node* node = map_.find(key);
    return node != nullptr && node->kind != Node::Kind::null;
}

bool Fields::is_map(std::string_view key) const {
    const Node* node = map_.find(key);
    return node != nullptr && node->kind == Node::Kind::map;
}

std::string Fields::path_of(std::string_view key) const {
    if (path_.empty() || key.empty()) {
        return path_ + std::string(key);
    }
    return path_ + '.' + std::string(key);
}

Mark Fields::mark() const { return {reading_.file, map_.line, map_.column, path_}; }

Mark Fields::mark_of(std::string_view key) const {
    const Node* node = map_.find(key);
    const Node& place = node == nullptr ? map_ : *node;
    return {reading_.file, place.line, place.column, path_of(key)};
}

void Fields::error(std::string_view key, std::string message) {
    reading_.findings.push_back(error_at(mark_of(key), std::move(message)));
}

void Fields::warning(std::string_view key, std::string message) {
    reading_.findings.push_back(warning_at(mark_of(key), std::move(message)));
}

void Fields::expected(const char* what, const Node& node, const Mark& mark) {
    if (node.kind != Node::Kind::broken) {
        reading_.findings.push_back(
            error_at(mark, std::string("expected ") + what + ", found " + name_of(node.kind)));
    }
}

const Node* Fields::find(std::string_view key, bool required) {
    known_.emplace_back(key);
    if (has(key)) {
        return map_.find(key);
    }
    if (required) {
        error(key, "is required");
    }
    return nullptr;
}

std::optional<std::string> Fields::scalar(const Node& node, const Mark& mark) {
    if (node.kind != Node::Kind::scalar) {
        expected("plain text", node, mark);
        return std::nullopt;
    }
    Expansion expansion = expand(node.text, reading_.environment);
    if (!expansion.error.empty()) {
        reading_.findings.push_back(error_at(mark, expansion.error));
        return std::nullopt;
    }
    return std::move(expansion.text);
}

std::optional<std::string> Fields::scalar(std::string_view key, bool required) {
    const Node* node = find(key, required);
    return node == nullptr ? std::nullopt : scalar(*node, mark_of(key));
}

std::string Fields::shown_at(std::string_view key, const std::string& text) const {
    // What came from the environment may be a secret in the wrong place: show how it was written.
    const Node* node = map_.find(key);
    return shown(node != nullptr ? node->text : text);
}

bool Fields::fits(const std::string& text, const Mark& mark, const TextRule& rule) {
    const auto refuse = [&](std::string message) {
        reading_.findings.push_back(error_at(mark, std::move(message)));
        return false;
    };
    if (text.empty() && rule.min > 0) {
        return refuse("must not be empty");
    }
    if (text.size() < rule.min) {
        return refuse("must be at least " + std::to_string(rule.min) + " characters long");
    }
    if (text.size() > rule.max) {
        return refuse("must be at most " + std::to_string(rule.max) + " characters long");
    }
    if (rule.fits != nullptr && !rule.fits(text)) {
        return refuse(std::string("must ") + rule.shape);
    }
    return true;
}

bool Fields::text(std::string_view key, std::string& out, const TextRule& rule) {
    std::optional<std::string> value = scalar(key, rule.required);
    if (!value || !fits(*value, mark_of(key), rule)) {
        return false;
    }
    out = std::move(*value);
    return true;
}

bool Fields::flag(std::string_view key, bool& out) {
    std::optional<bool> value;
    if (!flag(key, value)) {
        return false;
    }
    out = *value;
    return true;
}

bool Fields::flag(std::string_view key, std::optional<bool>& out) {
    const std::optional<std::string> value = scalar(key, false);
    if (!value) {
        return false;
    }
    if (*value != "true" && *value != "false") {
        error(key, "must be true or false, found " + shown_at(key, *value));
        return false;
    }
    out = *value == "true";
    return true;
}

bool Fields::duration(std::string_view key, Duration& out, const DurationRule& rule) {
    const std::optional<std::string> value = scalar(key, false);
    if (!value) {
        return false;
    }
    const std::optional<Duration> parsed = parse_duration(*value);
    if (!parsed) {
        error(key,
              "must be a number of seconds, or a number with its unit (500ms, 30s, 5m, 1h), "
              "found " +
                  shown_at(key, *value));
        return false;
    }
    if (*parsed < rule.min || *parsed > rule.max) {
        error(key, "must be between " + shown_duration(rule.min) + " and " +
                       shown_duration(rule.max) + ", found " + shown_at(key, *value));
        return false;
    }
    out = *parsed;
    return true;
}

std::optional<long long> Fields::integer(std::string_view key, const NumberRule& rule) {
    const std::optional<std::string> value = scalar(key, rule.required);
    if (!value) {
        return std::nullopt;
    }
    const std::optional<long long> parsed = parse_integer(*value);
    if (!parsed) {
        error(key,
              "must be a whole number in plain decimal digits, found " + shown_at(key, *value));
        return std::nullopt;
    }
    if (*parsed < rule.min || *parsed > rule.max) {
        error(key, "must be between " + std::to_string(rule.min) + " and " +
                       std::to_string(rule.max) + ", found " + shown_at(key, *value));
        return std::nullopt;
    }
    return parsed;
}

std::optional<std::size_t> Fields::pick(std::string_view key, const std::vector<std::string>& names,
                                        bool required) {
    const std::optional<std::string> value = scalar(key, required);
    if (!value) {
        return std::nullopt;
    }
    const auto found = std::find(names.begin(), names.end(), *value);
    if (found != names.end()) {
        return static_cast<std::size_t>(found - names.begin());
    }
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ", ") + name;
    }
    error(key, "must be one of " + list + ", found " + shown_at(key, *value) +
                   did_you_mean(*value, names));
    return std::nullopt;
}

const Node* Fields::list(std::string_view key, const ListRule& rule) {
    const Node* node = find(key, rule.required);
    if (node == nullptr) {
        return nullptr;
    }
    if (node->kind != Node::Kind::list) {
        expected("a list", *node, mark_of(key));
        return nullptr;
    }
    if (node->items.size() < rule.min) {
        error(key, rule.min == 1 ? "must not be empty"
                                 : "must have at least " + std::to_string(rule.min) + " items");
    } else if (node->items.size() > rule.max) {
        error(key, "must have at most " + std::to_string(rule.max) +
                       (rule.max == 1 ? " item" : " items") + ", found " +
                       std::to_string(node->items.size()));
    }
    return node;
}

void Fields::each(std::string_view key, const Visit& visit, const ListRule& rule) {
    const Node* node = list(key, rule);
    if (node == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const Node& item = node->items[i];
        Fields fields(reading_, item, indexed(path_of(key), i));
        if (item.kind != Node::Kind::map) {
            expected("a mapping", item, fields.mark());
            continue;
        }
        visit(fields);
        fields.finish();
    }
}

void Fields::each_text(std::string_view key, const VisitText& visit, const ListRule& rule,
                       const TextRule& item_rule) {
    const Node* node = list(key, rule);
    if (node == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const Node& item = node->items[i];
        const Mark mark{reading_.file, item.line, item.column, indexed(path_of(key), i)};
        const std::optional<std::string> value = scalar(item, mark);
        if (value && fits(*value, mark, item_rule)) {
            visit(*value, mark);
        }
    }
}

bool Fields::texts(std::string_view key, std::vector<std::string>& out, const ListRule& rule,
                   const TextRule& item) {
    each_text(
        key, [&](const std::string& text, const Mark&) { out.push_back(text); }, rule, item);
    return !out.empty();
}

void Fields::each_pair(std::string_view key, const VisitPair& visit) {
    const Node* node = find(key, false);
    if (node == nullptr) {
        return;
    }
    if (node->kind != Node::Kind::map) {
        expected("a mapping", *node, mark_of(key));
        return;
    }
    for (const Member& member : node->members) {
        const Mark mark{reading_.file, member.value.line, member.value.column,
                        path_of(key) + '.' + member.key};
        const std::optional<std::string> value = scalar(member.value, mark);
        visit(member.key, value ? &*value : nullptr, mark);
    }
}

bool Fields::object(std::string_view key, const Visit& visit, bool required) {
    const Node* node = find(key, required);
    if (node == nullptr) {
        return false;
    }
    if (node->kind != Node::Kind::map) {
        expected("a mapping", *node, mark_of(key));
        return false;
    }
    Fields fields(reading_, *node, path_of(key));
    visit(fields);
    fields.finish();
    return true;
}

bool Fields::asks_something(std::string_view key) {
    const Node* node = find(key, false);
    return node != nullptr && !(node->kind == Node::Kind::list && node->items.empty()) &&
           !(node->kind == Node::Kind::map && node->members.empty()) &&
           !(node->kind == Node::Kind::scalar && node->text == "false");
}

void Fields::not_served(std::string_view key, const char* consequence) {
    if (!asks_something(key)) {
        return;
    }
    if (reading_.unserved != nullptr) {
        reading_.unserved->push_back({std::string(key), mark_of(key), consequence, true});
    } else {
        warning(key, std::string("is not served: ") + consequence);
    }
}

void Fields::unserved(std::string_view key) {
    const UnservedRow& row = unserved_field(key);
    if (asks_something(key)) {
        reading_.unserved->push_back({row.name, mark_of(key), row.consequence});
    }
}

void Fields::empty_is(std::string_view key, const char* instead) {
    if (map_.find(key) != nullptr && !has(key)) {
        warning(key, std::string("has no value: ") + instead);
    }
}

void Fields::tolerate(std::initializer_list<const char*> keys) {
    known_.insert(known_.end(), keys.begin(), keys.end());
}

void Fields::finish() {
    for (const Member& member : map_.members) {
        if (std::find(known_.begin(), known_.end(), member.key) == known_.end()) {
            const Mark mark{reading_.file, member.line, member.column, path_of(member.key)};
            reading_.findings.push_back(error_at(
                mark, "unknown field " + shown(member.key) + did_you_mean(member.key, known_)));
        }
    }
}

}  // namespace rotary::config
