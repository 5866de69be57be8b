#pragma once

#include <string>
#include <string_view>

namespace rotary::fleet {

// A Lua script that the store runs as one step. Known to it by the SHA-1 of its text.
class Script {
public:
    // The text must outlive this: a literal.
    explicit Script(std::string_view text);

    std::string_view text() const noexcept { return text_; }
    const std::string& sha1() const noexcept { return sha1_; }  // 40 hex digits, lower case

private:
    std::string_view text_;
    std::string sha1_;
};

}  // namespace rotary::fleet
