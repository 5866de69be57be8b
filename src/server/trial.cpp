#include "server/trial.hpp"

#include <utility>

namespace rotary::server {

std::vector<config::Finding> Trial::judge(const config::Loaded& loaded) {
    findings_.clear();
    snapshot_ = routing::compile(loaded, shared_, findings_);
    fingerprint_ = loaded.fingerprint;
    return findings_;
}

std::shared_ptr<const routing::Snapshot> Trial::compile(const config::Loaded& loaded,
                                                        std::vector<config::Finding>& findings) {
    if (!snapshot_ || fingerprint_ != loaded.fingerprint) {
        forget();
        return routing::compile(loaded, shared_, findings);
    }
    findings.insert(findings.end(), findings_.begin(), findings_.end());
    return std::exchange(snapshot_, nullptr);
}

void Trial::forget() noexcept { snapshot_.reset(); }

}  // namespace rotary::server
