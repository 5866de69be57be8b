#include <rotary/auth/api_key.hpp>

#include <algorithm>
#include <stdexcept>

#include <openssl/rand.h>
#include <openssl/sha.h>

namespace rotary::auth {

namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kIdBegin = kApiKeyPrefix.size();
constexpr std::size_t kIdEnd = kIdBegin + kApiKeyIdBytes;
constexpr std::size_t kChecksumBytes = 6;
constexpr std::size_t kChecksumBegin = kApiKeyBytes - kChecksumBytes;

constexpr bool is_base62(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr std::array<std::uint32_t, 256> make_crc_table() noexcept {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
        table[i] = crc;
    }
    return table;
}

// The CRC-32 of zip and PNG (ISO 3309).
std::uint32_t crc32(std::string_view text) noexcept {
    static constexpr auto kTable = make_crc_table();
    std::uint32_t crc = ~std::uint32_t{0};
    for (const char c : text) {
        crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
    }
    return ~crc;
}

std::array<char, kChecksumBytes> checksum_of(std::string_view key) noexcept {
    std::uint32_t crc = crc32(key);
    std::array<char, kChecksumBytes> digits{};
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        *digit = kBase62[crc % kBase62.size()];
        crc /= std::uint32_t{kBase62.size()};
    }
    return digits;
}

// Each character equally likely: bytes beyond the last whole round of 62 are drawn again.
void append_random(std::string& key, std::size_t characters) {
    constexpr std::size_t kRound = 256 / 62 * 62;
    std::array<unsigned char, 64> bytes;
    while (characters > 0) {
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
            throw std::runtime_error("no random numbers can be had for a key");
        }
        for (const unsigned char byte : bytes) {
            if (byte >= kRound || characters == 0) continue;
            key += kBase62[byte % kBase62.size()];
            --characters;
        }
    }
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string make_api_key() {
    std::string key(kApiKeyPrefix);
    append_random(key, kApiKeyIdBytes);
    key += '_';
    append_random(key, kChecksumBegin - key.size());
    const auto checksum = checksum_of(key);
    key.append(checksum.data(), checksum.size());
    return key;
}

bool is_whole_api_key(std::string_view key) noexcept {
    if (key.size() != kApiKeyBytes || !is_api_key(key) || key[kIdEnd] != '_') return false;
    const std::string_view id = key.substr(kIdBegin, kApiKeyIdBytes);
    const std::string_view rest = key.substr(kIdEnd + 1);
    if (!std::all_of(id.begin(), id.end(), is_base62)) return false;
    if (!std::all_of(rest.begin(), rest.end(), is_base62)) return false;
    const auto checksum = checksum_of(key.substr(0, kChecksumBegin));
    return key.substr(kChecksumBegin) == std::string_view(checksum.data(), checksum.size());
}

ApiKeyId id_of(std::string_view key) noexcept {
    ApiKeyId id{};
    if (key.size() >= kIdEnd) key.copy(id.data(), id.size(), kIdBegin);
    return id;
}

std::string hash_text(const KeyDigest& digest) {
    std::string text(kHashPrefix);
    for (const std::uint8_t byte : digest) {
        text += kHexDigits[byte >> 4];
        text += kHexDigits[byte & 0xf];
    }
    return text;
}

std::optional<KeyDigest> parse_hash(std::string_view text) noexcept {
    KeyDigest digest{};
    if (!text.starts_with(kHashPrefix)) return std::nullopt;
    text.remove_prefix(kHashPrefix.size());
    if (text.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return digest;
}

// OpenSSL's EVP functions, which are meant to be used in place of these, allocate for each digest.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
KeyDigest digest_of(std::string_view key) noexcept {
    KeyDigest digest{};
    SHA256_CTX context;
    SHA256_Init(&context);  // none of the three can fail
    SHA256_Update(&context, key.data(), key.size());
    SHA256_Final(digest.data(), &context);
    return digest;
}
#pragma GCC diagnostic pop

}  // namespace rotary::auth
