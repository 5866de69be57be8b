#include "proxy/exchange.hpp"

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
    quotas.clear();  // before the configuration that its limits are of
    match = {};
    match.wiring = context.wiring;
    match.buckets = context.buckets;
    content = {};
    tries = {};
    trail.clear();
    trace = {};
    if (const config::Tracing& tracing = snapshot().config.tracing; !tracing.endpoint.empty()) {
        const std::string_view parent = request.traceparents == 1 ? request.traceparent : "";
        trace = begin_trace(tracing, parent, context.random_state);
    }
    outcome = {};
    write_uuid_v7(id, request.started_wall, context.random_state);
}

void Exchange::keep_upstream_request_id(std::string_view value) noexcept {
    outcome.upstream_id_size = value.copy(outcome.upstream_id.data(), outcome.upstream_id.size());
}

void Exchange::keep_response_model(std::string_view name) noexcept {
    if (name.size() > model.size()) name = {};
    outcome.model_size = name.copy(model.data(), name.size());
}

void Exchange::end() noexcept {
    request.body_block.reset();
    quotas.clear();
    match = {};
    content.lines.reset();
    events.release(kKeptEventBytes);
}

}  // namespace rotary::proxy
