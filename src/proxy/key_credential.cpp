#include "proxy/key_credential.hpp"

#include <rotary/auth/api_key.hpp>
#include <rotary/base/text.hpp>
#include <rotary/llm/form_body.hpp>
#include <rotary/wire/query.hpp>

namespace rotary::proxy {

namespace {

constexpr std::string_view kScheme = "bearer ";

// Whether all credentials are one and the same, or none of them is an API key.
class Shown {
public:
    void add(std::string_view credential) noexcept {
        if (count_++ == 0) first_ = credential;
        is_several_ = is_several_ || credential != first_;
        has_key_ = has_key_ || auth::is_api_key(credential);
    }
    bool is_ambiguous() const noexcept { return is_several_ && has_key_; }

private:
    std::size_t count_ = 0;
    std::string_view first_;
    bool is_several_ = false;
    bool has_key_ = false;
};

void add_headers(const wire::HeaderTable& headers, std::string_view name, Shown& shown) noexcept {
    for (const wire::Header& header : headers) {
        if (text::iequals(header.name, name)) {
            shown.add(bearer_of(header.value).value_or(header.value));
        }
    }
}

void add_parameters(std::string_view query, std::string_view name, Shown& shown) noexcept {
    while (!query.empty()) {
        const wire::Parameter parameter = wire::take_parameter(query);
        if (parameter.has_value && parameter.name == name) shown.add(parameter.value);
    }
}

}  // namespace

std::optional<std::string_view> bearer_of(std::string_view value) noexcept {
    if (!text::istarts_with(value, kScheme)) return std::nullopt;
    return text::trim(value.substr(kScheme.size()));
}

bool holds_key(std::string_view value) noexcept {
    return auth::is_api_key(bearer_of(value).value_or(value));
}

bool holds_encoded_key(std::string_view value) noexcept {
    llm::DecodedBytes bytes(value);
    for (const char c : auth::kApiKeyPrefix) {
        if (bytes.next() != static_cast<unsigned char>(c)) return false;
    }
    return true;
}

bool shows_several(const Exchange& exchange, const wire::HeaderTable& headers) noexcept {
    const routing::AuthRules& rules = exchange.match.route->auth;
    Shown shown;
    if (!rules.oauth2.disabled) add_headers(headers, rules.oauth2.header, shown);
    if (!rules.jwt.disabled) add_headers(headers, rules.jwt.header, shown);
    for (const config::ApiKeyLocation& place : rules.api_keys) {
        if (place.in == config::ApiKeyLocation::In::query) {
            add_parameters(exchange.request.query, place.name, shown);
        } else {
            add_headers(headers, place.name, shown);
        }
    }
    return shown.is_ambiguous();
}

auth::KeyTable::Found find_key(Exchange& exchange, std::string_view key) noexcept {
    if (!auth::is_whole_api_key(key)) return {nullptr, auth::KeyDefect::malformed};
    exchange.match.key_id = auth::id_of(key);
    exchange.match.key_digest = auth::digest_of(key);
    return exchange.snapshot().keys.find(exchange.match.key_digest, exchange.request.started_wall);
}

Fault fault_of(auth::KeyDefect defect) noexcept {
    switch (defect) {
        case auth::KeyDefect::expired:
            return Fault::client(FaultKind::token_expired, "The key has expired.");
        case auth::KeyDefect::not_yet_valid:
            return Fault::client(FaultKind::invalid_token, "The key is not valid yet.");
        case auth::KeyDefect::none:
        case auth::KeyDefect::malformed:
        case auth::KeyDefect::unknown:
        case auth::KeyDefect::disabled:
            break;
    }
    return Fault::client(FaultKind::invalid_token, "The key is not accepted.");
}

}  // namespace rotary::proxy
