// What a FaultyProvider has to say, and how.
#include <support/faulty_provider.hpp>

#include <rotary/base/text.hpp>

#include <algorithm>

namespace rotary::test {

const char* to_string(ProviderPhase phase) {
    switch (phase) {
        case ProviderPhase::accept:
            return "Accept";
        case ProviderPhase::tls_handshake:
            return "TlsHandshake";
        case ProviderPhase::request:
            return "Request";
        case ProviderPhase::before_head:
            return "BeforeHead";
        case ProviderPhase::in_head:
            return "InHead";
        case ProviderPhase::after_head:
            return "AfterHead";
        case ProviderPhase::before_first_event:
            return "BeforeFirstEvent";
        case ProviderPhase::in_first_event:
            return "InFirstEvent";
        case ProviderPhase::mid_body:
            return "MidBody";
        case ProviderPhase::after_done:
            return "AfterDone";
    }
    return "";
}

const char* to_string(ProviderFault fault) {
    switch (fault) {
        case ProviderFault::none:
            return "None";
        case ProviderFault::fin:
            return "Fin";
        case ProviderFault::rst:
            return "Rst";
        case ProviderFault::stall:
            return "Stall";
        case ProviderFault::garbage:
            return "Garbage";
        case ProviderFault::tls_truncation:
            return "TlsTruncation";
        case ProviderFault::slow_head:
            return "SlowHead";
    }
    return "";
}

ProviderAnswer json_answer(std::size_t bytes, bool chunked) {
    ProviderAnswer answer;
    answer.chunked = chunked;
    answer.body =
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"recorded",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
    const std::string tail =
        R"("},"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}})";
    for (std::size_t i = 0; answer.body.size() + tail.size() < bytes; ++i) {
        answer.body += "word " + std::to_string(i) + " ";
    }
    answer.body += tail;
    return answer;
}

ProviderAnswer stream_answer(std::string events) {
    ProviderAnswer answer;
    answer.type = "text/event-stream";
    answer.chunked = true;
    answer.body = std::move(events);
    return answer;
}

const std::string& recorded_stream() {
    static const std::string stream = [] {
        const auto event = [](const std::string& choices, const std::string& usage) {
            return "data: {\"id\":\"chatcmpl-B9\",\"object\":\"chat.completion.chunk\","
                   "\"created\":1741569952,\"model\":\"recorded\",\"choices\":[" +
                   choices + "],\"usage\":" + usage + "}\n\n";
        };
        const auto delta = [&](const std::string& text) {
            return event(
                R"({"index":0,"delta":{"content":")" + text + R"("},"finish_reason":null})",
                "null");
        };
        return event(R"({"index":0,"delta":{"role":"assistant","content":""},)"
                     R"("finish_reason":null})",
                     "null") +
               delta("Gr\xc3\xbc\xc3\x9f dich") + delta(" \xe4\xbd\xa0\xe5\xa5\xbd") +
               delta(" \xf0\x9f\x8c\x8d\\n\\n") + delta(" data: [DONE]") +
               event(R"({"index":0,"delta":{},"finish_reason":"stop"})", "null") +
               event("", R"({"prompt_tokens":9,"completion_tokens":12,"total_tokens":21})") +
               "data: [DONE]\n\n";
    }();
    return stream;
}

std::vector<std::string> events_of(std::string_view stream) {
    std::vector<std::string> events;
    while (!stream.empty()) {
        const std::size_t end = stream.find("\n\n");
        const std::size_t size = end == std::string_view::npos ? stream.size() : end + 2;
        events.emplace_back(stream.substr(0, size));
        stream.remove_prefix(size);
    }
    return events;
}

std::string ProviderRequest::header(std::string_view name) const {
    for (std::size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
        const std::size_t begin = at + 2;
        const std::string_view line(head.data() + begin, head.find("\r\n", begin) - begin);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (!text::iequals(line.substr(0, colon), name)) continue;
        const std::string_view value = line.substr(colon + 1);
        return std::string(value.substr(std::min(value.find_first_not_of(' '), value.size())));
    }
    return "";
}

bool ProviderRequest::wants_stream() const {
    return body.find("\"stream\":true") != std::string::npos;
}

}  // namespace rotary::test
