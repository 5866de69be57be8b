#include <rotary/base/percent.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/http1_scan.hpp>

#include <algorithm>
#include <limits>

namespace rotary::wire {
namespace {

// Room for a sum of sizes in 64 bits, and no peer means more than this.
constexpr auto kLargestChunk = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::uint8_t kSizeDigits = 16;

}  // namespace

void BodyReader::begin(Framing framing, std::uint64_t content_length,
                       std::size_t chunk_header_bytes) noexcept {
    framing_ = framing;
    chunk_header_bytes_ = chunk_header_bytes;
    remaining_ = 0;
    line_bytes_ = 0;
    digits_ = 0;
    switch (framing) {
        case Framing::none:
            state_ = State::done;
            break;
        case Framing::content_length:
            remaining_ = content_length;
            state_ = content_length == 0 ? State::done : State::length;
            break;
        case Framing::chunked:
            state_ = State::size_start;
            break;
        case Framing::until_close:
            state_ = State::until_close;
            break;
    }
}

bool BodyReader::done() const noexcept { return state_ == State::done; }

Result<BodyReader::Piece> BodyReader::next(std::string_view bytes) noexcept {
    Piece piece;
    switch (state_) {
        case State::done:
            return piece;
        case State::until_close:
            piece.payload = bytes;
            piece.consumed = bytes.size();
            return piece;
        case State::length:
            piece.payload = bytes.substr(0, std::min<std::uint64_t>(remaining_, bytes.size()));
            piece.consumed = piece.payload.size();
            remaining_ -= piece.consumed;
            if (remaining_ == 0) state_ = State::done;
            return piece;
        default:
            piece = next_chunked(bytes);
    }
    if (state_ == State::failed && piece.consumed == 0) {
        return Fault::client(FaultKind::bad_request, "The chunked body is malformed.");
    }
    return piece;
}

// RFC 9112 section 7.1. Stops before a second run of payload, and where trailer lines begin or end.
BodyReader::Piece BodyReader::next_chunked(std::string_view bytes) noexcept {
    Piece piece;
    std::size_t& at = piece.consumed;
    while (at < bytes.size() && state_ != State::done && state_ != State::failed) {
        if (state_ == State::data) {
            if (!piece.payload.empty()) break;
            const std::string_view rest = bytes.substr(at);
            piece.payload = rest.substr(0, std::min<std::uint64_t>(remaining_, rest.size()));
            at += piece.payload.size();
            remaining_ -= piece.payload.size();
            if (remaining_ == 0) state_ = State::data_cr;
            continue;
        }
        if (const std::size_t header = whole_chunk_header(bytes.substr(at)); header != 0) {
            at += header;
            continue;
        }
        const bool trailer = in_trailer() || (state_ == State::trailer_start && bytes[at] != '\r');
        if (trailer != piece.trailer && at != 0) break;
        piece.trailer = trailer;
        state_ = after_framing_byte(bytes[at]);
        if (state_ != State::failed) ++at;
    }
    return piece;
}

// How nearly all chunks begin, the end of the one before included, if all of it is at hand and
// there is no extension. Returns its length; 0: it has to be looked at byte by byte.
std::size_t BodyReader::whole_chunk_header(std::string_view bytes) noexcept {
    constexpr std::size_t kDigits = 8;
    const auto is_break = [bytes](std::size_t at) {
        return bytes.size() - at >= 2 && bytes[at] == '\r' && bytes[at + 1] == '\n';
    };
    std::size_t at = 0;
    if (state_ == State::data_cr) {
        if (!is_break(0)) return 0;
        at = 2;
    } else if (state_ != State::size_start) {
        return 0;
    }
    const std::size_t digits = at;
    std::uint64_t size = 0;
    for (; at < bytes.size() && at - digits < kDigits; ++at) {
        const int digit = text::hex_value(bytes[at]);
        if (digit < 0) break;
        size = size << 4U | static_cast<std::uint64_t>(digit);
    }
    if (size == 0 || !is_break(at) || at + 2 - digits > chunk_header_bytes_) return 0;
    line_bytes_ = 0;
    remaining_ = size;
    state_ = State::data;
    return at + 2;
}

bool BodyReader::in_trailer() const noexcept {
    return state_ == State::trailer_name || state_ == State::trailer || state_ == State::trailer_lf;
}

BodyReader::State BodyReader::after_framing_byte(char c) noexcept {
    switch (state_) {
        case State::size_start:
            line_bytes_ = 0;
            digits_ = 0;
            remaining_ = 0;
            return text::hex_value(c) >= 0 ? after_size_byte(c) : State::failed;
        case State::size:
        case State::extension_start:
        case State::extension_name:
        case State::extension_value_start:
        case State::extension_value:
        case State::quoted:
        case State::quoted_pair:
        case State::quoted_end:
        case State::size_lf:
            return after_size_byte(c);
        case State::data_cr:
            return c == '\r' ? State::data_lf : State::failed;
        case State::data_lf:
            return c == '\n' ? State::size_start : State::failed;
        case State::trailer_start:
        case State::trailer_name:
        case State::trailer:
        case State::trailer_lf:
        case State::final_lf:
            return after_trailer_byte(c);
        default:
            return State::failed;
    }
}

// chunk-size [ chunk-ext ] CRLF.
BodyReader::State BodyReader::after_size_byte(char c) noexcept {
    if (++line_bytes_ > chunk_header_bytes_) return State::failed;
    if (state_ == State::size_lf) {
        if (c != '\n') return State::failed;
        line_bytes_ = 0;
        return remaining_ == 0 ? State::trailer_start : State::data;
    }
    if (state_ != State::size_start && state_ != State::size) return after_extension_byte(c);
    if (c == '\r') return State::size_lf;
    if (c == ';') return State::extension_start;
    const int digit = text::hex_value(c);
    if (digit < 0 || ++digits_ > kSizeDigits) return State::failed;
    remaining_ = remaining_ << 4U | static_cast<std::uint64_t>(digit);
    return remaining_ <= kLargestChunk ? State::size : State::failed;
}

// *( ";" token [ "=" ( token / quoted-string ) ] ). White space between them is refused: RFC 9112
// section 7.1.1 lets a recipient read it, but no honest sender writes it.
BodyReader::State BodyReader::after_extension_byte(char c) const noexcept {
    const bool token = http1::is_class(c, http1::kTokenChar);
    const bool ends = c == '\r' || c == ';';
    const State next = c == '\r' ? State::size_lf : State::extension_start;
    switch (state_) {
        case State::extension_start:
            return token ? State::extension_name : State::failed;
        case State::extension_name:
            if (c == '=') return State::extension_value_start;
            if (ends) return next;
            return token ? State::extension_name : State::failed;
        case State::extension_value_start:
            if (c == '"') return State::quoted;
            return token ? State::extension_value : State::failed;
        case State::extension_value:
            if (ends) return next;
            return token ? State::extension_value : State::failed;
        case State::quoted:
            if (c == '"') return State::quoted_end;
            if (c == '\\') return State::quoted_pair;
            return http1::is_class(c, http1::kFieldChar) ? State::quoted : State::failed;
        case State::quoted_pair:
            return http1::is_class(c, http1::kFieldChar) ? State::quoted : State::failed;
        default:
            return ends ? next : State::failed;
    }
}

// *( field-line CRLF ) CRLF
BodyReader::State BodyReader::after_trailer_byte(char c) noexcept {
    if (++line_bytes_ > kTrailerBytes) return State::failed;
    switch (state_) {
        case State::trailer_start:
            if (c == '\r') return State::final_lf;
            return http1::is_class(c, http1::kTokenChar) ? State::trailer_name : State::failed;
        case State::trailer_name:
            if (c == ':') return State::trailer;
            return http1::is_class(c, http1::kTokenChar) ? State::trailer_name : State::failed;
        case State::trailer:
            if (c == '\r') return State::trailer_lf;
            return http1::is_class(c, http1::kFieldChar) ? State::trailer : State::failed;
        case State::final_lf:
            return c == '\n' ? State::done : State::failed;
        default:
            return c == '\n' ? State::trailer_start : State::failed;
    }
}

}  // namespace rotary::wire
