#include "config/yaml/expand.hpp"

#include <cctype>
#include <cstdlib>

namespace rotary::config {
namespace {

bool is_name(std::string_view name) {
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
        return false;
    }
    for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') {
            return false;
        }
    }
    return true;
}

std::string quoted(std::string_view name) { return "${" + std::string(name) + "}"; }

// inside is what stands between the braces.
void expand_one(std::string_view inside, const Environment& environment, Expansion& out) {
    const std::size_t colon = inside.find(':');
    const std::string_view name = inside.substr(0, colon);
    if (!is_name(name)) {
        out.error = quoted(inside) + " does not name a variable; write $${ for a plain ${";
        return;
    }
    const std::optional<std::string> value = environment(name);
    if (colon == std::string_view::npos) {
        if (!value) {
            out.error = "the variable " + std::string(name) +
                        " is not set; set it, or give it a "
                        "default: ${" +
                        std::string(name) + ":-…}";
            return;
        }
        out.text += *value;
        return;
    }
    const char how = colon + 1 < inside.size() ? inside[colon + 1] : '\0';
    if (how != '-' && how != '?') {
        out.error = quoted(inside) + ": after the colon comes - and a default, or ? and a message";
        return;
    }
    const std::string_view rest = inside.substr(colon + 2);
    if (value && !value->empty()) {
        out.text += *value;
    } else if (how == '-') {
        out.text += rest;
    } else {
        out.error = "the variable " + std::string(name) + " is not set" +
                    (rest.empty() ? "" : ": " + std::string(rest));
    }
}

}  // namespace

Expansion expand(std::string_view raw, const Environment& environment) {
    Expansion out;
    while (!raw.empty()) {
        const std::size_t dollar = raw.find('$');
        out.text += raw.substr(0, dollar);
        if (dollar == std::string_view::npos) {
            break;
        }
        raw.remove_prefix(dollar);
        if (raw.starts_with("$$")) {
            out.text += '$';
            raw.remove_prefix(2);
        } else if (raw.starts_with("${")) {
            const std::size_t end = raw.find('}');
            if (end == std::string_view::npos) {
                out.error = "${ without its }; write $${ for a plain ${";
                break;
            }
            out.changed = true;
            expand_one(raw.substr(2, end - 2), environment, out);
            raw.remove_prefix(end + 1);
        } else {
            out.text += '$';
            raw.remove_prefix(1);
        }
        if (!out.error.empty()) {
            break;
        }
    }
    return out;
}

Environment process_environment() {
    return [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

}  // namespace rotary::config
