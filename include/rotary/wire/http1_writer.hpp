#pragma once

#include <rotary/wire/http1_scan.hpp>
#include <rotary/wire/message.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rotary::wire {

// A field name of ours with its colon, checked when it is compiled.
class FieldName {
public:
    template <std::size_t size>
    consteval FieldName(const char (&text)[size]) : text_(text, size - 1) {
        if (!text_.ends_with(": ") ||
            !http1::all_of_class(text_.substr(0, size - 3), http1::kTokenChar))
            throw "a token, a colon and a space";
    }
    constexpr std::string_view text() const noexcept { return text_; }

private:
    std::string_view text_;
};

// Appends to a buffer of fixed capacity that its caller owns; remembers when it did not fit.
// Header values with CR, LF or NUL and names that are no token are refused the same way: nothing
// this class wrote can be read as two lines (RFC 9110 section 5.5).
class HeadWriter {
public:
    HeadWriter(char* data, std::size_t capacity) noexcept : data_(data), capacity_(capacity) {}

    void status_line(std::uint16_t status, std::string_view reason) noexcept;
    void request_line(std::string_view method, std::string_view target) noexcept;
    void header(std::string_view name, std::string_view value) noexcept;
    void line(FieldName name, std::string_view value) noexcept;
    void line(FieldName name, std::uint64_t value) noexcept;
    // A line that was read, and checked by that.
    void line(const Header& header) noexcept;
    void append(std::string_view raw) noexcept;  // compiled lines, already checked
    void finish() noexcept;                      // the empty line

    bool ok() const noexcept { return ok_; }
    std::string_view view() const noexcept { return {data_, size_}; }
    std::size_t size() const noexcept { return size_; }

private:
    // What stands between the name and the value is the caller's business.
    void put(std::string_view name, std::string_view between, std::string_view value) noexcept;

    char* data_;
    std::size_t capacity_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

bool is_token(std::string_view name) noexcept;         // RFC 9110 section 5.6.2
bool is_field_value(std::string_view value) noexcept;  // no CTL but HTAB
std::string_view reason_phrase(std::uint16_t status) noexcept;

// Whether a field belongs to this connection only: the fixed list of RFC 9110 section 7.6.1, or
// named by the message's own Connection field.
bool is_hop_by_hop(std::string_view name, const HeaderTable& headers) noexcept;

// What of a provider's answer stays here: Set-Cookie, Server, Alt-Svc and its organisation's names.
bool is_withheld_from_client(std::string_view name) noexcept;

}  // namespace rotary::wire
