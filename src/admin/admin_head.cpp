#include "admin/admin_head.hpp"

namespace rotary::admin {

const char* objection_to(const AdminHead& head) noexcept {
    if (head.transfer_encodings != 0) return "a body needs Content-Length here";
    if (head.content_lengths > 1) return "more than one Content-Length";
    if (head.hosts > 1 || (head.hosts == 0 && head.version == 11)) {
        return "exactly one Host is needed";
    }
    if (head.authorizations > 1) return "more than one Authorization";
    if (head.target.empty() || head.target.front() != '/') return "the target must be a path";
    return nullptr;
}

}  // namespace rotary::admin
