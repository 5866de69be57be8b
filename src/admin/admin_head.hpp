#pragma once

#include <cstddef>
#include <string_view>

namespace rotary::admin {

// The head of a request to the admin listener as far as it decides whether it is answered.
struct AdminHead {
    unsigned version = 11;  // 10 times the major one and the minor one
    std::string_view target;
    // How often each is there.
    std::size_t hosts = 1;
    std::size_t transfer_encodings = 0;
    std::size_t content_lengths = 0;
    std::size_t authorizations = 0;
};

// What Beast 1.81 lets pass though its framing is in doubt, and what is not served here; null when
// nothing speaks against it.
const char* objection_to(const AdminHead& head) noexcept;

}  // namespace rotary::admin
