#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::fleet {

// What a Redis answers to one command (RESP2). `none` is no answer: it did not come in time, or
// there is no connection to ask on.
struct Reply {
    enum class Kind : std::uint8_t { none, nil, integer, text, error, array };

    Kind kind = Kind::none;
    std::int64_t integer = 0;
    std::string text;  // of an error too: "NOSCRIPT No matching script"
    std::vector<Reply> elements;

    bool is_answer() const noexcept { return kind != Kind::none && kind != Kind::error; }
    // Whether it is an error of that kind: its first word.
    bool is_error(std::string_view code) const noexcept;
};

}  // namespace rotary::fleet
