#include "fleet/lease_key.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace rotary::fleet {

// Half of a SHA-256 tells more names apart than there will ever be.
std::string lease_key(std::string_view prefix, std::string_view name) {
    constexpr std::size_t kBytes = 16;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned int size = 0;
    if (EVP_Digest(name.data(), name.size(), hash.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not to be had");
    }
    std::string key(prefix);
    key += ":w:";
    for (std::size_t i = 0; i < kBytes; ++i) {
        key += kDigits[hash[i] >> 4];
        key += kDigits[hash[i] & 15];
    }
    return key;
}

}  // namespace rotary::fleet
