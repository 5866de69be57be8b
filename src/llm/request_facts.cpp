#include <rotary/llm/learnt_ratio.hpp>
#include <rotary/llm/request_facts.hpp>
#include <rotary/llm/usage_counts.hpp>

#include <algorithm>
#include <cstring>

namespace rotary::llm {

namespace {

constexpr std::uint64_t kMessageTokens = 4;  // what a message takes besides its text
constexpr std::uint32_t kMostCandidates = 65535;

// What of a body's strings counts, told by the length first: few names have the same.
bool is_text_member(std::string_view name) noexcept {
    switch (name.size()) {
        case 5:
            return name == "input";
        case 6:
            return name == "prompt" || name == "system" || name == "suffix";
        case 8:
            return name == "messages" || name == "contents";
        case 12:
            return name == "instructions";
        case 17:
            return name == "systemInstruction";
        case 18:
            return name == "system_instruction";
        default:
            return false;
    }
}

bool is_tool_member(std::string_view name) noexcept {
    switch (name.size()) {
        case 5:
            return name == "tools";
        case 9:
            return name == "functions";
        case 10:
            return name == "toolConfig";
        case 15:
            return name == "response_format";
        default:
            return false;
    }
}

// Of no cost worth counting.
bool is_label(std::string_view name) noexcept {
    switch (name.size()) {
        case 2:
            return name == "id";
        case 4:
            return name == "role" || name == "type";
        case 6:
            return name == "detail" || name == "format";
        case 7:
            return name == "call_id";
        case 8:
            return name == "mimeType";
        case 10:
            return name == "media_type";
        case 11:
            return name == "tool_use_id";
        case 12:
            return name == "tool_call_id";
        default:
            return false;
    }
}

bool is_media(std::string_view name) noexcept {
    switch (name.size()) {
        case 3:
            return name == "url";
        case 4:
            return name == "data";
        case 5:
            return name == "bytes";
        case 7:
            return name == "fileUri";
        case 9:
            return name == "image_url" || name == "file_data";
        default:
            return false;
    }
}

// `ratio` in 1/1024 of a byte.
constexpr std::uint64_t tokens_of(std::uint64_t bytes, std::uint64_t ratio) noexcept {
    return (bytes * LearntRatio::kByte + ratio - 1) / ratio;
}

// One pass over one body.
class Meter {
public:
    explicit Meter(std::string_view body) noexcept : at_(body.data()), end_(at_ + body.size()) {}

    RequestFacts measure() noexcept {
        while (at_ != end_) step();
        end_member();
        if (completion_) facts_.max_output = completion_;
        return facts_;
    }

private:
    enum class Part : std::uint8_t { other, text, tools };

    void step() noexcept;
    std::string_view string() noexcept;
    void name(std::string_view key) noexcept;
    void value(std::string_view text) noexcept;
    void number() noexcept;
    void end_member() noexcept;

    const char* at_;
    const char* end_;
    std::size_t depth_ = 0;
    std::string_view key_;
    const char* member_ = nullptr;  // where the value of a top-level member of tools began
    Part part_ = Part::other;
    std::optional<std::uint64_t> completion_;  // max_completion_tokens goes before the older name
    RequestFacts facts_;
};

void Meter::step() noexcept {
    const char c = *at_;
    if (c == '"') {
        const std::string_view text = string();
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
        at_ != end_&&* at_ == ':' ? name(text) : value(text);
        return;
    }
    if (c >= '0' && c <= '9') {
        number();
        return;
    }
    if (c == '{' || c == '[') {
        if (c == '{' && depth_ == 2 && part_ == Part::text) ++facts_.messages;
        ++depth_;
    } else if (c == '}' || c == ']') {
        if (depth_ > 0) --depth_;
    }
    if (depth_ == 0 || (depth_ == 1 && c == ',')) end_member();
    ++at_;
}

// The contents of the string that begins here; goes on behind it.
std::string_view Meter::string() noexcept {
    const char* const begin = ++at_;
    while (at_ != end_) {
        const auto* quote =
            static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
        if (quote == nullptr) break;
        const char* slash = quote;
        while (slash != begin && slash[-1] == '\\') --slash;
        at_ = quote + 1;
        if ((quote - slash) % 2 == 0) {
            return {begin, static_cast<std::size_t>(quote - begin)};
        }
    }
    at_ = end_;
    return {};
}

void Meter::name(std::string_view key) noexcept {
    key_ = key;
    if (depth_ != 1) return;
    end_member();
    if (is_text_member(key)) {
        part_ = Part::text;
    } else if (is_tool_member(key)) {
        part_ = Part::tools;
        member_ = at_;
    }
}

void Meter::value(std::string_view text) noexcept {
    if (part_ != Part::text) return;
    const bool is_said = key_ == "content" || key_ == "text";  // as nearly all is
    if (!is_said && is_label(key_)) return;
    if (text.starts_with("data:") || (!is_said && is_media(key_))) {
        ++facts_.media;
    } else {
        facts_.text_bytes += text.size();
    }
}

void Meter::number() noexcept {
    std::uint64_t value = 0;
    bool is_whole = true;
    for (; at_ != end_; ++at_) {
        if (*at_ >= '0' && *at_ <= '9') {
            value = std::min(value * 10 + static_cast<std::uint64_t>(*at_ - '0'), kMostTokens);
        } else if (*at_ == '.' || *at_ == 'e' || *at_ == 'E') {
            is_whole = false;
        } else if (*at_ != '+' && *at_ != '-') {
            break;
        }
    }
    if (!is_whole) return;
    const bool is_inner = depth_ == 2;  // of Gemini's generationConfig, Bedrock's inferenceConfig
    if (depth_ == 1 && key_ == "max_completion_tokens") {
        completion_ = value;
    } else if ((depth_ == 1 && (key_ == "max_tokens" || key_ == "max_output_tokens")) ||
               (is_inner && (key_ == "maxOutputTokens" || key_ == "maxTokens"))) {
        facts_.max_output = value;
    } else if ((depth_ == 1 && key_ == "n") || (is_inner && key_ == "candidateCount")) {
        facts_.n = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(value, 1, kMostCandidates));
    }
}

void Meter::end_member() noexcept {
    if (member_ != nullptr) facts_.tool_bytes += static_cast<std::uint64_t>(at_ - member_);
    member_ = nullptr;
    part_ = Part::other;
}

std::uint64_t input_tokens(const RequestFacts& facts, const config::UsageSettings& settings,
                           std::uint64_t ratio) noexcept {
    return tokens_of(facts.text_bytes, ratio) + tokens_of(facts.tool_bytes, ratio) +
           facts.messages * kMessageTokens + facts.media * settings.tokens_per_image;
}

// What is taken beforehand is a seventh more than what is likely: 3 bytes a token, and 3.5.
constexpr std::uint64_t safe_ratio(const config::UsageSettings& settings,
                                   std::uint32_t learnt) noexcept {
    if (learnt != 0) return std::uint64_t{learnt} * 6 / 7;
    return std::uint64_t{settings.bytes_per_token} * LearntRatio::kByte;
}
constexpr std::uint64_t likely_ratio(const config::UsageSettings& settings,
                                     std::uint32_t learnt) noexcept {
    if (learnt != 0) return learnt;
    return std::uint64_t{settings.bytes_per_token} * LearntRatio::kByte + LearntRatio::kByte / 2;
}

}  // namespace

RequestFacts measure_request(std::string_view body) noexcept {
    if (body.empty()) return {};
    return Meter(body).measure();
}

RequestSize size_of(const RequestFacts& facts, const config::UsageSettings& settings,
                    std::uint32_t learnt) noexcept {
    return {input_tokens(facts, settings, safe_ratio(settings, learnt)), facts.max_output, facts.n};
}

std::uint64_t likely_input(const RequestFacts& facts, const config::UsageSettings& settings,
                           std::uint32_t learnt) noexcept {
    return input_tokens(facts, settings, likely_ratio(settings, learnt));
}

std::uint64_t likely_output(std::uint64_t text_bytes, const config::UsageSettings& settings,
                            std::uint32_t learnt) noexcept {
    return tokens_of(text_bytes, likely_ratio(settings, learnt));
}

std::uint64_t text_tokens(const RequestFacts& facts, std::uint64_t told) noexcept {
    const std::uint64_t besides = facts.messages * kMessageTokens;
    return facts.media != 0 || told <= besides ? 0 : told - besides;
}

}  // namespace rotary::llm
