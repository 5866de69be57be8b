#include <rotary/policy/error_body.hpp>

#include <rotary/base/text.hpp>
#include <rotary/wire/json_document.hpp>
#include <rotary/wire/rate_limit_headers.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace rotary::policy {

namespace {

using Value = std::optional<wire::JsonValue>;

struct KnownCode {
    std::string_view code;
    ErrorKind kind;
};

// As error.code, error.type or error.status. Case matters: these are identifiers.
constexpr std::array<KnownCode, 30> kCodes = {{
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
    {"invalid_request_error", ErrorKind::request},
    {"authentication_error", ErrorKind::request},
    {"permission_error", ErrorKind::request},
    {"not_found_error", ErrorKind::request},
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

// The more specific of what code, type and status say: an account's end is told by any of them, and
// OpenAI's overloads say "server_error" beside it.
ErrorKind kind_of_members(const wire::JsonValue& error) noexcept {
    ErrorKind found = ErrorKind::unknown;
    for (const std::string_view name : {"code", "type", "status"}) {
        const ErrorKind kind = kind_of(error.find(name));
        if (kind == ErrorKind::account) return kind;
        if (found == ErrorKind::unknown) found = kind;
    }
    return found;
}

bool speaks_of_days(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 5> kWords = {"per day", "PerDay", "(RPD)", "(TPD)",
                                                        "daily"};
    return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
        return text.find(word) != std::string_view::npos;
    });
}

std::optional<std::chrono::milliseconds> wait_in(std::string_view text) noexcept {
    constexpr std::string_view kLead = "try again in ";
    const auto at = text.find(kLead);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + kLead.size());
    std::string_view wait = text.substr(0, text.find_first_of(" ,;"));
    while (!wait.empty() && wait.back() == '.') wait.remove_suffix(1);
    return wire::parse_wait(wait, {});
}

// Google: details of type RetryInfo and QuotaFailure.
void read_details(const wire::JsonValue& details, ErrorBody& out) noexcept {
    for (const wire::JsonValue detail : details.elements()) {
        const Value delay = detail.find("retryDelay");
        if (delay && delay->string()) out.wait = wire::parse_wait(*delay->string(), {});
        const Value violations = detail.find("violations");
        if (!violations) continue;
        for (const wire::JsonValue violation : violations->elements()) {
            const Value id = violation.find("quotaId");
            if (id && id->string() && speaks_of_days(*id->string())) out.kind = ErrorKind::daily;
        }
    }
}

ErrorBody read(const wire::JsonValue& root) noexcept {
    ErrorBody out;
    const Value error = root.is_object() ? root.find("error") : std::nullopt;
    if (!error || error->is_null()) return out;
    out.is_error = true;
    if (!error->is_object()) return out;
    out.kind = kind_of_members(*error);
    const Value message = error->find("message");
    if (message && message->string()) {
        const std::string_view text = *message->string();
        if (out.kind == ErrorKind::rate && speaks_of_days(text)) out.kind = ErrorKind::daily;
        out.wait = wait_in(text);
    }
    if (const Value details = error->find("details")) read_details(*details, out);
    return out;
}

}  // namespace

ErrorBody read_error_body(std::string_view body) noexcept {
    const auto document = wire::JsonDocument::parse(body);
    if (!document) return {};
    const wire::JsonValue root = document->root();
    // Google answers a failed stream with a list of one.
    if (root.is_array() && root.size() == 1) return read(*root.at(0));
    return read(root);
}

}  // namespace rotary::policy
