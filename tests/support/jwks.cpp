#include <support/certificates.hpp>
#include <support/encoding.hpp>

#include <rotary/base/json_text.hpp>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>

namespace rotary::test {

namespace {

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(BIGNUM* p) const { BN_free(p); }
};

// Padded with zeros on the left to `width` bytes; 0: as short as it gets.
std::string number(const EVP_PKEY* key, const char* name, std::size_t width) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) throw std::runtime_error("no key parameter");
    const std::unique_ptr<BIGNUM, Free> value(raw);
    const auto size = width != 0 ? width : static_cast<std::size_t>(BN_num_bytes(value.get()));
    std::string bytes(size, '\0');
    BN_bn2binpad(value.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                 static_cast<int>(size));
    return to_base64url(bytes);
}

std::string members(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        return R"("kty":"RSA","n":")" + number(key, OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
               number(key, OSSL_PKEY_PARAM_RSA_E, 0) + '"';
    }
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        const auto width = static_cast<std::size_t>((EVP_PKEY_get_bits(key) + 7) / 8);
        return R"("kty":"EC","crv":"P-)" + std::to_string(EVP_PKEY_get_bits(key)) + R"(","x":")" +
               number(key, OSSL_PKEY_PARAM_EC_PUB_X, width) + R"(","y":")" +
               number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width) + '"';
    }
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) !=
        1) {
        throw std::runtime_error("no raw public key");
    }
    return R"("kty":"OKP","crv":"Ed25519","x":")" + to_base64url(raw) + '"';
}

}  // namespace

std::string make_jwks(const std::vector<JwkSource>& sources) {
    std::string out = R"({"keys":[)";
    const char* separator = "";
    for (const JwkSource& source : sources) {
        const std::unique_ptr<BIO, Free> file(BIO_new_file(source.key.c_str(), "r"));
        const std::unique_ptr<EVP_PKEY, Free> key(
            file ? PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr);
        if (!key) throw std::runtime_error("no private key in " + source.key);
        out += separator;
        out += R"({"kid":)";
        text::append_json_string(out, source.kid);
        out += R"(,"use":"sig",)";
        if (!source.algorithm.empty()) out += R"("alg":")" + source.algorithm + R"(",)";
        out += members(key.get()) + '}';
        separator = ",";
    }
    return out + "]}";
}

}  // namespace rotary::test
