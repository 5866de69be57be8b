#pragma once

#include <rotary/config/yaml/finding.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::kubernetes {

// What this gateway has come to about an object as it is now.
struct Verdict {
    enum class Outcome {
        live,     // every worker serves by it
        held,     // it is wrong: the version that was good before is in force
        left_out  // it is wrong and no version of it ever was good
    };

    Outcome outcome = Outcome::live;
    std::vector<config::Finding> findings{};  // of the object, those of its present version

    bool is_good() const noexcept { return outcome == Outcome::live; }
};

// Whether the finding is that of another object, which is not there: the object itself may be
// right.
bool is_reference(const config::Finding& finding);

// The findings for people, as `rotary check` has them, but for the object's name, beside which they
// stand: "spec.rules[0].matches[0].path.value: must begin with '/'". Those of one severity, a few
// of many.
std::string said(const std::vector<config::Finding>& findings, config::Severity severity);
// One of them, cut at a number of bytes, never within a letter.
std::string said(const config::Finding& finding, std::size_t bytes);

}  // namespace rotary::kubernetes
