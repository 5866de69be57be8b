#include <algorithm>
#include <map>
#include <set>

#include "config/check/checker.hpp"

namespace rotary::config {
namespace {

// The host of a URL behind its scheme, without port; an IPv6 address without its brackets.
std::string_view host_of(std::string_view rest) {
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (rest.starts_with('[')) {
        return rest.substr(1, rest.find(']') - 1);
    }
    return rest.substr(0, rest.find(':'));
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && is_ip_address(host));
}

// A URL that keys are fetched from, or that says by discovery where they are.
void check_jwks(Checker& checker, const JwksSource& jwks, const std::string_view url) {
    check_authorities(checker, jwks.ca);
    if (!jwks.file.empty() || url.empty()) {
        return;
    }
    const bool is_discovery = jwks.url.empty();
    const bool is_https = url.starts_with("https://");
    const bool is_http = url.starts_with("http://");
    const std::string_view rest = url.substr(is_https ? 8 : is_http ? 7 : 0);
    const std::string_view host = host_of(rest);
    if (!is_https && !is_http && is_discovery) {
        checker.error(jwks.mark,
                      "is no https:// address, where its keys could be found by discovery, and "
                      "neither jwks nor certificate is there: no token could be verified");
    } else if (!is_https && !is_http) {
        checker.error(jwks.mark, "must begin with https:// or file:");
    } else if (is_discovery && rest.find('?') != std::string_view::npos) {
        checker.error(jwks.mark, "must have no query: its keys are found by discovery");
    } else if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos ||
               rest.find('#') != std::string_view::npos) {
        checker.error(jwks.mark, "must have neither a user nor a fragment");
    } else if (!is_host_name(host) && !is_ip_address(host)) {
        checker.error(jwks.mark, "has no valid host");
    } else if (is_http && !is_loopback(host) && jwks.allow_http) {
        checker.warning(jwks.mark,
                        "these keys travel in the clear, as rotary/allow-http-jwks allows: "
                        "whoever can change them on their way can sign tokens");
    } else if (is_http && !is_loopback(host)) {
        checker.error(jwks.mark,
                      "must begin with https://: whoever can change these keys on their "
                      "way can sign tokens (http:// is for loopback; the annotation "
                      "rotary/allow-http-jwks: \"true\" takes the risk)");
    }
}

void check_issuer(Checker& checker, const TokenIssuer& issuer) {
    if (issuer.jwks) {
        check_jwks(checker, *issuer.jwks,
                   issuer.jwks->url.empty() ? issuer.issuer : issuer.jwks->url);
    }
    checker.pem_must_exist(issuer.certificate);
    if (!issuer.jwks && issuer.certificate.empty()) {
        checker.error(issuer.validation_mark,
                      "needs jwks or certificate: no token could be verified");
    } else if (issuer.jwks && !issuer.certificate.empty()) {
        checker.warning(issuer.certificate.mark, "is not used: jwks is there and comes first");
    }
}

// Whether any rule of the API asks for a token.
bool needs_token(const Resources& resources, const Api& api) {
    for (const auto* list : {&api.production, &api.sandbox}) {
        for (const Reference& reference : *list) {
            const HttpRoute* route = resources.find_route(reference.name);
            for (std::size_t i = 0; route != nullptr && i < route->rules.size(); ++i) {
                if (!effective_authentication(resources, api, route->rules[i]).disabled) {
                    return true;
                }
            }
        }
    }
    return false;
}

bool every_type_is_off(const AuthTypes& types) {
    return types.oauth2 && types.oauth2->disabled && (!types.jwt || types.jwt->disabled) &&
           !types.api_key && (!types.mtls || types.mtls->disabled);
}

// Whether there is an environment whose APIs take tokens of both.
bool share_environment(const TokenIssuer& a, const TokenIssuer& b) {
    const auto is_everywhere = [](const TokenIssuer& issuer) {
        const auto& names = issuer.environments;
        return names.empty() || std::find(names.begin(), names.end(), "*") != names.end();
    };
    if (is_everywhere(a) || is_everywhere(b)) {
        return true;
    }
    return std::find_first_of(a.environments.begin(), a.environments.end(), b.environments.begin(),
                              b.environments.end()) != a.environments.end();
}

// Of issuers with the same iss, the API's organization and environment choose one.
void issuers_must_differ(Checker& checker) {
    const std::vector<TokenIssuer>& issuers = checker.resources.issuers;
    for (std::size_t i = 0; i < issuers.size(); ++i) {
        const auto is_rival = [&](const TokenIssuer& other) {
            return other.issuer == issuers[i].issuer &&
                   other.organization == issuers[i].organization &&
                   share_environment(other, issuers[i]);
        };
        const auto end = issuers.begin() + static_cast<std::ptrdiff_t>(i);
        const auto first = std::find_if(issuers.begin(), end, is_rival);
        if (first != end && !issuers[i].issuer.empty()) {
            checker.error(issuers[i].issuer_mark, "the TokenIssuer " + shown(first->metadata.name) +
                                                      " is for this issuer already, in the same "
                                                      "organization and environment");
        }
    }
}

void check_auth_spec(Checker& checker, const AuthSpec& spec) {
    if (!spec.types) {
        return;
    }
    if (spec.types->mtls) {
        const MtlsAuth& mtls = *spec.types->mtls;
        for (const PemSource& source : mtls.certificates) {
            checker.pem_must_exist(source);
        }
        if (!mtls.disabled) {
            checker.unserved(mtls.mark, "mtls",
                             "clients' certificates are not verified yet, so none lets a request "
                             "in; end TLS with client certificates in front of Rotary");
        }
    }
    if (every_type_is_off(*spec.types) && !spec.disabled.value_or(false)) {
        checker.warning(spec.types_mark,
                        "every type is off: the routes are open to everybody, as in APK; "
                        "disabled: true beside authTypes says that it is meant");
    }
    for (std::size_t i = 0; spec.types->api_key && i < spec.types->api_key->keys.size(); ++i) {
        const ApiKeyLocation& place = spec.types->api_key->keys[i];
        if (place.in == ApiKeyLocation::In::query) {
            checker.warning(place.mark,
                            "keys in a URL end up in the logs of whoever sees it on its way; "
                            "prefer `in: Header`");
        }
    }
    if (spec.types->api_key && spec.types->api_key->keys.empty()) {
        checker.error(spec.types->api_key->mark.below("keys"),
                      "is required: nobody could send an API key");
    }
}

// What both set in the same half, so that none has the last word.
bool are_rivals(const AuthSpec& a, const AuthSpec& b) {
    return (a.disabled && b.disabled) || (a.types && b.types);
}

}  // namespace

void check_issuers(Checker& checker) {
    const Resources& resources = checker.resources;
    for (const TokenIssuer& issuer : resources.issuers) {
        check_issuer(checker, issuer);
    }
    issuers_must_differ(checker);
    for (const Api& api : resources.apis) {
        const auto fits = [&](const TokenIssuer& issuer) { return is_for(issuer, api); };
        const auto has_key = [&](const ConsumerKey& key) { return may_call(key, api); };
        const bool has_issuer =
            std::any_of(resources.issuers.begin(), resources.issuers.end(), fits) ||
            std::any_of(resources.consumer_keys.begin(), resources.consumer_keys.end(), has_key);
        if (!has_issuer && !checker.anything_unread() && needs_token(resources, api)) {
            checker.warning(api.metadata.mark,
                            "needs a token, and no TokenIssuer is there for its organization and "
                            "environment: every request is answered 401");
        }
    }
}

void check_authentications(Checker& checker) {
    const Resources& resources = checker.resources;
    const std::set<std::string_view> attached = attached_to_rules(resources, "Authentication");
    std::map<std::string_view, std::vector<const Authentication*>> of_target;
    for (const Authentication& one : resources.authentications) {
        check_auth_spec(checker, one.defaults);
        check_auth_spec(checker, one.overrides);
        check_target(checker, one.metadata, one.target, attached.contains(one.metadata.name));
        if (one.target.kind != TargetKind::api) {
            continue;
        }
        for (const Authentication* earlier : of_target[one.target.name]) {
            if (are_rivals(one.defaults, earlier->defaults) ||
                are_rivals(one.overrides, earlier->overrides)) {
                checker.error(one.target.mark, "the Authentication " +
                                                   shown(earlier->metadata.name) +
                                                   " is for this API on the same level");
            }
        }
        of_target[one.target.name].push_back(&one);
    }
}

}  // namespace rotary::config
