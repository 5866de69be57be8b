#include "server/key_ring.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rotary::server {

void KeyRing::configure(const policy::Snapshot& snapshot) {
    std::vector<policy::Issuer> issuers;
    std::vector<JwksSource> sources;
    std::vector<std::size_t> issuer_of_source;
    for (std::size_t i = 0; i < snapshot.issuers.size(); ++i) {
        const config::TokenIssuer& resource = snapshot.issuers[i];
        policy::Issuer issuer;
        issuer.name = resource.metadata.name;
        issuer.iss = resource.issuer;
        issuer.consumer_key_claim = resource.consumer_key_claim;
        issuer.scopes_claim = resource.scopes_claim;
        if (resource.jwks) {
            JwksSource source{resource.issuer, resource.jwks->url, resource.jwks->file,
                              snapshot.issuer_ca_pem[i]};
            const auto known = std::find(sources_.begin(), sources_.end(), source);
            if (known != sources_.end()) {
                const auto place = static_cast<std::size_t>(known - sources_.begin());
                issuer.keys = issuers_[issuer_of_source_[place]].keys;
            }
            sources.push_back(std::move(source));
            issuer_of_source.push_back(i);
        } else {
            auto loaded = policy::KeySet::from_pem(snapshot.issuer_certificate_pem[i]);
            if (!loaded.keys) {
                throw std::runtime_error("TokenIssuer " + issuer.name +
                                         ": the certificate can't be used: " + loaded.error);
            }
            issuer.keys = std::move(loaded.keys);
        }
        issuers.push_back(std::move(issuer));
    }
    issuers_ = std::move(issuers);
    sources_ = std::move(sources);
    issuer_of_source_ = std::move(issuer_of_source);
}

void KeyRing::set_keys(std::size_t source, std::shared_ptr<const policy::KeySet> keys) {
    if (source >= issuer_of_source_.size()) return;
    policy::Issuer& issuer = issuers_[issuer_of_source_[source]];
    issuer.keys = std::move(keys);
    if (issuer.keys) {
        log_.info("token issuer's keys are known",
                  {{"issuer", issuer.iss}, {"keys", issuer.keys->keys().size()}});
    } else {
        log_.error("token issuer's keys went stale", {{"issuer", issuer.iss}});
    }
}

std::size_t KeyRing::source_of(std::size_t issuer) const noexcept {
    const auto place = std::find(issuer_of_source_.begin(), issuer_of_source_.end(), issuer);
    return place == issuer_of_source_.end()
               ? npos
               : static_cast<std::size_t>(place - issuer_of_source_.begin());
}

std::shared_ptr<const policy::IssuerTable> KeyRing::table() const {
    return std::make_shared<const policy::IssuerTable>(issuers_);
}

std::vector<std::string> KeyRing::missing() const {
    std::vector<std::string> names;
    for (const policy::Issuer& issuer : issuers_) {
        if (!issuer.keys) names.push_back(issuer.name);
    }
    return names;
}

}  // namespace rotary::server
