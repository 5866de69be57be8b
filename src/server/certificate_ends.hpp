#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/net/tls.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// When the listeners' certificates end. Owned by the Deployment; control thread only.
class CertificateEnds {
public:
    using Contexts = std::vector<std::shared_ptr<const net::TlsContext>>;

    // `listeners`: where each is, "ADDRESS:PORT"; in the order of the contexts.
    void open(std::vector<std::string> listeners) { listeners_ = std::move(listeners); }
    // What new handshakes are served with; null: as before, or the listener has no TLS.
    void take(const Contexts& contexts);
    void sample(metrics::Exposition& out) const;

private:
    std::vector<std::string> listeners_;
    std::vector<WallTime> ends_;
};

}  // namespace rotary::server
