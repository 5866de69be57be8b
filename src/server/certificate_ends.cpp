#include "server/certificate_ends.hpp"

#include <chrono>

namespace rotary::server {

void CertificateEnds::take(const Contexts& contexts) {
    ends_.resize(contexts.size());
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        if (contexts[i] != nullptr) ends_[i] = contexts[i]->certificate_end();
    }
}

void CertificateEnds::sample(metrics::Exposition& out) const {
    for (std::size_t i = 0; i < ends_.size() && i < listeners_.size(); ++i) {
        if (ends_[i] == WallTime{}) continue;
        const std::chrono::duration<double> end = ends_[i].time_since_epoch();
        out.gauge("rotary_tls_certificate_expiry_timestamp_seconds",
                  "When the certificate of a listener ends, in Unix time.",
                  {{"listener", listeners_[i]}}, end.count());
    }
}

}  // namespace rotary::server
