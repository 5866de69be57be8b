#include <rotary/wire/problem.hpp>

#include <rotary/base/json_text.hpp>

#include <array>
#include <charconv>
#include <cstring>

namespace rotary::wire {
namespace {

constexpr std::string_view kInvalid = "invalid_request_error";
constexpr std::string_view kAuthentication = "authentication_error";
constexpr std::string_view kPermission = "permission_error";
constexpr std::string_view kRateLimit = "rate_limit_error";
constexpr std::string_view kUpstream = "upstream_error";
constexpr std::string_view kUnavailable = "service_unavailable_error";

// One row a kind. A switch instead of an array, so that the compiler names a kind without a row.
// NOLINTNEXTLINE(readability-function-size): a table, a row a kind
constexpr Problem row(FaultKind kind) noexcept {
    switch (kind) {
        case FaultKind::bad_request:
            return {400, kInvalid, "bad_request", "The request is not well-formed HTTP.", 0};
        case FaultKind::invalid_json:
            return {400, kInvalid, "invalid_json", "The body is not a valid JSON object.", 0};
        case FaultKind::duplicate_model:
            return {400, kInvalid, "duplicate_model", "The body names its model more than once.",
                    0};
        case FaultKind::missing_credentials:
            return {401, kAuthentication, "missing_credentials", "No credentials were sent.",
                    900902};
        case FaultKind::invalid_token:
            return {401, kAuthentication, "invalid_token", "The token is not valid.", 900903};
        case FaultKind::token_expired:
            return {401, kAuthentication, "token_expired", "The token has expired.", 900901};
        case FaultKind::scope_denied:
            return {403, kPermission, "scope_denied", "The token lacks a scope.", 900910};
        case FaultKind::subscription_required:
            return {403, kPermission, "subscription_required",
                    "The application is not subscribed to this API.", 900908};
        case FaultKind::model_not_allowed:
            return {403, kPermission, "model_not_allowed",
                    "The model of this request can't be chosen here.", 0};
        case FaultKind::route_not_found:
            return {404, kInvalid, "route_not_found", "No API is served at this address.", 0};
        case FaultKind::method_not_allowed:
            return {405, kInvalid, "method_not_allowed", "This address does not take that method.",
                    0};
        case FaultKind::request_timeout:
            return {408, kInvalid, "request_timeout", "The request did not arrive in time.", 0};
        case FaultKind::length_required:
            return {411, kInvalid, "length_required", "The request needs a Content-Length.", 0};
        case FaultKind::request_too_large:
            return {413, kInvalid, "request_too_large", "The body is too large.", 0};
        case FaultKind::uri_too_long:
            return {414, kInvalid, "uri_too_long", "The request target is too long.", 0};
        case FaultKind::unsupported_content_encoding:
            return {415, kInvalid, "unsupported_content_encoding", "The body must not be encoded.",
                    0};
        case FaultKind::unsupported_media_type:
            return {415, kInvalid, "unsupported_media_type",
                    "The body must be JSON, multipart/form-data or a form.", 0};
        case FaultKind::headers_too_large:
            return {431, kInvalid, "headers_too_large", "The headers are too many or too large.",
                    0};
        case FaultKind::all_models_suspended:
            return {429, kRateLimit, "all_models_suspended",
                    "Every model of this API has reached its limit; try again later.", 0};
        case FaultKind::rate_limit_exceeded:
            return {429, kRateLimit, "rate_limit_exceeded", "Too many requests; try again later.",
                    0};
        case FaultKind::token_budget_exceeded:
            return {429, kRateLimit, "token_budget_exceeded", "The token budget is used up.", 0};
        case FaultKind::cost_budget_exceeded:
            return {429, kRateLimit, "cost_budget_exceeded", "The budget is spent.", 0};
        case FaultKind::upstream_dns_failed:
        case FaultKind::upstream_connect_failed:
            return {502, kUpstream, "upstream_connect_failed", "The provider could not be reached.",
                    0};
        case FaultKind::upstream_tls_failed:
            return {502, kUpstream, "upstream_tls_failed",
                    "The connection to the provider could not be secured.", 0};
        case FaultKind::upstream_protocol_error:
            return {502, kUpstream, "upstream_protocol_error",
                    "The provider's answer is malformed.", 0};
        case FaultKind::upstream_credential_refused:
            return {502, kUpstream, "upstream_credential_refused",
                    "The provider refused the gateway's own credential.", 0};
        case FaultKind::upstream_timeout:
            return {504, kUpstream, "upstream_timeout", "The provider did not answer in time.", 0};
        case FaultKind::upstream_stream_interrupted:
            return {502, kUpstream, "upstream_stream_interrupted",
                    "The provider's answer broke off before its end.", 0};
        case FaultKind::all_models_unavailable:
            return {503, kUnavailable, "all_models_unavailable", "No model is available now.", 0};
        case FaultKind::issuer_unavailable:
            return {503, kUnavailable, "issuer_unavailable", "The issuer's keys are unavailable.",
                    0};
        case FaultKind::overloaded:
            return {503, kUnavailable, "overloaded", "The gateway is overloaded; try again later.",
                    0};
        case FaultKind::draining:
            return {503, kUnavailable, "draining", "The gateway is shutting down; try again.", 0};
        case FaultKind::none:
        case FaultKind::client_gone:
        case FaultKind::count_:
            break;
    }
    // Never sent, only logged: the client that would read it has gone.
    return {499, "client_error", "client_gone", "The client went away.", 0};
}

constexpr auto kKinds = static_cast<std::size_t>(FaultKind::count_) + 1;

constexpr std::array<Problem, kKinds> kProblems = [] {
    std::array<Problem, kKinds> rows{};
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
        rows[kind] = row(static_cast<FaultKind>(kind));
    }
    return rows;
}();

// Appends to memory that the caller owns, and remembers when it did not fit.
class JsonBuffer {
public:
    JsonBuffer(char* out, std::size_t capacity) noexcept : out_(out), capacity_(capacity) {}

    void append(std::string_view text) noexcept {
        fits_ = fits_ && text.size() <= capacity_ - size_;
        if (!fits_ || text.empty()) return;
        std::memcpy(out_ + size_, text.data(), text.size());
        size_ += text.size();
    }
    void string(std::string_view text) noexcept {
        // The contract's bytes: DEL as it is, and the replacement in ASCII.
        constexpr text::JsonSpelling kSpelling{.del = "\x7f", .not_utf8 = "\\ufffd"};
        text::write_json_string(*this, text, kSpelling);
    }
    void number(std::uint32_t value) noexcept {
        char digits[10];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        append({digits, static_cast<std::size_t>(end - digits)});
    }
    std::size_t size() const noexcept { return fits_ ? size_ : 0; }

private:
    char* out_;
    std::size_t capacity_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

}  // namespace

const Problem& problem_of(FaultKind kind) noexcept {
    const auto index = static_cast<std::size_t>(kind);
    return index < kKinds ? kProblems[index] : kProblems[kKinds - 1];
}

std::size_t write_problem(const Problem& problem, std::string_view message, char* out,
                          std::size_t capacity) noexcept {
    JsonBuffer json(out, capacity);
    json.append(R"({"error": {"message": )");
    json.string(message.empty() ? problem.message : message);
    json.append(R"(, "type": )");
    json.string(problem.type);
    json.append(R"(, "param": null, "code": )");
    json.string(problem.code);
    if (problem.apk_code != 0) {
        json.append(R"(, "apk_code": )");
        json.number(problem.apk_code);
    }
    json.append("}}");
    return json.size();
}

}  // namespace rotary::wire
