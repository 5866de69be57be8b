#include <rotary/auth/jwt.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include <rotary/wire/base64url.hpp>
#include <rotary/wire/json_document.hpp>
#include "auth/jwt_signature.hpp"

namespace rotary::auth {

namespace {

using wire::JsonDocument;
using wire::JsonValue;

constexpr Fault kMalformed =
    Fault::client(FaultKind::invalid_token, "the token is not a valid JWT");
constexpr Fault kRefused = Fault::client(FaultKind::invalid_token, "the token is not accepted");
constexpr Fault kNotYet = Fault::client(FaultKind::invalid_token, "the token is not valid yet");
constexpr Fault kExpired = Fault::client(FaultKind::token_expired, "the token has expired");
constexpr Fault kNoKeys =
    Fault::internal(FaultKind::issuer_unavailable, "the token issuer's keys are not available");

// The year 2255: what a WallTime of nanoseconds holds, with room for any leeway.
constexpr double kLatestSecond = 9e9;

// A token taken apart. Nothing in it is trusted yet.
struct Parsed {
    SignedText signed_text;
    std::string signature;
    JwtAlgorithm algorithm{};
    std::string kid;
    bool has_kid = false;
    std::optional<JsonDocument> payload;
    std::string_view iss;
};

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
};

std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1)};
}

std::optional<JsonDocument> parse_object(std::string_view part, std::size_t most,
                                         const JwtLimits& limits) {
    const auto text = wire::base64url_decode(part);
    if (!text || text->size() > most) return std::nullopt;
    wire::JsonLimits json_limits;
    json_limits.depth = limits.json_depth;
    json_limits.bytes = limits.token_bytes;
    auto document = JsonDocument::parse(*text, json_limits);
    if (document && !document->root().is_object()) return std::nullopt;
    return document;
}

// Of the header only alg and kid count. jku, x5u, x5c and jwk are a stranger's offer of a key.
bool read_header(const JsonValue& header, const JwtLimits& limits, Parsed& parsed) {
    if (header.find("crit")) return false;  // RFC 7515 section 4.1.11: we know no extension
    const auto alg = header.find("alg");
    if (!alg || !alg->is_string()) return false;
    const auto algorithm = parse_algorithm(*alg->string());
    if (!algorithm) return false;
    parsed.algorithm = *algorithm;
    if (const auto kid = header.find("kid")) {
        if (!kid->is_string() || kid->string()->size() > limits.kid_bytes) return false;
        parsed.kid = *kid->string();
        parsed.has_kid = true;
    }
    return true;
}

bool parse_token(std::string_view token, const JwtLimits& limits, Parsed& parsed) {
    if (token.size() > limits.token_bytes) return false;
    const auto parts = split(token);
    if (!parts) return false;
    const auto header = parse_object(parts->header, limits.header_bytes, limits);
    if (!header || !read_header(header->root(), limits, parsed)) return false;
    auto signature = wire::base64url_decode(parts->signature);
    if (!signature || signature->empty()) return false;
    parsed.signature = std::move(*signature);
    parsed.payload = parse_object(parts->payload, limits.token_bytes, limits);
    if (!parsed.payload) return false;
    const auto iss = parsed.payload->root().find("iss");
    if (!iss || !iss->is_string()) return false;
    parsed.iss = *iss->string();
    parsed.signed_text = {token.substr(0, parts->header.size() + 1 + parts->payload.size()),
                          parsed.signature};
    return true;
}

enum class KeyVerdict { holds, unknown_kid, refused };

// With a kid that the set has, only keys of that name are tried; otherwise only keys that may go by
// any name, which are those of certificates, or all when the token names none.
KeyVerdict try_keys(const KeySet& set, const Parsed& parsed, std::size_t tries) {
    const auto keys = set.keys();
    const bool named =
        parsed.has_kid && std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
            return !key.kid.empty() && key.kid == parsed.kid;
        });
    for (const PublicKey& key : keys) {
        if (named ? key.kid != parsed.kid : parsed.has_kid && !key.kid.empty()) continue;
        if (!key.algorithms.has(parsed.algorithm)) continue;
        if (tries-- == 0) break;
        if (signature_holds(key, parsed.algorithm, parsed.signed_text)) return KeyVerdict::holds;
    }
    return parsed.has_kid && !named ? KeyVerdict::unknown_kid : KeyVerdict::refused;
}

// RFC 7519 section 2, NumericDate: seconds, decimals allowed. Clamped to what WallTime holds.
WallTime wall_time(double seconds) {
    const double clamped = std::clamp(seconds, -kLatestSecond, kLatestSecond);
    return WallTime(
        std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(clamped)));
}

// Fills in the times, or says what is wrong with them.
std::optional<VerifyFailure> check_times(const JsonValue& payload, WallTime now,
                                         std::chrono::seconds leeway, ClaimViews& views) {
    const auto exp = payload.find("exp");
    const VerifyFailure bad{kMalformed, TokenDefect::bad_times};
    if (!exp || !exp->number()) return bad;
    const auto nbf = payload.find("nbf");
    if (nbf && !nbf->number()) return bad;
    const auto iat = payload.find("iat");
    if (iat && !iat->number()) return bad;
    views.expires_at = wall_time(*exp->number());
    views.valid_until = views.expires_at + leeway;
    if (now >= views.valid_until) return VerifyFailure{kExpired, TokenDefect::expired};
    if (nbf && wall_time(*nbf->number()) > now + leeway) {
        return VerifyFailure{kNotYet, TokenDefect::not_yet_valid};
    }
    return std::nullopt;
}

// Some issuers number their users; the digits as they stand are as good a name.
std::string_view text_of(const JsonValue& payload, std::string_view claim) {
    const auto value = payload.find(claim);
    if (!value) return {};
    return value->string().value_or(value->number_text());
}

// A list of strings, or one string: whole, or split at `separator`. Other elements are passed over.
std::vector<std::string_view> list_of(const JsonValue& payload, std::string_view claim,
                                      std::optional<char> separator) {
    std::vector<std::string_view> list;
    const auto value = payload.find(claim);
    if (!value) return list;
    for (const JsonValue element : value->elements()) {
        if (element.is_string()) list.push_back(*element.string());
    }
    std::string_view rest = value->string().value_or(std::string_view());
    while (!rest.empty()) {
        const std::size_t end = separator ? rest.find(*separator) : std::string_view::npos;
        const std::string_view word = rest.substr(0, end);
        if (!word.empty()) list.push_back(word);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return list;
}

// A restriction that can't be read is one that nothing meets.
std::string_view restriction_of(const JsonValue& payload, std::string_view claim) {
    const auto value = payload.find(claim);
    if (!value || value->kind() == wire::JsonKind::null) return {};
    return value->string().value_or("-");
}

void read_claims(const JsonValue& payload, const Issuer& issuer, ClaimViews& views) {
    views.issuer = issuer.iss;
    views.subject = text_of(payload, "sub");
    views.client_id = text_of(payload, issuer.consumer_key_claim);
    views.scopes = list_of(payload, issuer.scopes_claim, ' ');
    views.audiences = list_of(payload, "aud", std::nullopt);
    if (const auto application = payload.find("application")) {
        views.application = text_of(*application, "uuid");
    }
    for (const std::string& claim : issuer.limit_claims) {
        const std::string_view value = text_of(payload, claim);
        if (!value.empty()) views.named.push_back({claim, value});
    }
    views.permitted_addresses = restriction_of(payload, "permittedIP");
    views.permitted_referers = restriction_of(payload, "permittedReferer");
}

// The more was known of the token when it was refused, the better the answer.
enum class Progress { no_issuer, not_trusted, no_key, no_keys_yet, signature_held };

void note(VerifyFailure& failure, Progress& best, Progress reached, const VerifyFailure& why) {
    if (reached <= best) return;
    best = reached;
    failure = why;
}

}  // namespace

VerifyResult verify(std::string_view token, const TrustedIssuers& issuers, WallTime now,
                    const JwtLimits& limits) {
    Parsed parsed;
    if (!parse_token(token, limits, parsed)) {
        return VerifyFailure{kMalformed, TokenDefect::malformed};
    }
    const JsonValue payload = parsed.payload->root();

    VerifyFailure failure{kRefused, TokenDefect::wrong_issuer};
    Progress best = Progress::no_issuer;
    for (std::size_t i = 0; i < issuers.all.size(); ++i) {
        const Issuer& issuer = issuers.all[i];
        if (issuer.iss != parsed.iss) continue;
        if (!issuers.trusts(issuer)) {
            note(failure, best, Progress::not_trusted, {kRefused, TokenDefect::not_trusted});
            continue;
        }
        if (issuer.keys == nullptr) {
            note(failure, best, Progress::no_keys_yet,
                 {kNoKeys, TokenDefect::no_keys, false, false, i});
            continue;
        }
        const KeyVerdict verdict = try_keys(*issuer.keys, parsed, limits.key_tries);
        if (verdict != KeyVerdict::holds) {
            const bool unknown = verdict == KeyVerdict::unknown_kid;
            const auto defect = unknown ? TokenDefect::unknown_kid : TokenDefect::bad_signature;
            note(failure, best, Progress::no_key, {kRefused, defect, unknown, true, i, parsed.kid});
            continue;
        }
        ClaimViews views;
        if (auto wrong = check_times(payload, now, limits.leeway, views)) {
            wrong->issuer = i;
            return *wrong;
        }
        read_claims(payload, issuer, views);
        views.kid = parsed.kid;
        views.issuer_index = i;
        auto claims = std::make_shared<const Claims>(views);
        if (claims->meant_for(issuer.audiences)) return claims;
        note(failure, best, Progress::signature_held,
             {kRefused, TokenDefect::wrong_audience, false, false, i});
    }
    return failure;
}

}  // namespace rotary::auth
