#pragma once

#include <rotary/wire/field.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::wire {

// One field line, as views into the buffer that the head was read into.
struct Header {
    Header() = default;
    Header(std::string_view the_name, std::string_view the_value) noexcept
        : name(the_name), value(the_value), field(field_of(the_name)) {}

    std::string_view name;   // as sent; of `other` fields to be compared with text::iequals
    std::string_view value;  // optional white space trimmed
    Field field = Field::other;
};

// The structural limit of a header table (RFC 9110 sets none): the most that limits.headers and
// limits.upstream_headers may say.
inline constexpr std::size_t kHeaderTableSize = 1024;

// A fixed table of header lines. Big (40 KB, of which only the rows in use are touched): lives in a
// worker's scratch, never in a coroutine frame.
class HeaderTable {
public:
    const Header* begin() const noexcept { return rows_.data(); }
    const Header* end() const noexcept { return rows_.data() + size_; }
    std::size_t size() const noexcept { return size_; }
    void clear() noexcept {
        size_ = 0;
        names_hops_ = false;
    }
    bool push(const Header& header) noexcept {
        if (size_ == rows_.size()) return false;
        rows_[size_++] = header;
        if (header.field == wire::field("connection")) note_connection(header);
        return true;
    }
    // Whether a Connection field says more than plain "close" or "keep-alive". Hardly any does, and
    // then no name has to be compared with its elements.
    bool names_hops() const noexcept { return names_hops_; }
    // The first line of that name (ASCII case ignored), or nullptr.
    const Header* find(Field known) const noexcept {
        for (const Header& header : *this) {
            if (header.field == known) return &header;
        }
        return nullptr;
    }
    const Header* find(std::string_view name) const noexcept;
    std::size_t count(std::string_view name) const noexcept;

private:
    void note_connection(const Header& header) noexcept;

    std::array<Header, kHeaderTableSize> rows_;
    std::size_t size_ = 0;
    bool names_hops_ = false;
};

// How the end of a body is known (RFC 9112 section 6.3).
enum class Framing : std::uint8_t { none, content_length, chunked, until_close };

struct RequestHead {
    std::string_view method;
    std::string_view target;  // as sent
    std::string_view path;    // of the target, up to '?', not decoded; "*" of OPTIONS alone
    std::string_view query;   // after '?', without it
    std::string_view host;    // as sent: the target's, else Host's
    std::string_view port;    // of the host, empty without one
    std::uint8_t minor_version = 1;
    bool keep_alive = true;  // after Connection and the version are considered
    bool expect_continue = false;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    HeaderTable headers;
};

struct ResponseHead {
    std::uint16_t status = 0;
    std::string_view reason;
    std::uint8_t minor_version = 1;
    bool keep_alive = true;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    HeaderTable headers;
};

}  // namespace rotary::wire
