#include <rotary/fleet/reply.hpp>

namespace rotary::fleet {

bool Reply::is_error(std::string_view code) const noexcept {
    if (kind != Kind::error) return false;
    const std::string_view said = text;
    return said.substr(0, said.find(' ')) == code;
}

}  // namespace rotary::fleet
