#include <mock/answers.hpp>

#include <rotary/base/json_text.hpp>
#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace rotary::mock {

// What a chat request asks for.
struct Answers::Chat {
    bool valid = false;  // the body is a JSON object with a model that is a string
    std::string model;
    bool stream = false;
    bool include_usage = false;
    std::uint64_t prompt_tokens = 0;
};

namespace {

constexpr std::string_view kWords[] = {"The",   "wheel", "turns", "and",   "each", "model",
                                       "takes", "its",   "share", "until", "one",  "rests."};
constexpr std::size_t kJsonDepth = 512;

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Go's durations, as OpenAI writes them: 120ms, 2.1s, 6m0s, 1h0m3s.
std::string go_duration(std::chrono::nanoseconds duration) {
    const auto all = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    if (all < 1000) return std::to_string(all) + "ms";
    const auto minutes = all / 60'000;
    std::string text;
    if (minutes >= 60) text += std::to_string(minutes / 60) + "h";
    if (minutes > 0) text += std::to_string(minutes % 60) + "m";
    text += std::to_string(all % 60'000 / 1000);
    if (auto rest = all % 1000; rest != 0) {
        std::array<char, 8> fraction{};
        std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(rest));
        std::string digits = fraction.data();
        digits.erase(digits.find_last_not_of('0') + 1);
        text += digits;
    }
    return text + "s";
}

void add_header(std::string& lines, std::string_view name, std::string_view value) {
    lines.append(name).append(": ").append(value).append("\r\n");
}

void add_rate_limit_headers(Answer& answer, const QuotaVerdict& quota) {
    std::string& lines = answer.header_lines;
    add_header(lines, "x-ratelimit-limit-requests", std::to_string(quota.limit));
    add_header(lines, "x-ratelimit-remaining-requests", std::to_string(quota.remaining));
    add_header(lines, "x-ratelimit-reset-requests", go_duration(quota.reset_in));
}

Answer quota_answer(const MockOptions& options, const QuotaVerdict& quota,
                    const std::string& model) {
    const auto wait = quota.reset_in;
    const std::string limit = std::to_string(quota.limit);
    Answer answer = error_answer(
        429, "requests", "rate_limit_exceeded",
        "Rate limit reached for " + model + " on requests per window: Limit " + limit + ", Used " +
            limit + ", Requested 1. Please try again in " + go_duration(wait) + ".");
    std::string& lines = answer.header_lines;
    if (options.retry_after) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
        add_header(lines, "retry-after", std::to_string(seconds));
    }
    if (options.retry_after_ms) {
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
        add_header(lines, "retry-after-ms", std::to_string(milliseconds));
    }
    add_rate_limit_headers(answer, quota);
    return answer;
}

// Text in the messages; a token is about four bytes of it.
std::uint64_t text_bytes(const wire::JsonValue& messages) {
    std::uint64_t bytes = 0;
    for (const wire::JsonValue message : messages.elements()) {
        const auto content = message.find("content");
        if (!content) continue;
        if (const auto text = content->string()) bytes += text->size();
        for (const wire::JsonValue part : content->elements()) {
            const auto text = part.find("text");
            if (text && text->string()) bytes += text->string()->size();
        }
    }
    return bytes;
}

}  // namespace

Answers::Answers(State& state) : state_(state) {
    for (unsigned i = 0; i < state.options().tokens; ++i) {
        std::string word = i == 0 ? "" : " ";
        word += kWords[i % std::size(kWords)];
        content_ += word;
        words_.push_back(std::move(word));
    }
}

Answers::Chat Answers::read_chat(const std::string& body) {
    Chat chat;
    const auto document = wire::JsonDocument::parse(body, {kJsonDepth, body.size()});
    if (!document) return chat;
    const wire::JsonValue root = document->root();
    const auto model = root.find("model");
    if (!model || !model->string()) return chat;
    chat.valid = true;
    chat.model = *model->string();
    if (const auto stream = root.find("stream")) chat.stream = stream->boolean().value_or(false);
    if (const auto options = root.find("stream_options")) {
        const auto include = options->find("include_usage");
        chat.include_usage = include && include->boolean().value_or(false);
    }
    if (const auto messages = root.find("messages")) {
        chat.prompt_tokens = (text_bytes(*messages) + 3) / 4;
    }
    return chat;
}

Answer Answers::answer(std::shared_ptr<const Captured> request) {
    const std::string_view target = request->target;
    const std::string_view path = target.substr(0, target.find('?'));
    if (path.starts_with("/__mock/")) return control(*request, path);
    ++next_id_;
    Answer answer = decide(*request, path);
    // Behind the decision: who waits for the request may set the fault of the next one.
    if (state_.options().kept_requests > 0) state_.record(std::move(request));
    if (answer.own_headers) return answer;
    std::array<char, 40> id{};
    std::snprintf(id.data(), id.size(), "req_%016llx", static_cast<unsigned long long>(next_id_));
    add_header(answer.header_lines, "x-request-id", id.data());
    return answer;
}

Answer Answers::decide(const Captured& request, std::string_view path) {
    const std::string& key = state_.options().require_key;
    if (!key.empty() && request.header("authorization") != key) return error_answer(401);

    Chat chat;
    if (ends_with(path, "/chat/completions")) chat = read_chat(request.body);
    MockFault fault;
    if (request.has_header("x-mock-fault")) {
        auto parsed = MockFault::parse(request.header("x-mock-fault"));
        if (!parsed) {
            return error_answer(400, "invalid_request_error", "unknown_fault",
                                "No fault of this mock: x-mock-fault is reset, stall, "
                                "close-after=N, truncate=N, garbage, slow-head=DURATION or "
                                "status=N.");
        }
        fault = std::move(*parsed);
    } else {
        fault = state_.take_fault(chat.model);
    }
    if (fault.kind != MockFault::Kind::none) return faulty(fault, request, chat, path);
    return regular(request, chat, path);
}

Answer Answers::faulty(const MockFault& fault, const Captured& request, const Chat& chat,
                       std::string_view path) {
    using Kind = MockFault::Kind;
    Answer answer;
    switch (fault.kind) {
        case Kind::status:
            return error_answer(fault.status);
        case Kind::canned:
            answer.status = fault.status;
            answer.own_headers = true;
            for (const auto& [name, value] : fault.headers) {
                add_header(answer.header_lines, name, value);
            }
            answer.body = fault.text;
            return answer;
        case Kind::garbage:
        case Kind::raw:
            answer.bare = true;
            answer.end = End::fin;
            answer.body =
                fault.kind == Kind::raw ? fault.text : "\x16\x03\x01\xff\xfeHTTP? \r\nno\n\n";
            return answer;
        default:
            break;
    }
    answer = regular(request, chat, path);
    if (fault.kind == Kind::slow_head) {
        answer.delay += fault.delay;
        return answer;
    }
    answer.cut_at = fault.bytes;
    switch (fault.kind) {
        case Kind::reset:
            answer.end = End::reset;
            break;
        case Kind::stall:
            answer.end = End::stall;
            break;
        case Kind::truncate:
            answer.end = End::truncate;
            break;
        default:
            answer.end = End::fin;
            break;
    }
    return answer;
}

Answer Answers::regular(const Captured& request, const Chat& asked, std::string_view path) {
    const bool is_chat = ends_with(path, "/chat/completions");
    if (!is_chat && !ends_with(path, "/models")) {
        return error_answer(404, "invalid_request_error", "",
                            "Invalid URL (" + request.method + " " + std::string(path) + ")");
    }
    const std::string_view allowed = is_chat ? "POST" : "GET";
    if (request.method != allowed && !(request.method == "HEAD" && !is_chat)) {
        Answer answer = error_answer(405);
        add_header(answer.header_lines, "allow", allowed);
        return answer;
    }
    return is_chat ? chat(asked) : models();
}

Answer Answers::chat(const Chat& asked) {
    if (!asked.valid) {
        return error_answer(400, "invalid_request_error", "",
                            "We could not parse the JSON body of your request, or it names no "
                            "model.");
    }
    if (!serves(asked.model)) {
        return error_answer(
            400, "invalid_request_error", "model_not_found",
            "The model `" + asked.model + "` does not exist or you do not have access to it.");
    }
    const MockOptions& options = state_.options();
    if (const unsigned status = state_.take_failure()) return error_answer(status);
    const QuotaVerdict quota = state_.take_quota(asked.model, Clock::now());
    if (quota.refused) return quota_answer(options, quota, asked.model);

    Answer answer;
    answer.delay = options.latency;
    if (asked.stream) {
        add_stream(answer, asked);
    } else {
        add_plain(answer, asked);
    }
    note_usage(answer, asked);
    if (quota.limited && options.ratelimit_headers) add_rate_limit_headers(answer, quota);
    return answer;
}

bool Answers::serves(std::string_view model) const {
    const auto& models = state_.options().models;
    return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

void Answers::note_usage(Answer& answer, const Chat& asked) const {
    MockUsage usage;
    usage.answer = next_id_;
    usage.model = asked.model;
    usage.input = asked.prompt_tokens;
    usage.output = words_.size();
    usage.was_told = !asked.stream || asked.include_usage;
    answer.usage = std::move(usage);
}

std::string Answers::usage(const Chat& asked) const {
    const std::uint64_t completion = words_.size();
    return "{\"prompt_tokens\":" + std::to_string(asked.prompt_tokens) +
           ",\"completion_tokens\":" + std::to_string(completion) +
           ",\"total_tokens\":" + std::to_string(asked.prompt_tokens + completion) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":0},"
           "\"completion_tokens_details\":{\"reasoning_tokens\":0}}";
}

namespace {

// {"id":…,"object":…,"created":…,"model":…,"system_fingerprint":null, and no closing brace.
std::string open_object(std::string_view object, std::uint64_t id, const std::string& model) {
    std::array<char, 160> start{};
    std::snprintf(start.data(), start.size(),
                  "{\"id\":\"chatcmpl-%016llx\",\"object\":\"%.*s\",\"created\":%lld,\"model\":",
                  static_cast<unsigned long long>(id), static_cast<int>(object.size()),
                  object.data(), static_cast<long long>(std::time(nullptr)));
    std::string text = start.data();
    text::append_json_string(text, model);
    text += ",\"system_fingerprint\":null";
    return text;
}

}  // namespace

void Answers::add_plain(Answer& answer, const Chat& asked) const {
    add_header(answer.header_lines, "content-type", "application/json");
    answer.body = open_object("chat.completion", next_id_, asked.model + state_.options().suffix);
    answer.body += ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
    answer.body += content_;
    answer.body += "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":";
    answer.body += usage(asked);
    answer.body += '}';
}

void Answers::add_stream(Answer& answer, const Chat& asked) const {
    answer.stream = true;
    answer.interval = state_.options().chunk_interval;
    add_header(answer.header_lines, "content-type", "text/event-stream; charset=utf-8");
    add_header(answer.header_lines, "cache-control", "no-cache");
    const std::string start = "data: " + open_object("chat.completion.chunk", next_id_,
                                                     asked.model + state_.options().suffix);
    const auto add_choice = [&](const std::string& delta, std::string_view finish) {
        std::string event = start + ",\"choices\":[{\"index\":0,\"delta\":" + delta +
                            ",\"logprobs\":null,\"finish_reason\":";
        event.append(finish).append(asked.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n");
        answer.events.push_back(std::move(event));
    };
    answer.events.reserve(words_.size() + 4);
    add_choice("{\"role\":\"assistant\",\"content\":\"\"}", "null");
    for (const std::string& word : words_) add_choice("{\"content\":\"" + word + "\"}", "null");
    add_choice("{}", "\"stop\"");
    if (asked.include_usage) {
        answer.events.push_back(start + ",\"choices\":[],\"usage\":" + usage(asked) + "}\n\n");
    }
    answer.events.emplace_back("data: [DONE]\n\n");
}

Answer Answers::models() const {
    Answer answer;
    add_header(answer.header_lines, "content-type", "application/json");
    answer.body = "{\"object\":\"list\",\"data\":[";
    const char* separator = "";
    for (const std::string& model : state_.options().models) {
        answer.body += separator;
        answer.body += "{\"id\":";
        text::append_json_string(answer.body, model);
        answer.body += ",\"object\":\"model\",\"created\":1721172741,\"owned_by\":\"mock\"}";
        separator = ",";
    }
    answer.body += "]}";
    return answer;
}

}  // namespace rotary::mock
