#pragma once

#include <rotary/base/log.hpp>
#include <rotary/policy/jwt.hpp>
#include <rotary/policy/snapshot.hpp>
#include <rotary/server/jwks.hpp>

#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// The keys of all token issuers, as far as they are known, and the table made of them that workers
// verify with. Control thread only; the tables are immutable and shared.
class KeyRing {
public:
    explicit KeyRing(Logger& log) : log_(log) {}

    // The issuers of a snapshot. Certificates are read here; keys of JWKS issuers that were there
    // before are kept until the fetcher brings newer ones. Throws std::runtime_error naming the
    // issuer whose certificate can't be used.
    void configure(const policy::Snapshot& snapshot);
    // What JwksFetcher is to fetch, in its order; its indices are translated by set_keys.
    const std::vector<JwksSource>& sources() const noexcept { return sources_; }
    void set_keys(std::size_t source, std::shared_ptr<const policy::KeySet> keys);
    // The fetcher's index of an issuer; npos for one with a certificate.
    std::size_t source_of(std::size_t issuer) const noexcept;

    std::shared_ptr<const policy::IssuerTable> table() const;
    // Names of issuers without keys yet: their tokens are answered with 503.
    std::vector<std::string> missing() const;

    static constexpr std::size_t npos = SIZE_MAX;

private:
    Logger& log_;
    std::vector<policy::Issuer> issuers_;
    std::vector<JwksSource> sources_;
    std::vector<std::size_t> issuer_of_source_;
};

}  // namespace rotary::server
