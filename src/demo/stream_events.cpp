#include <demo/stream_events.hpp>

#include <rotary/wire/json_document.hpp>

#include <cstdio>
#include <string_view>
#include <utility>

namespace rotary::demo {

namespace {

std::string in_milliseconds(std::chrono::milliseconds time) {
    char text[16];
    std::snprintf(text, sizeof text, "%5d ms", static_cast<int>(time.count()));
    return text;
}

}  // namespace

void take_events(std::string& pending, std::chrono::milliseconds at,
                 std::vector<StreamSeen::Event>& events) {
    constexpr std::string_view kField = "data: ";
    for (std::size_t end; (end = pending.find("\n\n")) != std::string::npos;) {
        std::string event = pending.substr(0, end);
        pending.erase(0, end + 2);
        if (event.starts_with(kField)) event.erase(0, kField.size());
        events.push_back({at, std::move(event)});
    }
}

std::optional<std::string> delta_of(const std::string& data) {
    const auto document = wire::JsonDocument::parse(data);
    if (!document) return std::nullopt;
    const auto choices = document->root().find("choices");
    const auto choice = choices ? choices->at(0) : std::nullopt;
    const auto delta = choice ? choice->find("delta") : std::nullopt;
    const auto content = delta ? delta->find("content") : std::nullopt;
    if (!content || !content->string()) return std::nullopt;
    return std::string(*content->string());
}

std::string event_row(const StreamSeen::Event& event) {
    const auto delta = delta_of(event.data);
    if (delta && !delta->empty()) return in_milliseconds(event.at) + "  \"" + *delta + "\"";
    return event.data == "[DONE]" ? in_milliseconds(event.at) + "  [DONE]" : std::string();
}

}  // namespace rotary::demo
