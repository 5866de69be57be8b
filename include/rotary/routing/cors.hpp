#pragma once

#include <rotary/config/kinds/policy.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::routing {

// An APIPolicy's cORSPolicy, compiled into the lines that answers carry. Immutable; any thread.
struct Cors {
    explicit Cors(const config::CorsPolicy& policy);

    bool allows(std::string_view origin) const noexcept;
    // The same answer for every origin, so that caches need not tell them apart.
    bool is_open() const noexcept { return any_origin && !credentials; }

    bool any_origin = false;
    bool any_method = false;
    bool any_header = false;
    bool credentials = false;
    std::vector<std::string> origins;
    std::string answer_lines;     // beside the origin, on every answer that may be read
    std::string preflight_lines;  // methods, headers, and for how long
};

}  // namespace rotary::routing
