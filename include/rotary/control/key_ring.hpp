#pragma once

#include <rotary/auth/jwt.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/control/jwks.hpp>
#include <rotary/routing/snapshot.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rotary::control {

// The keys of all token issuers, as far as they are known, and the table made of them that workers
// verify with. Control thread only; the tables are immutable and shared.
class KeyRing {
public:
    explicit KeyRing(Logger& log) : log_(log) {}

    // The issuers of a snapshot. Certificates are read here; keys of JWKS issuers that were there
    // before are kept until the fetcher brings newer ones. Throws std::runtime_error naming the
    // issuer whose certificate can't be used.
    void configure(const routing::Snapshot& snapshot, SteadyTime now);
    // What JwksFetcher is to fetch, in its order; its indices are translated by set_keys.
    const std::vector<JwksSource>& sources() const noexcept { return sources_; }
    void set_keys(std::size_t source, std::shared_ptr<const auth::KeySet> keys);
    // What the fetcher tells of a fetch, passed on to the workers.
    void fetch_started(std::size_t source);
    void fetch_ended(std::size_t source, bool failed, SteadyTime not_before);
    // The fetcher's index of the issuer with this state; npos when a reload has removed it.
    std::size_t source_of(const auth::KeyFetch& fetch) const noexcept;
    // The issuer's resource name.
    const std::string& name_of(std::size_t source) const;

    std::shared_ptr<const auth::IssuerTable> table() const;

    // How an issuer stands. Without keys its tokens are answered with 503, and while it is
    // new (timeouts.jwks_patience) the process does not call itself ready: after that others must
    // not suffer for it.
    struct Standing {
        const std::string& name;  // the resource's
        std::size_t source;       // npos: a certificate
        std::size_t keys;
        bool holds_up;
    };
    std::vector<Standing> standings(SteadyTime now, std::chrono::milliseconds patience) const;

    static constexpr std::size_t npos = SIZE_MAX;

private:
    Logger& log_;
    std::vector<auth::Issuer> issuers_;
    std::vector<SteadyTime> since_;  // as issuers_: when each was first heard of
    std::vector<JwksSource> sources_;
    std::vector<std::size_t> issuer_of_source_;
};

// Samples of each issuer whose keys are fetched, worked out at each scrape: rotary_jwks_*.
void sample_keys(const KeyRing& keys, const JwksFetcher& fetcher, metrics::Exposition& out);

}  // namespace rotary::control
