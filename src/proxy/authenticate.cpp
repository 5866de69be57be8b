#include "proxy/authenticate.hpp"

#include "proxy/key_credential.hpp"

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
        if (!exchange_.snapshot().keys.empty() && shows_several(exchange_, headers())) {
            exchange_.outcome.reason = "several credentials";
            return Fault::client(FaultKind::bad_request,
                                 "There are several credentials, of which one is an API key.");
        }
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
            context_.failures.succeed(exchange_.request.client_address);
            return {};
        }
        forget_caller();
        const bool missing = verdict == auth::AuthVerdict::missing || !refusal_.fault;
        exchange_.outcome.reason =
            missing ? "no credential of a kind that the route needs" : refusal_.reason;
        return missing ? Fault::client(FaultKind::missing_credentials) : counted(*refusal_.fault);
    }

private:
    void forget_caller() noexcept {
        exchange_.match.consumer = {};
        exchange_.match.caller.reset();
        exchange_.match.key_owner = nullptr;
    }

    // What is tried too often is not told any more how it fails. A good credential of the same
    // address passes all the same: it may be that of a balancer.
    Fault counted(const Fault& fault) {
        const unsigned most = exchange_.snapshot().config.auth.failures_per_minute;
        if (fault.kind != FaultKind::invalid_token || need_.pending || most == 0) return fault;
        if (names_unknown_key_) return fault;  // its issuer may have a new key: nothing was tried
        const SteadyTime now = context_.reactor.now();
        const SteadyTime end = context_.failures.fail(exchange_.request.client_address, most, now);
        if (end <= now) return fault;
        exchange_.outcome.retry_after = std::chrono::ceil<std::chrono::milliseconds>(end - now);
        return Fault::client(FaultKind::rate_limit_exceeded,
                             "Too many credentials that are not valid came from this address.");
    }

    // The application that asks is who is accountable; a token without one has its subject.
    void name_consumer() noexcept {
        Match& match = exchange_.match;
        if (match.key_owner != nullptr) {
            match.consumer = match.key_owner->consumer;
            return;
        }
        const auth::Claims* claims = match.caller.get();
        if (claims == nullptr) return;
        const bool is_api_key = as_api_key_ && !claims->application().empty();
        match.consumer =
            is_api_key || claims->client_id().empty() ? claims->application() : claims->client_id();
        if (match.consumer.empty()) match.consumer = claims->subject();
    }

    const wire::HeaderTable& headers() const noexcept { return context_.scratch.request.headers; }

    void look_at(CredentialKind kind, Brought (Authenticator::*look)()) {
        if (credentials_.wants(kind)) credentials_.bring(kind, (this->*look)());
    }

    Brought oauth2() {
        const wire::Header* header = headers().find(rules_.oauth2.header);
        if (header == nullptr) return Brought::nothing;
        const auto credential = bearer_of(header->value);
        if (!credential) {
            refusal_.add(Fault::client(FaultKind::missing_credentials,
                                       "The Authorization header holds no Bearer token."),
                         "no Bearer token");
            return Brought::refused;
        }
        if (auth::is_api_key(*credential)) return judge_key(*credential);
        return judge(*credential, {});
    }

    Brought jwt() {
        const wire::Header* header = headers().find(rules_.jwt.header);
        return header == nullptr ? Brought::nothing : judge(header->value, rules_.jwt.audience);
    }

    // As in APK a key may be a JWT; here one of a TokenIssuer that the API trusts.
    Brought api_key() {
        Brought brought = Brought::nothing;
        for (const config::ApiKeyLocation& place : rules_.api_keys) {
            std::optional<std::string_view> value;
            if (place.in == config::ApiKeyLocation::In::query) {
                value = query_parameter(exchange_.request.query, place.name);
            } else if (const auto* header = headers().find(place.name)) {
                value = bearer_of(header->value).value_or(header->value);
            }
            if (!value) continue;
            brought = auth::is_api_key(*value) ? judge_key(*value) : judge(*value, {});
            if (brought != Brought::accepted) continue;
            as_api_key_ = exchange_.match.key_owner == nullptr;
            break;
        }
        return brought;
    }

    Brought judge_key(std::string_view key) {
        const auto found = find_key(exchange_, key);
        if (found.defect != auth::KeyDefect::none) {
            refusal_.add(fault_of(found.defect), auth::to_string(found.defect));
            return Brought::refused;
        }
        if (!found.owner->may_call(exchange_.match.route->api_number)) {
            refusal_.add(Fault::client(FaultKind::scope_denied, "The key is not for this API."),
                         "a key for other APIs");
            return Brought::refused;
        }
        if (!has_scopes(*found.owner)) return Brought::refused;
        exchange_.match.key_owner = found.owner;
        return Brought::accepted;
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
                names_unknown_key_ |= failure.defect == auth::TokenDefect::unknown_kid;
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
        if (!claims.permits_address(exchange_.request.client_address) ||
            !claims.permits_referer(referer())) {
            refusal_.add(Fault::client(FaultKind::scope_denied,
                                       "The token may not be used from this address or page."),
                         "permittedIP or permittedReferer");
            return false;
        }
        return has_scopes(claims);
    }

    std::string_view referer() const noexcept {
        const wire::Header* header = headers().find(wire::field("referer"));
        return header == nullptr ? std::string_view() : header->value;
    }

    // `holder`: what has scopes, a token or the owner of a key.
    template <class Holder>
    bool has_scopes(const Holder& holder) {
        for (const std::vector<std::string>& any_of : rules_.scopes) {
            const bool has_one = std::any_of(any_of.begin(), any_of.end(), [&](const auto& scope) {
                return holder.has_scope(scope);
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
    bool names_unknown_key_ = false;  // a token does
    bool as_api_key_ = false;  // the token that lets the request in came in an API key's place
};

}  // namespace

Result<void> authenticate(Context& context, Exchange& exchange, KeyNeed& need) {
    return Authenticator(context, exchange, need).run();
}

}  // namespace rotary::proxy
