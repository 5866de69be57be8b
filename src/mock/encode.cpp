#include <mock/answers.hpp>

#include <rotary/base/json_text.hpp>
#include <rotary/base/text.hpp>

#include <boost/beast/http/status.hpp>

#include <array>
#include <cstdio>

namespace rotary::mock {

namespace {

// Types and codes as OpenAI sends them with these statuses.
struct ErrorRow {
    unsigned status;
    std::string_view type;
    std::string_view code;  // empty: null
    std::string_view message;
};

constexpr ErrorRow kErrors[] = {
    {400, "invalid_request_error", "", "The request is not valid."},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    {403, "request_forbidden", "", "This is not allowed here."},
    {404, "invalid_request_error", "", "Invalid URL."},
    {405, "invalid_request_error", "method_not_supported", "Not allowed to do this here."},
    {413, "invalid_request_error", "", "The request is too large."},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."},
    {503, "service_unavailable_error", "server_is_overloaded", "The server is overloaded."},
    {529, "overloaded_error", "", "Overloaded."},
};

ErrorRow error_row(unsigned status) {
    for (const ErrorRow& row : kErrors) {
        if (row.status == status) return row;
    }
    if (status >= 500) return {status, "server_error", "", "The server had an error."};
    return {status, "invalid_request_error", "", "The request was refused."};
}

std::string_view reason(unsigned status) {
    if (status == 529) return "Site Is Overloaded";
    const std::string_view text =
        boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
    return text.empty() ? std::string_view("Unknown") : text;
}

// A canned answer may frame itself, rightly or wrongly.
bool frames_itself(std::string_view header_lines) {
    for (std::size_t at = 0; at < header_lines.size();) {
        const std::size_t end = header_lines.find("\r\n", at);
        const std::string_view line = header_lines.substr(at, end - at);
        if (text::istarts_with(line, "content-length:") ||
            text::istarts_with(line, "transfer-encoding:")) {
            return true;
        }
        if (end == std::string_view::npos) break;
        at = end + 2;
    }
    return false;
}

bool has_no_body(unsigned status) { return status / 100 == 1 || status == 204 || status == 304; }

std::string chunk(std::string_view bytes) {
    std::array<char, 24> size{};
    const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    std::string out;
    out.reserve(bytes.size() + 24);
    out.append(size.data(), static_cast<std::size_t>(length)).append(bytes).append("\r\n");
    return out;
}

}  // namespace

Answer error_answer(unsigned status) {
    const ErrorRow row = error_row(status);
    return error_answer(status, row.type, row.code, row.message);
}

Answer error_answer(unsigned status, std::string_view type, std::string_view code,
                    std::string_view message) {
    Answer answer;
    answer.status = status;
    answer.header_lines = "content-type: application/json\r\n";
    if (has_no_body(status)) return answer;
    answer.body = "{\"error\":{\"message\":";
    text::append_json_string(answer.body, message);
    answer.body += ",\"type\":";
    text::append_json_string(answer.body, type);
    answer.body += ",\"param\":null,\"code\":";
    if (code.empty()) {
        answer.body += "null";
    } else {
        text::append_json_string(answer.body, code);
    }
    answer.body += "}}";
    return answer;
}

std::vector<std::string> encode(Answer& answer, const Framing& framing) {
    std::vector<std::string> pieces;
    if (answer.bare) {
        pieces.push_back(std::move(answer.body));
        return pieces;
    }
    // HTTP/1.0 knows no chunks: there a stream ends with its connection.
    const bool chunked = answer.stream && framing.http11;
    if (answer.stream && !framing.http11 && answer.end == End::keep_alive) answer.end = End::fin;
    if (!framing.keep_alive && answer.end == End::keep_alive) answer.end = End::fin;

    std::string head = "HTTP/1.1 ";
    head += std::to_string(answer.status);
    head += ' ';
    head += reason(answer.status);
    head += "\r\n";
    head += answer.header_lines;
    if (chunked) {
        head += "transfer-encoding: chunked\r\n";
    } else if (!answer.stream && !has_no_body(answer.status) &&
               !frames_itself(answer.header_lines)) {
        head += "content-length: ";
        head += std::to_string(answer.body.size());
        head += "\r\n";
    }
    if (!framing.keep_alive || (answer.stream && !chunked)) {
        head += "connection: close\r\n";
    } else if (!framing.http11) {
        head += "connection: keep-alive\r\n";
    }
    head += "\r\n";
    if (!answer.stream) {
        if (!framing.head_only) head += answer.body;
        pieces.push_back(std::move(head));
        return pieces;
    }
    pieces.reserve(answer.events.size() + 2);
    pieces.push_back(std::move(head));
    if (framing.head_only) return pieces;
    for (std::string& event : answer.events) {
        pieces.push_back(chunked ? chunk(event) : std::move(event));
    }
    if (chunked) pieces.back() += "0\r\n\r\n";
    return pieces;
}

}  // namespace rotary::mock
