#include "proxy/key_need.hpp"

#include <utility>

namespace rotary::proxy {

namespace {

constexpr Fault kCannotTell = Fault::internal(FaultKind::issuer_unavailable,
                                              "the token issuer's newest keys are not available");

// A key that one issuer may have.
struct Missing {
    const auth::Issuer& issuer;
    const std::string& kid;  // empty: the token names none
};

// Looks for it. True when the issuer may have it and that is unknown.
bool look_for(Context& context, const Exchange& exchange, const Missing& missing, KeyNeed& need) {
    const auth::Issuer& issuer = missing.issuer;
    const std::string& kid = missing.kid;
    const SteadyTime now = context.reactor.now();
    const std::uint64_t have = issuer.keys ? issuer.keys->generation() : 0;
    // A signature that fails under a name that is known may mean that the key was replaced under
    // it, and far more often a forgery: worth a look, but no doubt remains.
    const bool is_unknown = !kid.empty() && issuer.keys && !issuer.keys->has(kid);
    auth::UnknownKids& known_unknown = context.key_waits.unknown_kids;
    if (is_unknown && known_unknown.contains(have, kid, now)) return false;

    auto hope = auth::KeyHope::none;
    if (need.may_ask) {
        hope = issuer.fetch->hope(have, now);
    } else if (issuer.fetch->pending(have)) {
        hope = auth::KeyHope::pending;
    }
    if (hope == auth::KeyHope::ask) {
        need.asked = true;
        need.asked_kid = kid;
        context.on_stale_keys(issuer.fetch);
    }
    if (hope != auth::KeyHope::none) {
        need.pending = true;
        return is_unknown;
    }
    if (issuer.fetch->failed()) return is_unknown;
    if (is_unknown && need.asked && need.asked_kid == kid) {
        auth::UnknownKids::Entry entry{have, kid, now + exchange.timeouts().unknown_kid};
        known_unknown.remember(std::move(entry), now, exchange.limits().unknown_kids);
    }
    return false;
}

}  // namespace

auth::TrustedIssuers trusted_issuers(const Context& context, const Exchange& exchange) noexcept {
    const routing::AuthRules& rules = exchange.match.route->auth;
    return {context.issuers->issuers(), rules.organization, rules.environment};
}

Fault lacks_key(Context& context, const Exchange& exchange, const auth::VerifyFailure& failure,
                KeyNeed& need) {
    const bool has_none = failure.fault.kind == FaultKind::issuer_unavailable;
    if (!failure.keys_may_be_stale && !has_none) return failure.fault;
    // Several issuers may share one iss, each with keys of its own.
    const auth::TrustedIssuers trusted = trusted_issuers(context, exchange);
    const std::string& iss = trusted.all[failure.issuer].iss;
    bool cannot_tell = false;
    for (const auth::Issuer& issuer : trusted.all) {
        if (issuer.iss != iss || !issuer.fetch || !trusted.trusts(issuer)) continue;
        if (look_for(context, exchange, {issuer, failure.kid}, need)) cannot_tell = true;
    }
    return cannot_tell ? kCannotTell : failure.fault;
}

}  // namespace rotary::proxy
