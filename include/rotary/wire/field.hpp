#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace rotary::wire {

// A field name as a number: what clients, SDKs and providers send is known and told once, when a
// head is read. From then on a name is compared as one byte. `other`: any name that is not known.
enum class Field : std::uint8_t { other = 0 };

namespace fields {

// Lower case. What is not here works all the same; its name is compared letter by letter.
inline constexpr std::array kNames = std::to_array<std::string_view>(
    {// Of messages (RFC 9110 to 9112).
     "accept", "accept-encoding", "accept-language", "age", "allow", "authorization",
     "cache-control", "connection", "content-encoding", "content-language", "content-length",
     "content-type", "cookie", "date", "etag", "expect", "expires", "forwarded", "host", "if-match",
     "if-modified-since", "if-none-match", "keep-alive", "last-modified", "link", "location",
     "origin", "pragma", "prefer", "proxy-authenticate", "proxy-authorization", "proxy-connection",
     "range", "referer", "retry-after", "server", "server-timing", "set-cookie", "te", "trailer",
     "transfer-encoding", "upgrade", "user-agent", "vary", "via", "www-authenticate",
     // Of browsers, proxies and tracing.
     "access-control-allow-credentials", "access-control-allow-headers",
     "access-control-allow-methods", "access-control-allow-origin", "access-control-expose-headers",
     "access-control-max-age", "access-control-request-headers", "access-control-request-method",
     "alt-svc", "baggage", "cf-cache-status", "cf-ray", "sec-fetch-dest", "sec-fetch-mode",
     "sec-fetch-site", "strict-transport-security", "traceparent", "tracestate",
     "x-accel-buffering", "x-content-type-options", "x-envoy-upstream-service-time",
     "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
     // Of SDKs.
     "anthropic-beta", "anthropic-version", "api-key", "http-referer", "idempotency-key",
     "openai-beta", "x-api-key", "x-client-request-id", "x-goog-api-client", "x-goog-api-key",
     "x-request-id", "x-stainless-arch", "x-stainless-async", "x-stainless-helper-method",
     "x-stainless-lang", "x-stainless-os", "x-stainless-package-version",
     "x-stainless-raw-response", "x-stainless-read-timeout", "x-stainless-retry-count",
     "x-stainless-runtime", "x-stainless-runtime-version", "x-stainless-timeout", "x-title",
     // Of providers.
     "anthropic-organization-id", "anthropic-ratelimit-input-tokens-limit",
     "anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset",
     "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining",
     "anthropic-ratelimit-output-tokens-reset", "anthropic-ratelimit-requests-limit",
     "anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset",
     "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
     "anthropic-ratelimit-tokens-reset", "apim-request-id", "openai-organization",
     "openai-processing-ms", "openai-project", "openai-project-id", "openai-version", "request-id",
     "retry-after-ms", "x-ms-region", "x-ratelimit-limit-requests", "x-ratelimit-limit-tokens",
     "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests",
     "x-ratelimit-reset-tokens", "x-should-retry"});
static_assert(kNames.size() < 255);

// What a name is looked up by: its first eight letters, its last, of a long one those in the middle
// too, and its length.
struct Key {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t middle = 0;
    std::size_t size = 0;
};
inline constexpr std::uint64_t kCaseBits = 0x2020202020202020U;

constexpr std::uint64_t word_at(std::string_view text, std::size_t at, std::size_t size) noexcept {
    std::uint64_t word = 0;
    if (std::is_constant_evaluated() || size < 4) {
        for (std::size_t i = size; i-- > 0;) {
            word = word << 8 | static_cast<unsigned char>(text[at + i]);
        }
    } else if (size == 8) {
        __builtin_memcpy(&word, text.data() + at, 8);
    } else {
        std::uint32_t half = 0;
        __builtin_memcpy(&half, text.data() + at, 4);
        word = half;
    }
    return word;
}

// A name of four to seven letters is two words of four that overlap.
constexpr Key key_of(std::string_view name) noexcept {
    const std::size_t size = name.size();
    if (size < 4) return {word_at(name, 0, size), 0, 0, size};
    if (size < 8) return {word_at(name, 0, 4), word_at(name, size - 4, 4), 0, size};
    const std::uint64_t middle = size > 16 ? word_at(name, size / 2 - 4, 8) : 0;
    return {word_at(name, 0, 8), word_at(name, size - 8, 8), middle, size};
}

// No two known names have one place.
inline constexpr std::size_t kPlaces = 2048;

constexpr std::size_t place_of(const Key& key, std::uint64_t factor) noexcept {
    const std::uint64_t ends = (key.first | kCaseBits) * factor ^ (key.last | kCaseBits);
    const std::uint64_t whole = ends ^ std::rotl(key.middle | kCaseBits, 17) ^ key.size;
    return static_cast<std::size_t>(whole * factor >> 53);
}

struct Table {
    std::uint64_t factor = 0x9e3779b97f4a7c15U;
    std::array<std::uint8_t, kPlaces> numbers{};  // 1 + the place in kNames; 0: none
    std::array<Key, kNames.size()> keys{};
};

consteval bool fill(Table& table) {
    table.numbers = {};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        table.keys[i] = key_of(kNames[i]);
        std::uint8_t& number = table.numbers[place_of(table.keys[i], table.factor)];
        if (number != 0) return false;
        number = static_cast<std::uint8_t>(i + 1);
    }
    return true;
}

consteval Table make_table() {
    Table table;
    while (!fill(table)) table.factor = table.factor * 6364136223846793005U + 1442695040888963408U;
    return table;
}

inline constexpr Table kTable = make_table();

}  // namespace fields

inline constexpr std::size_t kFields = fields::kNames.size() + 1;  // with `other`

constexpr std::size_t index(Field field) noexcept { return static_cast<std::size_t>(field); }

// "" of `other`.
constexpr std::string_view name_of(Field field) noexcept {
    return field == Field::other ? std::string_view{} : fields::kNames[index(field) - 1];
}

// Of a name as it came, ASCII case ignored.
Field field_of(std::string_view name) noexcept;

// Of one of the known names, when it is compiled: what is not among them does not compile.
template <std::size_t size>
consteval Field field(const char (&text)[size]) {
    const std::string_view name(text, size - 1);
    const std::size_t place = fields::place_of(fields::key_of(name), fields::kTable.factor);
    const std::uint8_t number = fields::kTable.numbers[place];
    if (number == 0 || fields::kNames[number - 1] != name) throw "not a known field name";
    return Field{number};
}

}  // namespace rotary::wire
