#include <rotary/wire/http1_reader.hpp>

#include <rotary/wire/http1_scan.hpp>

#include "wire/http1_target.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace rotary::wire {
namespace {

using namespace http1;

constexpr std::string_view kHeadTail = "\r\n\r\n";

// What the field lines say about the message itself, gathered as they pass.
struct Notes {
    std::string_view host;
    std::string_view content_length;
    std::string_view transfer_encoding;
    std::uint8_t hosts = 0;
    std::uint8_t content_lengths = 0;
    std::uint8_t transfer_encodings = 0;
    std::uint8_t authorizations = 0;
    bool close = false;
    bool keep_alive = false;
    bool connection_malformed = false;
    bool expect_continue = false;
    bool expect_other = false;
    bool tab_around_framing = false;
};

void note_connection(std::string_view list, Notes& notes) noexcept {
    while (!list.empty()) {
        const std::string_view option = take_element(list);
        if (text::iequals(option, "close")) notes.close = true;
        if (text::iequals(option, "keep-alive")) notes.keep_alive = true;
        if (!all_of_class(option, kTokenChar)) notes.connection_malformed = true;
    }
}

// `raw` is the value with its white space: some parsers take a tab there for a part of the value,
// so it is refused around the two fields that frame the message.
void note_field(const Header& header, std::string_view raw, Notes& notes) noexcept {
    switch (index(header.field)) {
        case index(field("host")):
            notes.host = header.value;
            ++notes.hosts;
            break;
        case index(field("expect")): {
            const bool known = text::iequals(header.value, "100-continue");
            (known ? notes.expect_continue : notes.expect_other) = true;
            break;
        }
        case index(field("connection")):
            note_connection(header.value, notes);
            break;
        case index(field("authorization")):
            ++notes.authorizations;
            break;
        case index(field("content-length")):
            notes.content_length = header.value;
            ++notes.content_lengths;
            if (raw.find('\t') != raw.npos) notes.tab_around_framing = true;
            break;
        case index(field("transfer-encoding")):
            notes.transfer_encoding = header.value;
            ++notes.transfer_encodings;
            if (raw.find('\t') != raw.npos) notes.tab_around_framing = true;
            break;
        default:
            break;
    }
}

// How many lines there may be, and which of them are read, checked and counted and don't get into
// the table.
struct FieldRules {
    std::size_t most = 0;
    // Names with an underscore: CGI and its kin make "user_" and "x-user" one, so a client could
    // set what a proxy before the provider sets.
    bool underscores = false;
    bool content_length = false;
};

// Reads the field lines, which end with an empty line and begin behind the first line's CRLF. That
// ending is what keeps the loops inside: a CR stops every one of them.
Refusal read_fields(std::string_view bytes, const FieldRules& rules, HeaderTable& table,
                    Notes& notes) noexcept {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    std::size_t lines = 0;
    while (*at != '\r') {
        const char* const name = at;
        std::uint8_t seen = 0;
        at = skip_usual_name(at, end);
        while (is_class(*at, kTokenChar)) seen |= kClasses[static_cast<unsigned char>(*at++)];
        if (at == name && (*at == ' ' || *at == '\t'))
            return bad("Header lines may not be folded.");
        if (at == name || *at != ':')
            return bad("A header name is not a token followed by a colon.");
        const char* const name_end = at;
        ++at;
        const char* const raw = at;
        while (*at == ' ' || *at == '\t') ++at;
        const char* const value = at;
        at = skip_field_value(at, end);
        if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
            return bad("A header value holds a control character.");
        }
        const char* value_end = at;
        while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
        const Header header{{name, static_cast<std::size_t>(name_end - name)},
                            {value, static_cast<std::size_t>(value_end - value)}};
        const bool is_dropped = (rules.underscores && (seen & kUnderscore) != 0) ||
                                (rules.content_length && header.field == field("content-length"));
        if (++lines > rules.most || (!is_dropped && !table.push(header))) {
            return {FaultKind::headers_too_large, "There are too many header lines."};
        }
        note_field(header, {raw, static_cast<std::size_t>(at - raw)}, notes);
        at += 2;
    }
    if (end - at != 2) return bad("A carriage return stands where a header line should begin.");
    if (notes.connection_malformed) return bad("Connection is not a list of tokens.");
    return {};
}

// RFC 9112 section 6.3, with every doubt refused.
Refusal read_framing(const Notes& notes, std::uint8_t minor_version, Framing& framing,
                     std::uint64_t& length) noexcept {
    framing = Framing::none;
    length = 0;
    if (notes.content_lengths + notes.transfer_encodings == 0) return {};
    if (notes.tab_around_framing)
        return bad("A tab stands around Content-Length or Transfer-Encoding.");
    if (notes.transfer_encodings > 0) {
        if (notes.content_lengths > 0)
            return bad("Content-Length and Transfer-Encoding exclude each other.");
        if (minor_version == 0) return bad("HTTP/1.0 has no Transfer-Encoding.");
        if (notes.transfer_encodings > 1 || !text::iequals(notes.transfer_encoding, "chunked")) {
            return bad("Transfer-Encoding is not exactly chunked.");
        }
        framing = Framing::chunked;
        return {};
    }
    const std::string_view digits = notes.content_length;
    const auto value = text::parse_unsigned(digits);
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (notes.content_lengths > 1 || !value || *value > kLargest ||
        (digits.size() > 1 && digits.front() == '0')) {
        return bad("Content-Length is not one plain number.");
    }
    framing = Framing::content_length;
    length = *value;
    return {};
}

// method SP request-target SP HTTP-version CRLF; leaves `at` behind it.
Refusal read_request_line(const char*& at, const char* end, std::size_t uri_bytes,
                          RequestHead& head) noexcept {
    const char* const method = at;
    while (is_class(*at, kTokenChar)) ++at;
    if (at == method || *at != ' ') return bad("The method is not a token.");
    head.method = {method, static_cast<std::size_t>(at - method)};
    const char* const target = ++at;
    while (is_class(*at, kTargetChar)) ++at;
    if (*at != ' ') return bad("The request target holds a byte that may not stand there.");
    const Refusal refusal =
        read_target({target, static_cast<std::size_t>(at - target)}, uri_bytes, head);
    if (refusal.kind != FaultKind::none) return refusal;
    ++at;
    if (end - at < 10 || std::memcmp(at, "HTTP/1.", 7) != 0 || (at[7] != '0' && at[7] != '1') ||
        at[8] != '\r' || at[9] != '\n') {
        return bad("The request line does not end with HTTP/1.0 or HTTP/1.1.");
    }
    head.minor_version = static_cast<std::uint8_t>(at[7] - '0');
    at += 10;
    return {};
}

bool keeps_alive(const Notes& notes, std::uint8_t minor_version) noexcept {
    return !notes.close && (minor_version >= 1 || notes.keep_alive);
}

Refusal read_request(std::string_view bytes, const HeadLimits& limits, RequestHead& head) noexcept {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    if (!bytes.ends_with(kHeadTail)) return bad("A line does not end with CRLF.");
    if (bytes.starts_with("\r\n")) at += 2;
    Refusal refusal = read_request_line(at, end, limits.uri_bytes, head);
    if (refusal.kind != FaultKind::none) return refusal;
    if (bytes.size() > limits.header_bytes) return {FaultKind::headers_too_large, ""};

    Notes notes;
    refusal = read_fields({at, static_cast<std::size_t>(end - at)},
                          {.most = limits.headers, .underscores = true}, head.headers, notes);
    if (refusal.kind != FaultKind::none) return refusal;
    refusal = read_framing(notes, head.minor_version, head.framing, head.content_length);
    if (refusal.kind != FaultKind::none) return refusal;
    if (notes.hosts > 1) return bad("There is more than one Host.");
    if (notes.hosts == 0 && head.minor_version >= 1) return bad("There is no Host.");
    Authority authority;
    if (notes.hosts == 1 && !read_host(notes.host, authority)) return bad("Host is not valid.");
    if (head.host.empty()) {  // else the target has named it, which wins
        head.host = authority.host;
        head.port = authority.port;
    }
    if (notes.authorizations > 1) return bad("There is more than one Authorization.");
    if (notes.expect_other) return bad("Expect asks for something else than 100-continue.");
    head.keep_alive = keeps_alive(notes, head.minor_version);
    head.expect_continue = notes.expect_continue && head.minor_version >= 1;
    return {};
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// HTTP-version SP status-code [ SP [ reason-phrase ] ] CRLF; leaves `at` behind it.
Refusal read_status_line(const char*& at, const char* end, ResponseHead& head) noexcept {
    if (end - at < 14 || std::memcmp(at, "HTTP/1.", 7) != 0 || (at[7] != '0' && at[7] != '1') ||
        at[8] != ' ' || !is_digit(at[9]) || !is_digit(at[10]) || !is_digit(at[11])) {
        return bad("The status line is not HTTP/1.0 or HTTP/1.1 with three digits.");
    }
    head.minor_version = static_cast<std::uint8_t>(at[7] - '0');
    const int status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    head.status = static_cast<std::uint16_t>(status);
    if (head.status < 100 || head.status > 599) return bad("The status is none of HTTP's.");
    at += 12;
    if (*at == ' ') {
        const char* const reason = ++at;
        at = skip_field_value(at, end);
        head.reason = {reason, static_cast<std::size_t>(at - reason)};
    }
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n') {
        return bad("The status line holds a control character.");
    }
    at += 2;
    return {};
}

Refusal read_response(std::string_view bytes, const HeadLimits& limits, bool request_was_head,
                      ResponseHead& head) noexcept {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    if (!bytes.ends_with(kHeadTail)) return bad("A line does not end with CRLF.");
    if (bytes.size() > limits.header_bytes) return bad("The head of the answer is too large.");
    Refusal refusal = read_status_line(at, end, head);
    if (refusal.kind != FaultKind::none) return refusal;
    if (head.status == 101) return bad("The provider switched protocols unasked.");

    Notes notes;
    const bool never_a_body = head.status < 200 || head.status == 204;
    // RFC 9110 section 8.6: such an answer has no Content-Length, and its client would wait.
    refusal =
        read_fields({at, static_cast<std::size_t>(end - at)},
                    {.most = limits.headers, .content_length = never_a_body}, head.headers, notes);
    if (refusal.kind != FaultKind::none) return refusal;
    refusal = read_framing(notes, head.minor_version, head.framing, head.content_length);
    if (refusal.kind != FaultKind::none) return refusal;
    head.keep_alive = keeps_alive(notes, head.minor_version);
    if (never_a_body || head.status == 304 || request_was_head) {
        // A 204 that announces a body may well send one: then the next answer would be misread.
        if (never_a_body && (head.framing == Framing::chunked || head.content_length > 0)) {
            head.keep_alive = false;
        }
        head.framing = Framing::none;
        head.content_length = 0;
    } else if (head.framing == Framing::none) {
        head.framing = Framing::until_close;
        head.keep_alive = false;
    }
    return {};
}

#if defined(__SSE2__)
unsigned line_feeds(const char* at) noexcept {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8('\n'))));
}

// Behind the blocks of 64 bytes without a LF that begin at `at`, of which a token has many.
std::size_t skip_without_line_feed(std::string_view bytes, std::size_t at) noexcept {
    while (bytes.size() - at >= 64) {
        const auto load = [&](std::size_t offset) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at + offset));
        };
        const __m128i lf = _mm_set1_epi8('\n');
        const __m128i first =
            _mm_or_si128(_mm_cmpeq_epi8(load(0), lf), _mm_cmpeq_epi8(load(16), lf));
        const __m128i last =
            _mm_or_si128(_mm_cmpeq_epi8(load(32), lf), _mm_cmpeq_epi8(load(48), lf));
        if (_mm_movemask_epi8(_mm_or_si128(first, last)) != 0) break;
        at += 64;
    }
    return at;
}
#endif

// Whether the LF at `index` ends an empty line that is not the one allowed before the head.
bool ends_head(std::string_view bytes, std::size_t index) noexcept {
    if (index == 0 || bytes[index - 1] == '\n') return true;
    return bytes[index - 1] == '\r' && index >= 2 && bytes[index - 2] == '\n';
}

}  // namespace

std::size_t HeadEnd::find(std::string_view bytes) noexcept {
    std::size_t at = std::min(scanned, bytes.size());
#if defined(__SSE2__)
    while (bytes.size() - at >= 16) {
        const unsigned found = line_feeds(bytes.data() + at);
        for (unsigned mask = found; mask != 0; mask &= mask - 1) {
            scanned = at + static_cast<std::size_t>(std::countr_zero(mask));
            if (ends_head(bytes, scanned)) return scanned + 1;
        }
        at += 16;
        if (found == 0) at = skip_without_line_feed(bytes, at);  // within a long value, as a rule
    }
#endif
    for (; at < bytes.size(); ++at) {
        scanned = at;
        if (bytes[at] == '\n' && ends_head(bytes, at)) return at + 1;
    }
    scanned = bytes.size();
    return 0;
}

Result<void> parse_request_head(std::string_view bytes, const HeadLimits& limits,
                                RequestHead& head) {
    head.method = head.target = head.path = head.query = head.host = head.port = {};
    head.minor_version = 1;
    head.keep_alive = false;
    head.expect_continue = false;
    head.framing = Framing::none;
    head.content_length = 0;
    head.headers.clear();
    const Refusal refusal = read_request(bytes, limits, head);
    if (refusal.kind != FaultKind::none) return Fault::client(refusal.kind, refusal.detail);
    return {};
}

Result<void> parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                 bool request_was_head, ResponseHead& head) {
    head.status = 0;
    head.reason = {};
    head.minor_version = 1;
    head.keep_alive = false;
    head.framing = Framing::none;
    head.content_length = 0;
    head.headers.clear();
    const Refusal refusal = read_response(bytes, limits, request_was_head, head);
    if (refusal.kind != FaultKind::none) {
        return Fault::upstream(FaultKind::upstream_protocol_error, refusal.detail);
    }
    return {};
}

}  // namespace rotary::wire
