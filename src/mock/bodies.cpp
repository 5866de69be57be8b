// The JSON of answers: chats, completions and embeddings. Responses: response_body.cpp.
#include <mock/bodies.hpp>
#include <mock/response_body.hpp>

#include <rotary/base/json_text.hpp>
#include <rotary/wire/base64url.hpp>

#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace rotary::mock {

namespace {

bool is_chat(const Asked& asked) { return asked.endpoint == Endpoint::chat; }

// {"id":…,"object":…,"created":…,"model":…,"system_fingerprint":null, and no closing brace.
std::string open_object(const Asked& asked, const Told& told) {
    const char* object = is_chat(asked) ? "chat.completion" : "text_completion";
    std::array<char, 160> start{};
    std::snprintf(start.data(), start.size(),
                  "{\"id\":\"%s-%016llx\",\"object\":\"%s%s\",\"created\":%lld,\"model\":",
                  is_chat(asked) ? "chatcmpl" : "cmpl", static_cast<unsigned long long>(told.id),
                  object, is_chat(asked) && asked.stream ? ".chunk" : "",
                  static_cast<long long>(std::time(nullptr)));
    std::string text = start.data();
    text::append_json_string(text, told.model);
    text += ",\"system_fingerprint\":null";
    return text;
}

std::string usage(const Asked& asked, const Told& told) {
    const std::uint64_t completion = told.words.size();
    return "{\"prompt_tokens\":" + std::to_string(asked.prompt_tokens) +
           ",\"completion_tokens\":" + std::to_string(completion) +
           ",\"total_tokens\":" + std::to_string(asked.prompt_tokens + completion) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":0},"
           "\"completion_tokens_details\":{\"reasoning_tokens\":0}}";
}

// Number `at` of the embedding of text number `of`: exact in decimals and as a float.
float component(std::uint64_t of, std::uint64_t at) {
    return static_cast<float>((of + at) % 7 + 1) / 8;
}

void append_embedding(std::string& out, const Asked& asked, std::uint64_t number) {
    if (asked.base64) {
        std::string packed;
        for (std::uint64_t at = 0; at < asked.dimensions; ++at) {
            const float value = component(number, at);
            std::array<char, sizeof value> bytes{};  // little-endian, as this machine is
            std::memcpy(bytes.data(), &value, sizeof value);
            packed.append(bytes.data(), bytes.size());
        }
        out += '"';
        out += wire::base64_encode(packed);
        out += '"';
        return;
    }
    char separator = '[';
    for (std::uint64_t at = 0; at < asked.dimensions; ++at) {
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "%c%.3f", separator,
                      static_cast<double>(component(number, at)));
        out += text.data();
        separator = ',';
    }
    out += ']';
}

std::string embeddings(const Asked& asked, const Told& told) {
    std::string out = "{\"object\":\"list\",\"data\":";
    char separator = '[';
    for (std::uint64_t number = 0; number < asked.inputs; ++number) {
        out += separator;
        out += "{\"object\":\"embedding\",\"index\":" + std::to_string(number) + ",\"embedding\":";
        append_embedding(out, asked, number);
        out += '}';
        separator = ',';
    }
    out += "],\"model\":";
    text::append_json_string(out, told.model);
    const std::string tokens = std::to_string(asked.prompt_tokens);
    out += ",\"usage\":{\"prompt_tokens\":";
    out.append(tokens).append(",\"total_tokens\":").append(tokens).append("}}");
    return out;
}

}  // namespace

std::string Told::content() const {
    std::string all;
    for (const std::string& word : words) all += word;
    return all;
}

std::string plain_body(const Asked& asked, const Told& told) {
    if (asked.endpoint == Endpoint::embedding) return embeddings(asked, told);
    if (asked.endpoint == Endpoint::response) return response_body(asked, told);
    std::string body = open_object(asked, told);
    body += is_chat(asked)
                ? ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\""
                : ",\"choices\":[{\"index\":0,\"text\":\"";
    body += told.content();
    body += is_chat(asked) ? "\",\"refusal\":null}" : "\"";
    body += ",\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":";
    body += usage(asked, told);
    body += '}';
    return body;
}

std::vector<std::string> stream_events(const Asked& asked, const Told& told) {
    if (asked.endpoint == Endpoint::response) return response_events(asked, told);
    std::vector<std::string> events;
    const std::string start = "data: " + open_object(asked, told);
    const auto add_choice = [&](const std::string& what, std::string_view finish) {
        std::string event =
            start + ",\"choices\":[{\"index\":0," + what + ",\"logprobs\":null,\"finish_reason\":";
        event.append(finish).append(asked.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n");
        events.push_back(std::move(event));
    };
    events.reserve(told.words.size() + 4);
    if (is_chat(asked)) {
        add_choice(R"("delta":{"role":"assistant","content":""})", "null");
        for (const std::string& word : told.words) {
            add_choice("\"delta\":{\"content\":\"" + word + "\"}", "null");
        }
        add_choice("\"delta\":{}", "\"stop\"");
    } else {
        for (const std::string& word : told.words) add_choice("\"text\":\"" + word + "\"", "null");
        add_choice(R"("text":"")", "\"stop\"");
    }
    if (asked.include_usage) {
        events.push_back(start + ",\"choices\":[],\"usage\":" + usage(asked, told) + "}\n\n");
    }
    events.emplace_back("data: [DONE]\n\n");
    return events;
}

}  // namespace rotary::mock
