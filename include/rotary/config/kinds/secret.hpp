#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace rotary::config {

// A value that must not be seen: it has no operator<< and no conversion, so that it can't slip
// into a log line or a message; reveal() is easy to search for.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}

    std::string_view reveal() const { return value_; }
    bool empty() const { return value_.empty(); }
    bool operator==(const Secret&) const = default;

private:
    std::string value_;
};

}  // namespace rotary::config
