#include <rotary/control/key_ring.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rotary::control {

void KeyRing::configure(const routing::Snapshot& snapshot, SteadyTime now) {
    std::vector<auth::Issuer> issuers;
    std::vector<JwksSource> sources;
    std::vector<std::size_t> issuer_of_source;
    std::vector<bool> taken(sources_.size());  // two resources may say the same
    std::vector<SteadyTime> since(snapshot.issuers.size(), now);
    for (std::size_t i = 0; i < snapshot.issuers.size(); ++i) {
        const config::TokenIssuer& resource = snapshot.issuers[i];
        auth::Issuer issuer;
        issuer.name = resource.metadata.name;
        issuer.iss = resource.issuer;
        issuer.organization = resource.organization;
        issuer.environments = resource.environments;
        issuer.consumer_key_claim = resource.consumer_key_claim;
        issuer.scopes_claim = resource.scopes_claim;
        issuer.limit_claims = snapshot.limit_claims;
        if (resource.jwks) {
            JwksSource source{resource.issuer, resource.jwks->url, resource.jwks->file,
                              snapshot.issuer_ca_pem[i], resource.jwks->allow_http};
            std::size_t place = 0;
            while (place < sources_.size() && (taken[place] || sources_[place] != source)) ++place;
            if (place < sources_.size()) {
                taken[place] = true;
                issuer.keys = issuers_[issuer_of_source_[place]].keys;
                issuer.fetch = issuers_[issuer_of_source_[place]].fetch;
                since[i] = since_[issuer_of_source_[place]];
            } else {
                issuer.fetch = std::make_shared<auth::KeyFetch>();
            }
            sources.push_back(std::move(source));
            issuer_of_source.push_back(i);
        } else {
            auto loaded = auth::KeySet::from_pem(snapshot.issuer_certificate_pem[i]);
            if (!loaded.keys) {
                throw std::runtime_error("TokenIssuer " + issuer.name +
                                         ": the certificate can't be used: " + loaded.error);
            }
            for (const std::string& line : loaded.weak) {
                log_.warn("the key of a token issuer's certificate is weak",
                          {{"issuer", issuer.iss}, {"reason", line}});
            }
            issuer.keys = std::move(loaded.keys);
        }
        issuers.push_back(std::move(issuer));
    }
    issuers_ = std::move(issuers);
    since_ = std::move(since);
    sources_ = std::move(sources);
    issuer_of_source_ = std::move(issuer_of_source);
}

void KeyRing::set_keys(std::size_t source, std::shared_ptr<const auth::KeySet> keys) {
    if (source >= issuer_of_source_.size()) return;
    auth::Issuer& issuer = issuers_[issuer_of_source_[source]];
    issuer.keys = std::move(keys);
    issuer.fetch->has_keys(issuer.keys ? issuer.keys->generation() : 0);
    if (issuer.keys) {
        log_.info("token issuer's keys are known",
                  {{"issuer", issuer.iss}, {"keys", issuer.keys->keys().size()}});
    } else {
        log_.error("token issuer's keys went stale", {{"issuer", issuer.iss}});
    }
}

void KeyRing::fetch_started(std::size_t source) {
    if (source < issuer_of_source_.size()) issuers_[issuer_of_source_[source]].fetch->started();
}

void KeyRing::fetch_ended(std::size_t source, bool failed, SteadyTime not_before) {
    if (source >= issuer_of_source_.size()) return;
    issuers_[issuer_of_source_[source]].fetch->ended(failed, not_before);
}

const std::string& KeyRing::name_of(std::size_t source) const {
    return issuers_.at(issuer_of_source_.at(source)).name;
}

std::size_t KeyRing::source_of(const auth::KeyFetch& fetch) const noexcept {
    const auto place =
        std::find_if(issuer_of_source_.begin(), issuer_of_source_.end(),
                     [&](std::size_t issuer) { return issuers_[issuer].fetch.get() == &fetch; });
    return place == issuer_of_source_.end()
               ? npos
               : static_cast<std::size_t>(place - issuer_of_source_.begin());
}

std::shared_ptr<const auth::IssuerTable> KeyRing::table() const {
    return std::make_shared<const auth::IssuerTable>(issuers_);
}

std::vector<KeyRing::Standing> KeyRing::standings(SteadyTime now,
                                                  std::chrono::milliseconds patience) const {
    std::vector<Standing> all;
    for (std::size_t i = 0; i < issuers_.size(); ++i) {
        const auto source = std::find(issuer_of_source_.begin(), issuer_of_source_.end(), i);
        const std::size_t index =
            source == issuer_of_source_.end()
                ? npos
                : static_cast<std::size_t>(source - issuer_of_source_.begin());
        const std::size_t keys = issuers_[i].keys ? issuers_[i].keys->keys().size() : 0;
        all.push_back({issuers_[i].name, index, keys, keys == 0 && now - since_[i] < patience});
    }
    return all;
}

void sample_keys(const KeyRing& keys, const JwksFetcher& fetcher, metrics::Exposition& out) {
    for (std::size_t source = 0; source < keys.sources().size(); ++source) {
        const metrics::Label issuer{"issuer", keys.name_of(source)};
        const auto set = fetcher.keys(source);
        const JwksStatus status = fetcher.status(source);
        out.gauge("rotary_jwks_keys", "Keys in force of a token issuer; 0: its tokens get 503.",
                  {issuer}, set ? static_cast<double>(set->keys().size()) : 0.0);
        const auto success = status.last_success.value_or(WallTime{}).time_since_epoch();
        out.gauge("rotary_jwks_last_success_timestamp_seconds",
                  "When a token issuer's keys were last fetched; 0: never.", {issuer},
                  std::chrono::duration<double>(success).count());
        const char* const help = "Fetches of a token issuer's keys.";
        out.counter("rotary_jwks_fetches_total", help, {issuer, {"outcome", "ok"}},
                    static_cast<double>(status.fetches_ok));
        out.counter("rotary_jwks_fetches_total", help, {issuer, {"outcome", "failed"}},
                    static_cast<double>(status.fetches_failed));
    }
}

}  // namespace rotary::control
