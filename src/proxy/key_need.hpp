#pragma once

#include "proxy/exchange.hpp"

#include <rotary/auth/jwt.hpp>

#include <string>

// What becomes of a token whose key is not known: perhaps its issuer has just rotated. One fetch an
// issuer and cooldown is made for such tokens, and they wait for it a moment.
namespace rotary::proxy {

// What authentication could not do at once.
struct KeyNeed {
    // A signature costs as much as a whole request with a known token: it is checked only after
    // all others that were ready have had their turn.
    bool in_turn = false;
    bool unverified = false;  // a token waits for that
    bool may_ask = true;      // else only what is under way counts
    bool asked = false;       // this exchange had keys fetched: once is all it gets
    bool pending = false;     // a key may still come, or the turn: authenticate again
    std::string asked_kid;    // of the token that it was for; empty: it names none
};

// Judges a token that auth::verify refused, has keys fetched where that may help and is allowed,
// and notes in `need` whether to wait. The fault is issuer_unavailable for as long as it
// is unknown whether the issuer has such a key, else what verify() said.
Fault lacks_key(Context& context, const Exchange& exchange, const auth::VerifyFailure& failure,
                KeyNeed& need);

// Those of the worker's issuers whose tokens the exchange's API takes.
auth::TrustedIssuers trusted_issuers(const Context& context, const Exchange& exchange) noexcept;

}  // namespace rotary::proxy
