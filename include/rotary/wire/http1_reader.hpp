#pragma once

#include <rotary/base/fault.hpp>
#include <rotary/wire/message.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rotary::wire {

// Where the head of a message ends, searched for piecewise: `scanned` remembers how far the last
// call looked, so a head that arrives byte by byte costs linear time. One empty line before the
// first line belongs to the head (RFC 9112 section 2.2). An empty line made with bare LFs ends the
// head too, so that the parser can refuse it at once instead of waiting for more.
struct HeadEnd {
    std::size_t scanned = 0;
    // Length of the head including its empty line, or 0 while it is not complete. `bytes` is the
    // whole buffer each time, grown at its end.
    std::size_t find(std::string_view bytes) noexcept;
};

struct HeadLimits {
    std::size_t uri_bytes = 8192;
    std::size_t headers = 100;
    std::size_t header_bytes = 32768;  // the whole head
};

// Parses one complete request head (RFC 9112), as HeadEnd measured it, strictly: what two parsers
// could read differently is refused. Names with underscores are left out of the table. After a
// fault `head` holds nothing that may be used.
// Faults: bad_request, uri_too_long, headers_too_large (origin client), length_required never.
Result<void> parse_request_head(std::string_view bytes, const HeadLimits& limits,
                                RequestHead& head);

// Parses one complete response head. `request_was_head`: the answer to HEAD has no body.
// 1xx answers come back with their status; the caller reads on. 101 is refused. A missing reason
// phrase and obs-text in it are accepted: legal senders do both. The Content-Length of an answer
// that never has a body is left out of the table.
// Faults: upstream_protocol_error.
Result<void> parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                 bool request_was_head, ResponseHead& head);

// Follows a body to its end without copying it. Feed it what was read; it says how many of those
// bytes belong to the body on the wire (`consumed`), and which of them are payload.
class BodyReader {
public:
    static constexpr std::uint32_t kTrailerBytes = 8192;  // the whole trailer section

    // `chunk_header_bytes`: the most that a chunk's size line takes, extension and CRLF included.
    void begin(Framing framing, std::uint64_t content_length,
               std::size_t chunk_header_bytes = 256) noexcept;

    struct Piece {
        std::string_view payload;  // a run of content inside the input, may be empty
        std::size_t consumed = 0;  // bytes of the input this step took, framing included
        bool trailer = false;      // they are trailer lines, which a raw relay leaves out
    };
    // One step: takes framing bytes and at most one run of payload. Call until `consumed` is 0
    // (input used up or body done). Trailers are read and dropped; a step that took trailer lines
    // took nothing else, so a raw relay forwards [0, consumed) of every other step.
    // Faults: bad_request (the caller maps it for responses) on malformed chunking; payload that
    // stood before the bad byte is handed out first, and the fault stays.
    Result<Piece> next(std::string_view bytes) noexcept;

    bool done() const noexcept;  // the framed end was reached; never true for until_close
    Framing framing() const noexcept { return framing_; }
    std::uint64_t remaining() const noexcept { return remaining_; }  // of content_length or chunk

private:
    enum class State : std::uint8_t {
        done,
        failed,
        length,
        until_close,
        size_start,
        size,
        extension_start,
        extension_name,
        extension_value_start,
        extension_value,
        quoted,
        quoted_pair,
        quoted_end,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer,
        trailer_lf,
        final_lf
    };
    Piece next_chunked(std::string_view bytes) noexcept;
    std::size_t whole_chunk_header(std::string_view bytes) noexcept;
    State after_framing_byte(char c) noexcept;
    State after_size_byte(char c) noexcept;
    State after_extension_byte(char c) const noexcept;
    State after_trailer_byte(char c) noexcept;
    bool in_trailer() const noexcept;

    Framing framing_ = Framing::none;
    State state_ = State::done;
    std::uint8_t digits_ = 0;  // of the current chunk's size
    std::uint64_t remaining_ = 0;
    std::size_t chunk_header_bytes_ = 256;
    std::size_t line_bytes_ = 0;  // of the current chunk header or trailer section
};

}  // namespace rotary::wire
