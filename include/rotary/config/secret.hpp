#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace rotary::config {

/// A value that must not be seen: it has no operator<< and no conversion, so that it can't slip
/// into a log line or a message; reveal() is easy to search for.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : x_value(std::move(value)) {}

    std::string_view reveal() const { return x_value; }
    bool empty() const { return x_value.empty(); }
    bool operator==(const Secret&) const = default;

private:
    std::string x_value;
};

}  // namespace rotary::config
