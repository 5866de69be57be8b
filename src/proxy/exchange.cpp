#include "proxy/exchange.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

// What an idle session may keep of a stream's events, four strings of it: most fit, and then the
// next stream allocates nothing.
constexpr std::size_t kKeptEventBytes = 1024;

std::uint64_t next_random(std::uint64_t& state) noexcept {
    // splitmix64: ids must not collide, they need not be secret.
    std::uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

using HexPair = std::array<char, 2>;

constexpr std::array<HexPair, 256> make_hex_pairs() noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<HexPair, 256> pairs{};
    for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
        pairs[byte] = {kDigits[byte / 16], kDigits[byte % 16]};
    }
    return pairs;
}

constexpr std::array<HexPair, 256> kHexPairs = make_hex_pairs();

// RFC 9562 section 5.7: milliseconds since 1970, then random bits.
void write_uuid_v7(std::array<char, 36>& out, WallTime now, std::uint64_t& random) noexcept {
    const auto milliseconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
    const std::uint64_t high = milliseconds << 16 | 0x7000u | (next_random(random) & 0x0fffu);
    const std::uint64_t low = (next_random(random) & 0x3fffffffffffffffu) | 0x8000000000000000u;
    constexpr std::array<std::uint8_t, 16> kPlaces{0,  2,  4,  6,  9,  11, 14, 16,
                                                   19, 21, 24, 26, 28, 30, 32, 34};
    for (const std::size_t dash : {8u, 13u, 18u, 23u}) out[dash] = '-';
    for (unsigned i = 0; i < kPlaces.size(); ++i) {
        const std::uint64_t word = i < 8 ? high : low;
        const HexPair& pair = kHexPairs[word >> (56 - i % 8 * 8) & 0xff];
        std::copy(pair.begin(), pair.end(), out.begin() + kPlaces[i]);
    }
}

}  // namespace

void Exchange::begin(Context& context) {
    const std::string_view address = request.client_address;
    request = {};
    request.client_address = address;
    match = {};
    match.wiring = context.wiring;
    match.buckets = context.buckets;
    content = {};
    tries = {};
    outcome = {};
    const Now now = read_clock();
    outcome.started = now.steady;
    outcome.started_wall = now.wall;
    write_uuid_v7(id, now.wall, context.random_state);
}

void Request::adopt(const wire::RequestHead& head) noexcept {
    method = head.method;
    path = head.path;
    query = head.query;
    host = head.host;
    port = head.port;
    framing = head.framing;
    content_length = head.content_length;
    minor_version = head.minor_version;
    keep_alive = head.keep_alive;
    expect_continue = head.expect_continue;
    is_head = head.method == "HEAD";
    for (const wire::Header& header : head.headers) {
        switch (header.name.size()) {
            case 6:
                if (text::iequals(header.name, "origin")) origin = header.value;
                break;
            case 10:
                if (text::iequals(header.name, "user-agent")) user_agent = header.value;
                break;
            case 12:
                if (text::iequals(header.name, "content-type")) {
                    has_content_types = has_content_type;
                    has_content_type = true;
                    content_type = header.value;
                } else if (text::iequals(header.name, "x-request-id")) {
                    client_request_id = header.value;
                }
                break;
            case 16:
                if (text::iequals(header.name, "content-encoding")) {
                    is_encoded = is_encoded || !text::iequals(header.value, "identity");
                }
                break;
            case 23:
                if (text::iequals(header.name, "x-stainless-retry-count")) {
                    retry_count = header.value;
                }
                break;
            case 29:
                if (text::iequals(header.name, "access-control-request-method")) {
                    preflight_method = header.value;
                }
                break;
            case 30:
                if (text::iequals(header.name, "access-control-request-headers")) {
                    preflight_headers = header.value;
                }
                break;
            default:
                break;
        }
    }
}

void Exchange::keep_upstream_request_id(std::string_view value) noexcept {
    outcome.upstream_id_size = value.copy(outcome.upstream_id.data(), outcome.upstream_id.size());
}

void Exchange::end() noexcept {
    request.body_block.reset();
    match = {};
    content.lines.reset();
    events.release(kKeptEventBytes);
}

}  // namespace rotary::proxy
