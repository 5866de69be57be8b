#include <mock/answers.hpp>
#include <mock/bodies.hpp>

#include <rotary/base/json_text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace rotary::mock {

namespace {

constexpr std::string_view kWords[] = {"The",   "wheel", "turns", "and",   "each", "model",
                                       "takes", "its",   "share", "until", "one",  "rests."};

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

}  // namespace

Answers::Answers(State& state) : state_(state) {
    for (unsigned i = 0; i < state.options().tokens; ++i) {
        std::string word = i == 0 ? "" : " ";
        word += kWords[i % std::size(kWords)];
        words_.push_back(std::move(word));
    }
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

    const Asked asked = read_asked(endpoint_of(path), request.body);
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
        fault = state_.take_fault(asked.model);
    }
    if (fault.kind != MockFault::Kind::none) return faulty(fault, request, asked, path);
    return regular(request, asked, path);
}

Answer Answers::faulty(const MockFault& fault, const Captured& request, const Asked& asked,
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
    answer = regular(request, asked, path);
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

Answer Answers::regular(const Captured& request, const Asked& asked, std::string_view path) {
    const bool lists = asked.endpoint == Endpoint::models;
    if (asked.endpoint == Endpoint::none) {
        return error_answer(404, "invalid_request_error", "",
                            "Invalid URL (" + request.method + " " + std::string(path) + ")");
    }
    const std::string_view allowed = lists ? "GET" : "POST";
    if (request.method != allowed && !(request.method == "HEAD" && lists)) {
        Answer answer = error_answer(405);
        add_header(answer.header_lines, "allow", allowed);
        return answer;
    }
    return lists ? models() : served(asked);
}

Answer Answers::served(const Asked& asked) {
    if (!asked.valid) {
        return error_answer(400, "invalid_request_error", "",
                            "We could not parse the JSON body of your request, or it names no "
                            "model, or it has no input for its embeddings.");
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
    const Told told{next_id_, asked.model + options.suffix, words_};
    if (asked.stream) {
        answer.stream = true;
        answer.interval = options.chunk_interval;
        add_header(answer.header_lines, "content-type", "text/event-stream; charset=utf-8");
        add_header(answer.header_lines, "cache-control", "no-cache");
        answer.events = stream_events(asked, told);
    } else {
        add_header(answer.header_lines, "content-type", "application/json");
        answer.body = plain_body(asked, told);
    }
    note_usage(answer, asked);
    if (quota.limited && options.ratelimit_headers) add_rate_limit_headers(answer, quota);
    return answer;
}

bool Answers::serves(std::string_view model) const {
    const auto& models = state_.options().models;
    return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

void Answers::note_usage(Answer& answer, const Asked& asked) const {
    MockUsage usage;
    usage.answer = next_id_;
    usage.model = asked.model;
    usage.input = asked.prompt_tokens;
    usage.output = asked.endpoint == Endpoint::embedding ? 0 : words_.size();
    usage.was_told = !asked.stream || asked.include_usage;
    answer.usage = std::move(usage);
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
