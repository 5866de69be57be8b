#include <rotary/llm/text_meter.hpp>

#include <iterator>

namespace rotary::llm {

namespace {

// How text is introduced: by OpenAI's chat, its responses, Anthropic and Gemini, thoughts,
// arguments of calls. What a stream says most often stands first.
constexpr std::string_view kKeys[] = {
    "\"content\":\"",  "\"delta\":\"",        "\"text\":\"",      "\"reasoning_content\":\"",
    "\"thinking\":\"", "\"partial_json\":\"", "\"arguments\":\"", "\"content\": \"",
    "\"text\": \"",    "\"reasoning\":\""};
constexpr std::string_view kDone = "[DONE]";

}  // namespace

// Where its text begins; npos: it has none.
std::size_t TextMeter::text_at(std::string_view event) noexcept {
    const std::string_view key = kKeys[key_];
    const bool is_there =
        at_ >= key.size() && event.substr(0, at_).ends_with(key) && at_ < event.size();
    if (is_there) return at_;
    for (std::size_t i = 0; i < std::size(kKeys); ++i) {
        const std::size_t found = event.find(kKeys[i]);
        if (found == event.npos) continue;
        key_ = i;
        at_ = found + kKeys[i].size();
        return at_;
    }
    return event.npos;
}

void TextMeter::measure(std::string_view event) noexcept {
    if (event.empty() || event == kDone) return;
    const std::size_t begin = text_at(event);
    if (begin == event.npos) return;
    const std::size_t quote = event.find('"', begin);
    const std::string_view text = event.substr(begin, quote - begin);
    if (text.find('\\') == text.npos) {
        bytes_ += text.size();
        return;
    }
    for (std::size_t i = begin; i < event.size() && event[i] != '"'; ++i) {
        if (event[i] == '\\') ++i;
        ++bytes_;
    }
}

}  // namespace rotary::llm
