#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::control {

// The head of an answer as far as it decides whether its body is read.
struct HttpsAnswerHead {
    unsigned status = 0;
    std::string_view content_encoding;                  // empty: none
    std::optional<std::string_view> transfer_encoding;  // the first, where there is one
};

// One that another answer follows (RFC 9110, section 15.2). Behind 101 no HTTP follows.
bool is_interim(unsigned status) noexcept;

// What speaks against reading the body; empty when nothing does.
std::string objection_to(const HttpsAnswerHead& head);

}  // namespace rotary::control
