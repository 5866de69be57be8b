#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

namespace rotary::wire {

// One of the pairs that ampersands part, encoded as it came.
struct Parameter {
    std::string_view name;
    std::string_view value;  // empty for a bare name
    bool has_value = false;  // an equals sign stands there
    std::string_view whole;  // both
};

// Takes the first pair off a query or a form that is not empty; it may be empty itself.
inline Parameter take_parameter(std::string_view& query) noexcept {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view whole = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = whole.find('=');
    if (equals == whole.npos) return {whole, whole.substr(whole.size()), false, whole};
    return {whole.substr(0, equals), whole.substr(equals + 1), true, whole};
}

// The first one of that name, compared as it came; nothing when there is none.
inline std::optional<Parameter> find_parameter(std::string_view query,
                                               std::string_view name) noexcept {
    while (!query.empty()) {
        const Parameter parameter = take_parameter(query);
        if (parameter.name == name) return parameter;
    }
    return std::nullopt;
}

}  // namespace rotary::wire
