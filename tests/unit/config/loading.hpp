#pragma once

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <rotary/config/load.hpp>

namespace rotary::config {

// An environment of these variables alone.
inline Environment variables(std::map<std::string, std::string, std::less<>> values = {}) {
    return [values](std::string_view name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

// A file of tests/data/config.
inline std::string data_file(const std::string& name) {
    return std::string(ROTARY_SOURCE_DIR) + "/tests/data/config/" + name;
}

inline std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline Loaded load_resources(const std::string& text,
                             const Environment& environment = variables()) {
    return load_text({"rotary.yaml", ""}, {{"r.yaml", text}}, environment);
}

inline Loaded load_process(const std::string& text, const Environment& environment = variables()) {
    return load_text({"rotary.yaml", text}, {}, environment);
}

}  // namespace rotary::config
