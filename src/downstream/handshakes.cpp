#include <rotary/downstream/handshakes.hpp>

namespace rotary::downstream {

std::string_view to_string(HandshakeEnd end) noexcept {
    switch (end) {
        case HandshakeEnd::closed:
            return "closed";
        case HandshakeEnd::timeout:
            return "timeout";
        case HandshakeEnd::plain_http:
            return "plain_http";
        case HandshakeEnd::proxy:
            return "proxy";
        case HandshakeEnd::refused:
            break;
    }
    return "refused";
}

}  // namespace rotary::downstream
