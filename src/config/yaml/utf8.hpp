#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rotary::config {

struct BadText {
    int line = 0;
    int column = 0;  // in bytes
    std::string message;
};

// The first byte that can't stand in a configuration file: a NUL, or one that is not UTF-8
// (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
std::optional<BadText> find_bad_text(std::string_view text);

}  // namespace rotary::config
