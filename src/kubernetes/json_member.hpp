#pragma once

#include <rotary/wire/json_document.hpp>

#include <optional>
#include <string_view>

namespace rotary::kubernetes {

// Of a value that may not be there.
inline std::optional<wire::JsonValue> member(const std::optional<wire::JsonValue>& of,
                                             std::string_view key) {
    return of ? of->find(key) : std::nullopt;
}

// A member's text; what is given instead where there is none.
inline std::string_view text_of(const std::optional<wire::JsonValue>& of, std::string_view key,
                                std::string_view otherwise = {}) {
    const std::optional<wire::JsonValue> found = member(of, key);
    return found ? found->string().value_or(otherwise) : otherwise;
}

}  // namespace rotary::kubernetes
