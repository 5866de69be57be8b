#include "proxy/authenticate.hpp"

#include <rotary/base/text.hpp>
#include <rotary/wire/query.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace rotary::proxy {

namespace {

using auth::Brought;
using auth::CredentialKind;

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const wire::Parameter parameter = wire::take_parameter(query);
        if (parameter.has_value && parameter.name == name) return parameter.value;
    }
    return std::nullopt;
}

// Whether verify() may come as far as a signature: what has not three parts is refused before.
bool may_be_signed(std::string_view token, std::size_t most_bytes) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
    return token.size() <= most_bytes && second != token.npos &&
           token.find('.', second + 1) == token.npos;
}

// Why what was brought was not good enough: what the client hears, and what the log does. A
// dependency's failure wins over the caller's: a client that hears 401 throws its token away.
struct Refusal {
    std::optional<Fault> fault;
    const char* reason = "";
    void add(const Fault& other, const char* why) {
        if (fault && other.kind != FaultKind::issuer_unavailable) return;
        fault = other;
        reason = why;
    }
};

class Authenticator {
public:
    Authenticator(Context& context, Exchange& exchange, KeyNeed& need)
        : context_(context),
          exchange_(exchange),
          rules_(exchange.match.route->auth),
          need_(need),
          credentials_(rules_.uses) {}

    Result<void> run() {
        forget_caller();
        exchange_.outcome.reason = "";
        if (rules_.disabled) return {};
        look_at(CredentialKind::oauth2, &Authenticator::oauth2);
        look_at(CredentialKind::jwt, &Authenticator::jwt);
        look_at(CredentialKind::api_key, &Authenticator::api_key);
        if (need_.unverified) {
            need_.pending = true;
            return Fault::client(FaultKind::missing_credentials);  // is not known yet
        }
        const auth::AuthVerdict verdict = credentials_.verdict();
        if (verdict == auth::AuthVerdict::admitted) {
            name_consumer();
            return {};
        }
        forget_caller();
        const bool missing = verdict == auth::AuthVerdict::missing || !refusal_.fault;
        exchange_.outcome.reason =
            missing ? "no credential of a kind that the route needs" : refusal_.reason;
        return missing ? Fault::client(FaultKind::missing_credentials) : *refusal_.fault;
    }

private:
    void forget_caller() noexcept {
        exchange_.match.consumer = {};
        exchange_.match.caller.reset();
    }

    // The application that asks is who is accountable; a token without one has its subject.
    void name_consumer() noexcept {
        const auth::Claims* claims = exchange_.match.caller.get();
        if (claims == nullptr) return;
        exchange_.match.consumer =
            claims->client_id().empty() ? claims->subject() : claims->client_id();
    }

    void look_at(CredentialKind kind, Brought (Authenticator::*look)()) {
        if (credentials_.wants(kind)) credentials_.bring(kind, (this->*look)());
    }

    Brought oauth2() {
        const wire::Header* header = context_.scratch.request.headers.find(rules_.oauth2.header);
        if (header == nullptr) return Brought::nothing;
        constexpr std::string_view kScheme = "bearer ";
        if (!text::istarts_with(header->value, kScheme)) {
            refusal_.add(Fault::client(FaultKind::missing_credentials,
                                       "The Authorization header holds no Bearer token."),
                         "no Bearer token");
            return Brought::refused;
        }
        return judge(text::trim(header->value.substr(kScheme.size())), {});
    }

    Brought jwt() {
        const wire::Header* header = context_.scratch.request.headers.find(rules_.jwt.header);
        return header == nullptr ? Brought::nothing : judge(header->value, rules_.jwt.audience);
    }

    // As in APK a key is a JWT; here one of a TokenIssuer that the API trusts.
    Brought api_key() {
        Brought brought = Brought::nothing;
        for (const config::ApiKeyLocation& place : rules_.api_keys) {
            std::optional<std::string_view> value;
            if (place.in == config::ApiKeyLocation::In::query) {
                value = query_parameter(exchange_.request.query, place.name);
            } else if (const auto* header = context_.scratch.request.headers.find(place.name)) {
                value = header->value;
            }
            if (!value) continue;
            brought = judge(*value, {});
            if (brought == Brought::accepted) break;
        }
        return brought;
    }

    Brought judge(std::string_view token, std::span<const std::string> audience) {
        const WallTime now = exchange_.request.started_wall;
        const auth::IssuerTable& issuers = *context_.issuers;
        const auth::TrustedIssuers trusted = trusted_issuers(context_, exchange_);
        auto claims = context_.tokens.share(token, now, issuers.generation());
        if (claims && !trusted.trusts(issuers.issuers()[claims->issuer_index()])) claims = nullptr;
        if (!claims) {
            const config::Limits& limits = exchange_.limits();
            if (!need_.in_turn && may_be_signed(token, limits.token_bytes)) {
                need_.unverified = true;
                return Brought::refused;
            }
            auth::JwtLimits jwt_limits;
            jwt_limits.token_bytes = limits.token_bytes;
            jwt_limits.json_depth = limits.json_depth;
            jwt_limits.leeway =
                std::chrono::duration_cast<std::chrono::seconds>(exchange_.timeouts().token_leeway);
            auto verified = auth::verify(token, trusted, now, jwt_limits);
            if (!verified) {
                const auth::VerifyFailure& failure = verified.error();
                refusal_.add(lacks_key(context_, exchange_, failure, need_),
                             auth::to_string(failure.defect));
                return Brought::refused;
            }
            claims = *std::move(verified);
            context_.tokens.put(token, claims, now, issuers.generation());
        }
        if (!grants(*claims, audience)) return Brought::refused;
        if (!exchange_.match.caller) exchange_.match.caller = std::move(claims);
        return Brought::accepted;
    }

    bool grants(const auth::Claims& claims, std::span<const std::string> audience) {
        if (!claims.meant_for(audience)) {
            refusal_.add(
                Fault::client(FaultKind::invalid_token, "The token is for another audience."),
                auth::to_string(auth::TokenDefect::wrong_audience));
            return false;
        }
        for (const std::vector<std::string>& any_of : rules_.scopes) {
            const bool has_one = std::any_of(any_of.begin(), any_of.end(), [&](const auto& scope) {
                return claims.has_scope(scope);
            });
            if (!has_one) {
                refusal_.add(Fault::client(FaultKind::scope_denied), "missing scope");
                return false;
            }
        }
        return true;
    }

    Context& context_;
    Exchange& exchange_;
    const routing::AuthRules& rules_;
    KeyNeed& need_;
    auth::Credentials credentials_;
    Refusal refusal_;
};

}  // namespace

Result<void> authenticate(Context& context, Exchange& exchange, KeyNeed& need) {
    return Authenticator(context, exchange, need).run();
}

}  // namespace rotary::proxy
