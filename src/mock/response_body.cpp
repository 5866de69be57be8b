#include <mock/response_body.hpp>

#include <rotary/base/json_text.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace rotary::mock {

namespace {

std::string id_of(const char* prefix, std::uint64_t id) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%s_%016llx", prefix,
                  static_cast<unsigned long long>(id));
    return text.data();
}

std::string part(const std::string& text) {
    return R"({"type":"output_text","annotations":[],"logprobs":[],"text":")" + text + "\"}";
}

std::string message(const Told& told, bool done) {
    std::string out = R"({"type":"message","role":"assistant","id":")" + id_of("msg", told.id);
    out +=
        done ? R"(","status":"completed","content":[)" : R"(","status":"in_progress","content":[)";
    if (done) out += part(told.content());
    return out + "]}";
}

std::string usage(const Asked& asked, const Told& told) {
    const std::uint64_t output = told.words.size();
    return "{\"input_tokens\":" + std::to_string(asked.prompt_tokens) +
           ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":" +
           std::to_string(output) + ",\"output_tokens_details\":{\"reasoning_tokens\":0}," +
           "\"total_tokens\":" + std::to_string(asked.prompt_tokens + output) + "}";
}

std::string response(const Asked& asked, const Told& told, bool done) {
    std::string out = R"({"id":")" + id_of("resp", told.id);
    out += R"(","object":"response","created_at":)" + std::to_string(std::time(nullptr));
    out += R"(,"status":")";
    out += done ? "completed" : "in_progress";
    out += R"(","error":null,"incomplete_details":null,"instructions":null,)";
    out += R"("max_output_tokens":null,"model":)";
    text::append_json_string(out, told.model);
    out += R"(,"output":[)";
    if (done) out += message(told, true);
    out += R"(],"parallel_tool_calls":true,"previous_response_id":null,)";
    out += R"("reasoning":{"effort":null,"summary":null},"store":false,"temperature":1.0,)";
    out += R"("text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,)";
    out += R"("truncation":"disabled","user":null,"metadata":{},"usage":)";
    out += done ? usage(asked, told) : "null";
    return out + "}";
}

}  // namespace

std::string response_body(const Asked& asked, const Told& told) {
    return response(asked, told, true);
}

std::vector<std::string> response_events(const Asked& asked, const Told& told) {
    std::vector<std::string> events;
    events.reserve(told.words.size() + 8);
    const auto add = [&](const std::string& type, const std::string& more) {
        events.push_back("event: response." + type + "\ndata: {\"type\":\"response." + type +
                         "\",\"sequence_number\":" + std::to_string(events.size()) + "," + more +
                         "}\n\n");
    };
    const std::string in_part =
        "\"item_id\":\"" + id_of("msg", told.id) + "\",\"output_index\":0,\"content_index\":0,";
    add("created", "\"response\":" + response(asked, told, false));
    add("in_progress", "\"response\":" + response(asked, told, false));
    add("output_item.added", "\"output_index\":0,\"item\":" + message(told, false));
    add("content_part.added", in_part + "\"part\":" + part(""));
    for (const std::string& word : told.words) {
        add("output_text.delta", in_part + R"("logprobs":[],"delta":")" + word + "\"");
    }
    add("output_text.done", in_part + R"("logprobs":[],"text":")" + told.content() + "\"");
    add("content_part.done", in_part + "\"part\":" + part(told.content()));
    add("output_item.done", "\"output_index\":0,\"item\":" + message(told, true));
    add("completed", "\"response\":" + response(asked, told, true));
    return events;
}

}  // namespace rotary::mock
