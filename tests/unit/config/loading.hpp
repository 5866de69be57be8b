#pragma once

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <rotary/config/load.hpp>

#include "unit/config/noted_loads.hpp"

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

// load_text, which the tests of editors hear of.
inline Loaded load_texts(const SourceText& process, const std::vector<SourceText>& resources,
                         const Environment& environment = variables()) {
    Loaded loaded = load_text(process, resources, environment);
    note_load(process, resources, loaded);
    return loaded;
}

inline Loaded load_resources(const std::string& text,
                             const Environment& environment = variables()) {
    return load_texts({"rotary.yaml", ""}, {{"r.yaml", text}}, environment);
}

inline Loaded load_process(const std::string& text, const Environment& environment = variables()) {
    return load_texts({"rotary.yaml", text}, {}, environment);
}

}  // namespace rotary::config
