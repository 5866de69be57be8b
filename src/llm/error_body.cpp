#include <rotary/llm/error_body.hpp>

#include <rotary/base/text.hpp>
#include <rotary/llm/rate_limit_headers.hpp>
#include <rotary/wire/json_document.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rotary::llm {

namespace {

using Value = std::optional<wire::JsonValue>;

struct KnownCode {
    std::string_view code;
    ErrorKind kind;
};

// As error.code, error.type or error.status. Case matters: these are identifiers.
constexpr std::array<KnownCode, 39> kCodes = {{
    {"insufficient_quota", ErrorKind::account},
    {"credit_balance_exhausted", ErrorKind::account},
    {"organization_spend_limit_exceeded", ErrorKind::account},
    {"project_spend_limit_exceeded", ErrorKind::account},
    {"organization_usage_limit_exceeded", ErrorKind::account},
    {"billing_hard_limit_reached", ErrorKind::account},
    {"billing_not_active", ErrorKind::account},
    {"billing_error", ErrorKind::account},
    {"enforced_spend_limit_reached", ErrorKind::account},
    {"rate_limit_exceeded", ErrorKind::rate},
    {"rate_limit_error", ErrorKind::rate},
    {"slow_down", ErrorKind::rate},
    {"requests", ErrorKind::rate},
    {"tokens", ErrorKind::rate},
    {"RESOURCE_EXHAUSTED", ErrorKind::rate},
    {"server_is_overloaded", ErrorKind::overloaded},
    {"overloaded_error", ErrorKind::overloaded},
    {"service_unavailable_error", ErrorKind::overloaded},
    {"UNAVAILABLE", ErrorKind::overloaded},
    {"server_error", ErrorKind::server},
    {"api_error", ErrorKind::server},
    {"internal_error", ErrorKind::server},
    {"INTERNAL", ErrorKind::server},
    {"timeout_error", ErrorKind::server},
    {"invalid_api_key", ErrorKind::credential},
    {"authentication_error", ErrorKind::credential},
    {"API_KEY_INVALID", ErrorKind::credential},
    {"UNAUTHENTICATED", ErrorKind::credential},
    {"model_not_found", ErrorKind::model},
    {"model_not_available", ErrorKind::model},
    {"DeploymentNotFound", ErrorKind::model},
    {"not_found_error", ErrorKind::model},
    {"NOT_FOUND", ErrorKind::model},
    {"invalid_request_error", ErrorKind::request},
    {"permission_error", ErrorKind::request},
    {"request_too_large", ErrorKind::request},
    {"request_forbidden", ErrorKind::request},
    {"content_filter", ErrorKind::request},
    {"context_length_exceeded", ErrorKind::request},
}};

ErrorKind kind_of_status(std::int64_t status) noexcept {
    if (status == 429) return ErrorKind::rate;
    if (status == 503 || status == 529) return ErrorKind::overloaded;
    if (status >= 500 && status < 600) return ErrorKind::server;
    return status >= 400 && status < 500 ? ErrorKind::request : ErrorKind::unknown;
}

// A name, or a status as a number or in digits (Azure, OpenRouter).
ErrorKind kind_of(const Value& value) noexcept {
    if (!value) return ErrorKind::unknown;
    if (const auto number = value->integer()) return kind_of_status(*number);
    const auto text = value->string();
    if (!text) return ErrorKind::unknown;
    if (const auto number = text::parse_unsigned(*text)) {
        return kind_of_status(static_cast<std::int64_t>(std::min<std::uint64_t>(*number, 1000)));
    }
    const auto known = std::find_if(kCodes.begin(), kCodes.end(),
                                    [&](const KnownCode& one) { return one.code == *text; });
    return known == kCodes.end() ? ErrorKind::unknown : known->kind;
}

// The more specific of what code, type and status say: an account's end, a key's or a model's is
// told by any of them, and OpenAI's overloads say "server_error" beside it.
ErrorKind kind_of_members(const wire::JsonValue& error) noexcept {
    ErrorKind found = ErrorKind::unknown;
    for (const std::string_view name : {"code", "type", "status"}) {
        const ErrorKind kind = kind_of(error.find(name));
        if (kind == ErrorKind::account || kind == ErrorKind::credential ||
            kind == ErrorKind::model) {
            return kind;
        }
        if (found == ErrorKind::unknown) found = kind;
    }
    return found;
}

// `words` are in lower case.
template <std::size_t count>
bool holds_one_of(std::string_view text,
                  const std::array<std::string_view, count>& words) noexcept {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return std::search(text.begin(), text.end(), word.begin(), word.end(),
                           [](char a, char b) { return text::lower(a) == b; }) != text.end();
    });
}

// "Limit 30000", "Requested: 45,000".
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view word) noexcept {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const std::string_view rest = text.substr(at + word.size());
        const auto begin = std::min(rest.find_first_not_of(" :="), rest.size());
        std::optional<std::uint64_t> number;
        for (const char c : rest.substr(begin)) {
            if (c == ',' && number) continue;
            if (c < '0' || c > '9') break;
            // So many that nothing more can change which is larger.
            if (number.value_or(0) > 1'000'000'000'000) break;
            number = number.value_or(0) * 10 + static_cast<std::uint64_t>(c - '0');
        }
        if (number) return number;
    }
    return std::nullopt;
}

// Not Anthropic's "reduce the prompt length", which each of its refusals for tokens a minute says.
bool speaks_of_size(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 11> kWords = {
        "request too large",      "context_length",           "context length",
        "context window",         "prompt is too long",       "input is too long",
        "tokens must be reduced", "reduce your message size", "reduce the length of",
        "long context requests",  "can only afford"};
    const auto requested = number_behind(text, "Requested");
    const auto limit = number_behind(text, "Limit");
    return (requested && limit && *requested > *limit) || holds_one_of(text, kWords);
}

// That the key itself is at fault; one without the right to something is a good one.
bool speaks_of_key(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 10> kKeys = {
        "api key",          "api-key",        "api_key",      "apikey",     "access key",
        "subscription key", "security token", "access token", "credential", "signature"};
    constexpr std::array<std::string_view, 12> kFaults = {
        "invalid",  "not valid", "incorrect",    "expired",     "revoked",    "disabled",
        "inactive", "leaked",    "unregistered", "deactivated", "is missing", "unauthenticated"};
    return holds_one_of(text, kKeys) && holds_one_of(text, kFaults);
}

// Whether the character there goes on with a model's name: the dot of "gpt-4.1" does, a full stop
// does not.
bool goes_on(std::string_view text, std::size_t at) noexcept {
    const auto is_word = [](char c) {
        return (c >= '0' && c <= '9') || (text::lower(c) >= 'a' && text::lower(c) <= 'z') ||
               c == '-' || c == '_';
    };
    if (at >= text.size()) return false;
    if (is_word(text[at])) return true;
    const bool joins = text[at] == '.' || text[at] == ':' || text[at] == '@' || text[at] == '/';
    return joins && at + 1 < text.size() && is_word(text[at + 1]);
}

bool names(std::string_view text, std::string_view model) noexcept {
    if (model.empty()) return false;
    for (auto at = text.find(model); at != std::string_view::npos; at = text.find(model, at + 1)) {
        const bool begins = at == 0 || text[at - 1] == '/' || !goes_on(text, at - 1);
        if (begins && !goes_on(text, at + model.size())) return true;
    }
    return false;
}

// "The model `x` does not exist", "model: x", "models/x is not found". At its beginning, where no
// path or name that a client sent is ever quoted.
bool is_about_model(std::string_view text) noexcept {
    return text::istarts_with(text, "model") || text::istarts_with(text, "the model");
}

bool speaks_of_days(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 7> kWords = {"per day", "per-day", "PerDay", "(RPD)",
                                                        "(TPD)",   "daily",   "Daily"};
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
        return text.find(word) != std::string_view::npos;
    });
}

// "6m0s. Visit …", "20ms", "17 seconds", "5 minutes". A number without a unit is no wait.
std::optional<std::chrono::milliseconds> leading_wait(std::string_view text) noexcept {
    constexpr std::array<std::pair<std::string_view, int>, 4> kUnits = {
        {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86'400}}};
    const auto end = std::min(text.find_first_of(" ,;)\r\n\t"), text.size());
    std::string_view wait = text.substr(0, end);
    while (!wait.empty() && wait.back() == '.') wait.remove_suffix(1);
    const auto read = llm::parse_wait(wait, {});
    if (!read || wait.find_first_not_of("0123456789.") != std::string_view::npos) return read;
    const std::string_view unit = text::trim(text.substr(end));
    const auto known = std::find_if(kUnits.begin(), kUnits.end(),
                                    [&](const auto& one) { return unit.starts_with(one.first); });
    if (wait.size() != end || known == kUnits.end()) return std::nullopt;
    return *read * known->second;
}

// What the message asks for: OpenAI's words, Azure's, Google's.
std::optional<std::chrono::milliseconds> wait_in(std::string_view text) noexcept {
    for (const std::string_view lead : {"try again in ", "retry after ", "retry in "}) {
        const auto at = text.find(lead);
        if (at != std::string_view::npos) return leading_wait(text.substr(at + lead.size()));
    }
    return std::nullopt;
}

// Google: details of type RetryInfo, QuotaFailure and ErrorInfo.
void read_details(const wire::JsonValue& details, ErrorBody& out) noexcept {
    for (const wire::JsonValue detail : details.elements()) {
        const Value delay = detail.find("retryDelay");
        const auto wait =
            delay && delay->string() ? llm::parse_wait(*delay->string(), {}) : std::nullopt;
        if (wait) out.wait = wait;
        const Value reason = detail.find("reason");
        if (reason && kind_of(reason) == ErrorKind::credential) out.kind = ErrorKind::credential;
        const Value violations = detail.find("violations");
        if (!violations) continue;
        for (const wire::JsonValue violation : violations->elements()) {
            const Value id = violation.find("quotaId");
            if (id && id->string() && speaks_of_days(*id->string()) &&
                out.kind != ErrorKind::account) {
                out.kind = ErrorKind::daily;
            }
        }
    }
}

// A client may ask after other models or things, whose want says nothing of the entry's own model.
// Azure's refusal names none, and only the path that the gateway wrote says which it was.
ErrorKind with_model(ErrorKind kind, const wire::JsonValue& error, std::string_view message,
                     std::string_view model) noexcept {
    const Value code = error.find("code");
    if (code && code->string() == "DeploymentNotFound") return kind;
    const bool is_named = names(message, model);
    if (kind == ErrorKind::model) return is_named ? kind : ErrorKind::request;
    const bool is_open =
        kind == ErrorKind::unknown || kind == ErrorKind::server || kind == ErrorKind::request;
    return is_open && is_named && is_about_model(message) ? ErrorKind::model : kind;
}

void read_message(std::string_view text, ErrorBody& out) noexcept {
    if (out.kind == ErrorKind::rate && speaks_of_days(text)) out.kind = ErrorKind::daily;
    out.speaks_of_size = out.speaks_of_size || speaks_of_size(text);
    out.speaks_of_key = speaks_of_key(text);
    out.wait = wait_in(text);
}

std::string_view text_of(const Value& value) noexcept {
    return value ? value->string().value_or(std::string_view{}) : std::string_view{};
}

bool is_code_of_size(const Value& value) noexcept {
    const std::string_view code = text_of(value);
    return code == "context_length_exceeded" || code == "request_too_large";
}

ErrorBody read(const wire::JsonValue& root, std::string_view model) noexcept {
    ErrorBody out;
    const Value error = root.is_object() ? root.find("error") : std::nullopt;
    // Some send the member with every chunk, and nothing in it; AWS and Mistral have the message
    // stand alone.
    if (!error || error->is_null() || error->boolean() == false || error->string() == "") {
        read_message(text_of(root.find("message")), out);
        return out;
    }
    out.is_error = true;
    const std::string_view message = text_of(error->is_object() ? error->find("message") : error);
    if (error->is_object()) {
        out.kind = kind_of_members(*error);
        out.speaks_of_size =
            is_code_of_size(error->find("code")) || is_code_of_size(error->find("type"));
    }
    read_message(message, out);
    out.kind = with_model(out.kind, *error, message, model);
    if (const Value details = error->find("details")) read_details(*details, out);
    return out;
}

}  // namespace

ErrorBody read_error_body(std::string_view body, std::string_view model) noexcept {
    const auto document = wire::JsonDocument::parse(body);
    if (!document) return {};
    const wire::JsonValue root = document->root();
    // Google answers a failed stream with a list of one.
    if (root.is_array() && root.size() == 1) return read(*root.at(0), model);
    return read(root, model);
}

}  // namespace rotary::llm
