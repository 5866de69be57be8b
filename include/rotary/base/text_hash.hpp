#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace rotary {

// For unordered maps whose keys are strings and are looked up by views, without a copy.
struct TextHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

}  // namespace rotary
