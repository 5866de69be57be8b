#include <rotary/fleet/script.hpp>

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace rotary::fleet {

Script::Script(std::string_view text) : text_(text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
        throw std::runtime_error("no SHA-1 in this OpenSSL");
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    for (unsigned i = 0; i < size; ++i) {
        sha1_ += kHex[digest[i] >> 4];
        sha1_ += kHex[digest[i] & 15];
    }
}

}  // namespace rotary::fleet
