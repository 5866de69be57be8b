#include <rotary/config/kinds/endpoint.hpp>

#include <rotary/base/text.hpp>
#include <rotary/config/yaml/suggest.hpp>
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

bool leads_to(std::string_view path, const Endpoint& endpoint) noexcept {
    const std::string_view wanted = endpoint.path;
    if (path.ends_with(wanted)) {
        return true;
    }
    if (!endpoint.is_prefix) {
        return false;
    }
    for (std::size_t at = path.find(wanted); at != path.npos; at = path.find(wanted, at + 1)) {
        if (path[at + wanted.size()] == '/') {  // there is one more: it does not end so
            return true;
        }
    }
    return false;
}

// The first that fits; 0: none.
template <class Fits>
EndpointSet first(const Fits& fits) {
    EndpointSet bit = 1;
    for (const Endpoint& endpoint : known_endpoints()) {
        if (fits(endpoint)) {
            return bit;
        }
        bit <<= 1;
    }
    return 0;
}

EndpointSet endpoint_named(std::string_view name) {
    if (name == kModelsName) {
        return kListOfModels;
    }
    return first([name](const Endpoint& endpoint) { return name == endpoint.name; });
}

std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (const Endpoint& endpoint : known_endpoints()) {
        names.emplace_back(endpoint.name);
    }
    names.emplace_back(kModelsName);
    return names;
}

}  // namespace

const std::vector<Endpoint>& known_endpoints() {
    static const std::vector<Endpoint> kEndpoints{
        {"chat", "/chat/completions", false, "POST", true, true},
        {"completions", "/completions", false, "POST", true, false},
        {"responses", "/responses", false, "POST", true, true},
        {"embeddings", "/embeddings", false, "POST", true, false},
        {"images", "/images", true, "POST", true, false},
        {"audio", "/audio", true, "POST", true, false},
        {"moderations", "/moderations", false, "POST", true, false},
        {"files", "/files", true, "", false, false},
    };
    return kEndpoints;
}

EndpointSet endpoint_of(std::string_view path) noexcept {
    if (path.size() > 1 && path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (path.ends_with(kModelsPath)) {
        return kListOfModels;
    }
    return first([path](const Endpoint& endpoint) { return leads_to(path, endpoint); });
}

bool names_no_model(EndpointSet endpoint) {
    EndpointSet bit = 1;
    for (const Endpoint& known : known_endpoints()) {
        if (endpoint == bit) {
            return !known.takes_model;
        }
        bit <<= 1;
    }
    return false;
}

std::optional<EndpointSet> read_endpoint_set(std::string_view names, std::string& wrong) {
    EndpointSet set = 0;
    for (bool is_last = false; !is_last;) {
        const std::size_t comma = names.find(',');
        is_last = comma == names.npos;
        const std::string_view name = text::trim(names.substr(0, comma));
        names = is_last ? names : names.substr(comma + 1);
        const EndpointSet bit = endpoint_named(name);
        if (bit == 0) {
            wrong = "there is no endpoint " + shown(name) + what_is_there(name, all_names());
            return std::nullopt;
        }
        if ((set & bit) != 0) {
            wrong = shown(name) + " is named twice";
            return std::nullopt;
        }
        set |= bit;
    }
    return set;
}

}  // namespace rotary::config
