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

const Node kNothing;

}  // namespace

Fields::Fields(FileReading& reading, const Node& map, std::string path)
    : reading_(reading), map_(map), path_(std::move(path)) {}

Fields::Fields(FileReading& reading, Shape& shape, std::string path)
    : reading_(reading),
      map_(kNothing),
      path_(std::move(path)),
      shape_(&shape.as(Shape::Kind::object)) {
    ++shape_->visits;
}

// Of a recording: which way is taken at a place in this pass. Places go their ways by themselves,
// so that in some pass each way of one meets each way of another.
std::size_t Fields::way(std::string_view key) const {
    std::size_t mixed = 1469598103934665603U + reading_.pass;  // FNV-1a's
    for (const char c : path_of(key)) {
        mixed = (mixed ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return (mixed ^ mixed >> 32) * (reading_.pass + 1) >> 7;
}

Shape& Fields::record(std::string_view key, bool required, Shape::Kind kind) {
    Shape& shape = shape_->field(key);
    shape.times_required += required ? 1 : 0;
    return shape.as(kind);
}

bool Fields::has(std::string_view key) const {
    if (shape_ != nullptr) {
        return way(key) % 2 == 1;
    }
    const Node* node = map_.find(key);
    return node != nullptr && node->kind != Node::Kind::null;
}

bool Fields::is_map(std::string_view key) const {
    if (shape_ != nullptr) {
        return way(key) % 2 == 1;
    }
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
    if (!reading_.is_local) return node.text;
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
    if (shape_ != nullptr) {
        record(key, rule.required, Shape::Kind::text).text = rule;
        return false;
    }
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
    if (shape_ != nullptr) {
        record(key, false, Shape::Kind::flag);
        return false;
    }
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
    if (shape_ != nullptr) {
        record(key, false, Shape::Kind::duration).duration = rule;
        return false;
    }
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
    if (shape_ != nullptr) {
        record(key, rule.required, Shape::Kind::number).number = rule;
        return std::nullopt;
    }
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
    if (shape_ != nullptr) {
        record(key, required, Shape::Kind::choice).add_choices(names);
        return way(key) % names.size();
    }
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

bool Fields::path(std::string_view key, std::string& out, const TextRule& rule) {
    const bool is_there = text(key, out, rule);
    if (is_there && !out.empty()) {
        out = resolve_path(reading_.folder, out);
    }
    return is_there;
}

bool Fields::object(std::string_view key, const Visit& visit, bool required) {
    if (shape_ != nullptr) {
        Fields fields(reading_, record(key, required, Shape::Kind::object), path_of(key));
        visit(fields);
        return true;
    }
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
    if (shape_ != nullptr) {
        shape_->field(key).note = consequence;
        return;
    }
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
    if (shape_ != nullptr) {
        shape_->field(key).note = row.consequence;
        return;
    }
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
    if (shape_ != nullptr) {
        for (const char* key : keys) {
            shape_->field(key);
        }
        return;
    }
    known_.insert(known_.end(), keys.begin(), keys.end());
}

void Fields::ignore(const char* key) {
    tolerate({key});
    if (shape_ != nullptr) {
        shape_->field(key).is_loose = true;
    }
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
