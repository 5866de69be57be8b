#include <rotary/wire/http1_writer.hpp>

#include <rotary/base/hop_by_hop.hpp>
#include <rotary/wire/http1_scan.hpp>

#include <charconv>
#include <cstring>

namespace rotary::wire {
namespace {

bool is_named_by_connection(std::string_view name, const HeaderTable& headers) noexcept {
    for (const Header& header : headers) {
        if (header.field != field("connection")) continue;
        std::string_view list = header.value;
        while (!list.empty()) {
            if (text::iequals(http1::take_element(list), name)) return true;
        }
    }
    return false;
}

bool starts_with_x(std::string_view name) noexcept {
    return name.size() > 6 && text::lower(name[0]) == 'x' && name[1] == '-';
}

}  // namespace

bool is_token(std::string_view name) noexcept {
    return !name.empty() && http1::all_of_class(name, http1::kTokenChar);
}

bool is_field_value(std::string_view value) noexcept {
    const char* at = value.data();
    const char* const end = at + value.size();
#if defined(__SSE2__)
    if (value.size() >= 16) {
        for (; end - at > 16; at += 16) {
            if (http1::refused_in_value(at) != 0) return false;
        }
        return http1::refused_in_value(end - 16) == 0;  // the last sixteen, some of them again
    }
#endif
    return http1::all_of_class(value, http1::kFieldChar);
}

void HeadWriter::append(std::string_view raw) noexcept {
    if (!ok_ || raw.size() > capacity_ - size_) {
        ok_ = false;
        return;
    }
    if (raw.empty()) return;
    std::memcpy(data_ + size_, raw.data(), raw.size());
    size_ += raw.size();
}

void HeadWriter::status_line(std::uint16_t status, std::string_view reason) noexcept {
    if (status < 100 || status > 599 || !is_field_value(reason)) {
        ok_ = false;
        return;
    }
    const char digits[] = {static_cast<char>('0' + status / 100),
                           static_cast<char>('0' + status / 10 % 10),
                           static_cast<char>('0' + status % 10), ' '};
    append("HTTP/1.1 ");
    append({digits, sizeof digits});
    append(reason);
    append("\r\n");
}

void HeadWriter::request_line(std::string_view method, std::string_view target) noexcept {
    if (!is_token(method) || !target.starts_with('/') ||
        !http1::all_of_class(target, http1::kTargetChar)) {
        ok_ = false;
        return;
    }
    append(method);
    append(" ");
    append(target);
    append(" HTTP/1.1\r\n");
}

void HeadWriter::put(std::string_view name, std::string_view between,
                     std::string_view value) noexcept {
    const std::size_t size = name.size() + between.size() + value.size() + 2;
    if (!ok_ || size > capacity_ - size_) {
        ok_ = false;
        return;
    }
    const auto copy = [](char* at, std::string_view text) {
        if (!text.empty()) std::memcpy(at, text.data(), text.size());
        return at + text.size();
    };
    char* at = copy(data_ + size_, name);
    at = copy(at, between);
    at = copy(at, value);
    at[0] = '\r';
    at[1] = '\n';
    size_ += size;
}

void HeadWriter::header(std::string_view name, std::string_view value) noexcept {
    ok_ = ok_ && is_token(name) && is_field_value(value);
    put(name, ": ", value);
}

void HeadWriter::line(FieldName name, std::string_view value) noexcept {
    ok_ = ok_ && is_field_value(value);
    put(name.text(), {}, value);
}

void HeadWriter::line(FieldName name, std::uint64_t value) noexcept {
    constexpr std::size_t kLineEnd = 2;
    const std::string_view text = name.text();
    char* const begin = data_ + size_;
    const std::size_t room = capacity_ - size_;
    ok_ = ok_ && room >= text.size() + kLineEnd;
    if (!ok_) return;
    std::memcpy(begin, text.data(), text.size());
    const auto [end, error] = std::to_chars(begin + text.size(), begin + room - kLineEnd, value);
    ok_ = error == std::errc{};
    if (!ok_) return;
    end[0] = '\r';
    end[1] = '\n';
    size_ += static_cast<std::size_t>(end - begin) + kLineEnd;
}

void HeadWriter::line(const Header& header) noexcept { put(header.name, ": ", header.value); }

void HeadWriter::finish() noexcept { append("\r\n"); }

// NOLINTNEXTLINE(readability-function-size): a table, a row a status
std::string_view reason_phrase(std::uint16_t status) noexcept {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 402:
            return "Payment Required";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 424:
            return "Failed Dependency";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "";
    }
}

bool is_hop_by_hop(std::string_view name, const HeaderTable& headers) noexcept {
    if (text::is_hop_by_hop(name)) return true;
    return headers.names_hops() && is_named_by_connection(name, headers);
}

bool is_withheld_from_client(std::string_view name) noexcept {
    const auto is = [name](std::string_view other) { return text::iequals(name, other); };
    if (starts_with_x(name) && text::istarts_with(name, "x-envoy-")) return true;
    switch (name.size()) {
        case 6:
            return is("server");
        case 7:
            return is("alt-svc");
        case 10:
            return is("set-cookie");
        case 14:
            return is("openai-project");
        case 17:
            return is("openai-project-id");
        case 19:
            return is("openai-organization");
        default:
            return false;
    }
}

}  // namespace rotary::wire
