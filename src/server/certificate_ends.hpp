#pragma once

#include <rotary/admin/event_feed.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/net/tls.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::server {

// How many whole days are left; negative once it has ended.
std::int64_t days_until(WallTime end, WallTime now) noexcept;

// When the listeners' certificates end. Owned by the Deployment; control thread only.
class CertificateEnds {
public:
    using Contexts = std::vector<std::shared_ptr<const net::TlsContext>>;

    // `listeners`: where each is, "ADDRESS:PORT"; in the order of the contexts.
    void open(std::vector<std::string> listeners) { listeners_ = std::move(listeners); }
    // What new handshakes are served with; null: as before, or the listener has no TLS.
    void take(const Contexts& contexts);
    void sample(metrics::Exposition& out) const;
    struct End {
        std::string listener;
        WallTime at;
    };
    std::vector<End> ends() const;  // of the listeners with TLS
    // An event at 30, 7 and 1 days before an end and at the end, each once; where several have
    // passed, the last of them. A certificate that was renewed begins anew.
    void tell(admin::EventFeed& feed, WallTime now);

private:
    std::vector<std::string> listeners_;
    std::vector<WallTime> ends_;
    std::vector<std::size_t> told_;  // how many of the steps, by listener
};

}  // namespace rotary::server
