#pragma once

#include <rotary/base/json_text.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::config {

// A JSON value that is put together piece by piece and printed for people, two spaces a level.
struct JsonValue {
    enum class Kind { raw, list, object };

    Kind kind = Kind::object;
    std::string text{};  // of raw: a finished JSON text
    std::vector<JsonValue> items{};
    std::vector<std::pair<std::string, JsonValue>> members{};

    static JsonValue raw(std::string json) { return {Kind::raw, std::move(json), {}, {}}; }
    static JsonValue string(std::string_view value) {
        std::string json;
        text::append_json_string(json, value);
        return raw(std::move(json));
    }
    static JsonValue list() { return {Kind::list, {}, {}, {}}; }

    JsonValue& add(std::string_view name, JsonValue value);
    JsonValue& push(JsonValue value) {
        items.push_back(std::move(value));
        return *this;
    }
    void print(std::string& out, std::size_t depth = 0) const;
    // The same as YAML in block style, whose keys must need no quotes.
    void print_yaml(std::string& out, std::size_t depth = 0) const;
};

}  // namespace rotary::config
