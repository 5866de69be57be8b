#pragma once

#include <string>
#include <string_view>

#include <rotary/config/load.hpp>

namespace rotary::config {

struct Expansion {
    std::string text;
    std::string error;     // empty: fine
    bool changed = false;  // the text may hold a secret from the environment: don't show it
};

// Replaces ${VAR}, ${VAR:-default} (when unset or empty), ${VAR:?message} (an error when unset or
// empty) and $$ (one dollar sign). Any other dollar sign stands for itself, so that regular
// expressions and JSON paths need no care. What is put in is not looked at again.
Expansion expand(std::string_view raw, const Environment& environment);

}  // namespace rotary::config
