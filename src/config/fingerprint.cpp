#include "config/fingerprint.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace rotary::config {

namespace {

void require(int result) {
    if (result != 1) throw std::runtime_error("SHA-256 is not to be had");
}

}  // namespace

Fingerprint::Fingerprint() : digest_(EVP_MD_CTX_new()) {
    require(digest_ != nullptr && EVP_DigestInit_ex(digest_, EVP_sha256(), nullptr) == 1 ? 1 : 0);
}

Fingerprint::~Fingerprint() { EVP_MD_CTX_free(digest_); }

void Fingerprint::add(std::string_view kind, std::string_view name, std::string_view text) {
    add_part(kind);
    add_part(name);
    add_part(text);
}

void Fingerprint::add_part(std::string_view text) {
    const std::uint64_t size = text.size();
    std::array<char, sizeof size> prefix{};
    std::memcpy(prefix.data(), &size, sizeof size);
    require(EVP_DigestUpdate(digest_, prefix.data(), prefix.size()));
    require(EVP_DigestUpdate(digest_, text.data(), text.size()));
}

std::string Fingerprint::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(digest_, sum.data(), &size));
    return {sum.begin(), sum.begin() + size};
}

}  // namespace rotary::config
