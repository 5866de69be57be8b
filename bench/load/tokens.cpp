#include "load/tokens.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace rotary::bench {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Key read_key(const std::string& file) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "r"),
                                                             &std::fclose);
    Key key(in ? PEM_read_PrivateKey(in.get(), nullptr, nullptr, nullptr) : nullptr,
            &EVP_PKEY_free);
    if (!key) {
        throw std::runtime_error("no private key in " + file);
    }
    return key;
}

std::string encoded(const std::vector<unsigned char>& bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    text.erase(text.find_last_not_of('=') + 1);
    for (char& c : text) {
        c = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    return text;
}

std::string decoded(std::string text) {
    for (char& c : text) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    const std::size_t padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::vector<unsigned char> bytes(text.size());
    const int length =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
    if (length < 0) {
        throw std::runtime_error("the token to be like is none");
    }
    return {bytes.begin(), bytes.begin() + length - static_cast<std::ptrdiff_t>(padding)};
}

std::string signature_of(const std::string& text, EVP_PKEY* key) {
    const Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t length = signature.size();
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(digest.get(), signature.data(), &length, bytes, text.size()) != 1) {
        throw std::runtime_error("the key can't sign");
    }
    return encoded(signature);
}

}  // namespace

void write_tokens(std::ostream& out, const std::string& key_file, const std::string& like,
                  std::size_t count) {
    const Key key = read_key(key_file);
    const std::size_t first = like.find('.');
    const std::size_t second = like.find('.', first + 1);
    std::string claims = decoded(like.substr(first + 1, second - first - 1));
    claims.resize(claims.rfind('}'));
    for (std::size_t i = 0; i < count; ++i) {
        const std::string own = claims + R"(,"n":")" + std::to_string(i) + "\"}";
        const std::string text =
            like.substr(0, first + 1) +
            encoded({reinterpret_cast<const unsigned char*>(own.data()),
                     reinterpret_cast<const unsigned char*>(own.data()) + own.size()});
        out << text << '.' << signature_of(text, key.get()) << '\n';
    }
}

}  // namespace rotary::bench
