#include "kubernetes/api_status.hpp"

#include <algorithm>

namespace rotary::kubernetes {

namespace {

constexpr std::size_t kMostWords = 300;
constexpr std::int64_t kMostSeconds = 3600;

std::optional<ApiStatus> status_of(const std::string& body) {
    const auto document = wire::JsonDocument::parse(body);
    if (!document || !document->root().is_object()) return std::nullopt;
    return read_status(document->root());
}

}  // namespace

ApiStatus read_status(const wire::JsonValue& status) {
    ApiStatus read;
    if (const auto code = status.find("code")) {
        read.code =
            static_cast<unsigned>(std::clamp<std::int64_t>(code->integer().value_or(0), 0, 999));
    }
    if (const auto message = status.find("message")) {
        read.message = message->string().value_or("");
    }
    const auto details = status.find("details");
    const auto seconds = details ? details->find("retryAfterSeconds") : std::nullopt;
    if (seconds) {
        read.retry_after = std::chrono::seconds(
            std::clamp<std::int64_t>(seconds->integer().value_or(0), 0, kMostSeconds));
    }
    return read;
}

Ending ending_of(const ApiAnswer& answer) {
    if (!answer.error.empty()) return {Ending::How::cut, 0, answer.retry_after, false};
    Ending ending{Ending::How::refused, answer.status, answer.retry_after, false};
    const auto status = status_of(answer.body);
    if (status) ending.retry_after = std::max(ending.retry_after, status->retry_after);
    return ending;
}

std::string words_of(const ApiAnswer& answer) {
    std::string words;
    if (answer.status != 0) words = std::to_string(answer.status);
    const auto status = answer.error.empty() ? status_of(answer.body) : std::nullopt;
    const std::string& more = status ? status->message : answer.error;
    if (!more.empty()) words += (words.empty() ? "" : " ") + more;
    std::replace_if(
        words.begin(), words.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    if (words.size() > kMostWords) words.resize(kMostWords);
    return words;
}

}  // namespace rotary::kubernetes
