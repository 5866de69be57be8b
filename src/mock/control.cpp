// The paths under /__mock/: what the mock tells about itself.
#include <mock/answers.hpp>

#include <rotary/base/clock.hpp>
#include <rotary/base/json_text.hpp>
#include <rotary/base/utf8.hpp>

namespace rotary::mock {

namespace {

bool is_utf8(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const std::size_t size = text::utf8_sequence(at, end);
        if (size == 0) return false;
        at += size;
    }
    return true;
}

// JSON is UTF-8. Bytes that are not are shown as Latin-1, one character a byte, so none is lost.
// True when the text was UTF-8.
bool append_any_bytes(std::string& out, std::string_view text) {
    if (is_utf8(text)) {
        text::append_json_string(out, text);
        return true;
    }
    std::string characters;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            characters += c;
        } else {
            characters += static_cast<char>(0xC0 | (byte >> 6));
            characters += static_cast<char>(0x80 | (byte & 0x3F));
        }
    }
    text::append_json_string(out, characters);
    return false;
}

void append_request(std::string& out, const Captured& request) {
    out += "{\"method\":";
    append_any_bytes(out, request.method);
    out += ",\"path\":";
    append_any_bytes(out, request.target);
    TimestampBuffer buffer;
    out += ",\"time\":\"";
    out += format_timestamp(request.received_on, buffer);
    out += "\",\"connection\":" + std::to_string(request.connection) + ",\"headers\":[";
    const char* separator = "";
    for (const auto& [name, value] : request.headers) {
        out += separator;
        out += '[';
        append_any_bytes(out, name);
        out += ',';
        append_any_bytes(out, value);
        out += ']';
        separator = ",";
    }
    out += "],\"body\":";
    const bool utf8 = append_any_bytes(out, request.body);
    out += utf8 ? ",\"body_encoding\":\"utf-8\"}" : ",\"body_encoding\":\"latin-1\"}";
}

}  // namespace

Answer Answers::captured_requests() const {
    Answer answer;
    answer.header_lines = "content-type: application/json\r\n";
    answer.body = "{\"requests\":[";
    const char* separator = "";
    for (const auto& request : state_.requests()) {
        answer.body += separator;
        append_request(answer.body, *request);
        separator = ",";
    }
    answer.body += "],\"count\":" + std::to_string(state_.request_count()) + "}";
    return answer;
}

Answer Answers::told_usage() const {
    Answer answer;
    answer.header_lines = "content-type: application/json\r\n";
    answer.body = "{\"models\":[";
    const char* separator = "";
    for (const auto& [model, sum] : state_.usage_sums()) {
        answer.body += separator;
        answer.body += "{\"model\":";
        append_any_bytes(answer.body, model);
        answer.body += ",\"answers\":" + std::to_string(sum.answers) +
                       ",\"told\":" + std::to_string(sum.told) +
                       ",\"input_tokens\":" + std::to_string(sum.input) +
                       ",\"output_tokens\":" + std::to_string(sum.output) + "}";
        separator = ",";
    }
    answer.body += "]}";
    return answer;
}

Answer Answers::control(const Captured& request, std::string_view path) {
    if (path == "/__mock/requests" && request.method == "GET") return captured_requests();
    if (path == "/__mock/usage" && request.method == "GET") return told_usage();
    if (path == "/__mock/reset" && request.method == "POST") {
        state_.reset();
        Answer answer;
        answer.header_lines = "content-type: application/json\r\n";
        answer.body = "{\"reset\":true}";
        return answer;
    }
    return error_answer(404, "invalid_request_error", "",
                        "This mock knows GET /__mock/requests, GET /__mock/usage and "
                        "POST /__mock/reset.");
}

}  // namespace rotary::mock
