#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/auth/key_fetch.hpp>
#include <rotary/auth/key_set.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/fault.hpp>
#include <rotary/config/settings/limits.hpp>

namespace rotary::auth {

// Whose tokens are taken, and how to read them.
struct Issuer {
    std::string name;                       // the TokenIssuer resource's, for logs and metrics
    std::string iss;                        // compared exactly
    std::string organization;               // whose APIs take its tokens, and no others'
    std::vector<std::string> environments;  // of these APIs; empty, or with "*": of all
    std::shared_ptr<const KeySet> keys;     // null: not fetched yet
    std::shared_ptr<KeyFetch> fetch;        // null: a certificate, which is not fetched
    std::vector<std::string> audiences;     // empty: any token will do
    std::string consumer_key_claim = "azp";
    std::string scopes_claim = "scope";
    std::vector<std::string> limit_claims;  // of its tokens, for what is limited by them
};

// The issuers of one snapshot with one generation of their keys. Immutable; each table made has a
// number of its own, which goes into the token cache with every token that was verified by it.
class IssuerTable {
public:
    explicit IssuerTable(std::vector<Issuer> issuers);

    std::span<const Issuer> issuers() const noexcept { return issuers_; }
    std::uint64_t generation() const noexcept { return generation_; }

private:
    std::vector<Issuer> issuers_;
    std::uint64_t generation_;
};

// The issuers that one API trusts: those of its organization and environment.
struct TrustedIssuers {
    std::span<const Issuer> all;
    std::string_view organization = {};
    std::string_view environment = {};

    bool trusts(const Issuer& issuer) const noexcept;
};

struct JwtLimits {
    std::size_t token_bytes = config::Limits{}.token_bytes;
    std::size_t header_bytes = 1024;  // decoded
    std::size_t kid_bytes = 256;
    std::size_t json_depth = config::Limits{}.json_depth;
    std::size_t key_tries = 8;  // signatures checked with one issuer's keys
    std::chrono::seconds leeway =
        std::chrono::duration_cast<std::chrono::seconds>(config::Timeouts{}.token_leeway);
};

// What is known of a caller, as views; Claims makes its own copy.
struct ClaimViews {
    std::string_view issuer;
    std::string_view subject;
    std::string_view client_id;
    std::string_view kid;
    std::string_view application;          // application.uuid, of API keys that APK's portal makes
    std::string_view permitted_addresses;  // permittedIP of these: a list
    std::string_view permitted_referers;   // permittedReferer
    std::vector<std::string_view> scopes;
    std::vector<std::string_view> audiences;
    struct Named {
        std::string_view name;
        std::string_view value;
    };
    std::vector<Named> named;  // those of Issuer::limit_claims that are there
    WallTime expires_at{};     // the claim
    WallTime valid_until{};    // with the leeway: from then on verify() would refuse the token
    std::size_t issuer_index = 0;
};

// The verified claims that Rotary uses, all their text in one block. Immutable and shared: a token
// cache holds them, and so may an exchange that outlives its place in the cache.
class Claims {
public:
    explicit Claims(const ClaimViews& views);
    Claims(const Claims&) = delete;
    Claims& operator=(const Claims&) = delete;

    std::string_view issuer() const noexcept { return views_.issuer; }
    std::string_view subject() const noexcept { return views_.subject; }          // empty: none
    std::string_view client_id() const noexcept { return views_.client_id; }      // empty: none
    std::string_view kid() const noexcept { return views_.kid; }                  // empty: none
    std::string_view application() const noexcept { return views_.application; }  // empty: none
    // Whether the token may be used by a client of this address, sent from this page.
    bool permits_address(std::string_view address) const noexcept;
    bool permits_referer(std::string_view referer) const noexcept;
    std::span<const std::string_view> scopes() const noexcept { return views_.scopes; }
    std::span<const std::string_view> audiences() const noexcept { return views_.audiences; }
    WallTime expires_at() const noexcept { return views_.expires_at; }
    WallTime valid_until() const noexcept { return views_.valid_until; }
    // Into the issuers that verify() was given.
    std::size_t issuer_index() const noexcept { return views_.issuer_index; }

    // Of the claims in Issuer::limit_claims, a string or number as it stands; empty: none.
    std::string_view named(std::string_view claim) const noexcept;
    bool has_scope(std::string_view scope) const noexcept;
    // Also for what an Authentication resource asks of a token beyond its issuer: true when one of
    // `wanted` is among the token's audiences, or nothing is wanted.
    bool meant_for(std::span<const std::string> wanted) const noexcept;
    // Of memory, for the cache's accounts.
    std::size_t bytes() const noexcept;

private:
    ClaimViews views_;
    std::size_t block_bytes_;
    std::unique_ptr<char[]> block_;
};

// What is wrong with a token, for the log: a client is told no more than the fault's kind.
enum class TokenDefect : std::uint8_t {
    none,
    malformed,      // not a JWT, or of an algorithm that is not served
    wrong_issuer,   // no TokenIssuer has its iss
    not_trusted,    // one has, of another organization or environment than the API's
    no_keys,        // the issuer's keys are not there yet
    unknown_kid,    // the issuer has no key of that name
    bad_signature,  // no key of the issuer verified it
    bad_times,      // exp is missing, or exp, nbf or iat is no number
    expired,
    not_yet_valid,
    wrong_audience
};
const char* to_string(TokenDefect defect) noexcept;  // words, such as "unknown kid"

// Why a token was refused: invalid_token, token_expired, or issuer_unavailable when the keys that
// would decide are not there yet.
struct VerifyFailure {
    static constexpr std::size_t kNoIssuer = SIZE_MAX;

    Fault fault;
    TokenDefect defect = TokenDefect::none;
    // The token names a key that its issuer's set does not have: fetching the set may help.
    bool unknown_kid = false;
    // No key of the set verified it, under whatever name: helps too if a key was replaced under its
    // old kid, or none are named. True whenever unknown_kid is.
    bool keys_may_be_stale = false;
    // The issuer that came closest. Others may share its iss, and what is stale may be theirs.
    std::size_t issuer = kNoIssuer;
    std::string kid = {};  // as the token names it, when keys may be stale; empty: it names none
};

// Found by VerifyResult::value() when it holds a failure.
[[noreturn]] inline void throw_exception_from_error(const VerifyFailure& failure,
                                                    const boost::source_location&) {
    throw FaultError(failure.fault);
}

using VerifyResult = boost::system::result<std::shared_ptr<const Claims>, VerifyFailure>;

// Checks a compact JWS (RFC 7515 section 7.1) by the rules of RFC 8725: strict base64url and JSON,
// the key decides the algorithm, `crit` is refused, keys inside the token are not looked at, and no
// claim but `iss` is read before the signature holds. Several issuers may share one iss: the first
// that is trusted and whose key and audience fit takes the token. Costs a signature check (20-200
// us) a key tried.
VerifyResult verify(std::string_view token, const TrustedIssuers& issuers, WallTime now,
                    const JwtLimits& limits);

}  // namespace rotary::auth
