#pragma once

#include <rotary/base/log.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/routing/snapshot.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::control {

// How one Backend is checked, and who must hear of it. Without an interval it is not checked and
// counts as healthy.
struct HealthTarget {
    std::string backend;  // its name, for the log
    std::string host;     // name or IP literal
    std::uint16_t port = 0;
    std::chrono::milliseconds interval{0};  // from a check's start to the next one's
    std::chrono::milliseconds timeout{1000};
    unsigned unhealthy_threshold = 2;  // failures in a row
    unsigned healthy_threshold = 2;    // successes in a row
    std::shared_ptr<rotation::BackendState> state;
    std::vector<std::shared_ptr<rotation::EntryState>> entries;  // of its models
};

// Of all Backends.
std::vector<HealthTarget> health_targets(const routing::Snapshot& snapshot);

// Connects to each Backend over and over, from the control thread, and takes the entries of one
// that can't be reached out of the rotation until it can. Nothing is sent and no TLS begun: it asks
// whether a server is there. A name that can't be resolved now is checked at its old addresses, and
// a check that this process could not make (out of descriptors) says nothing. Single-threaded.
class HealthChecker {
public:
    HealthChecker(boost::asio::io_context& context, Logger& log, net::Resolver& resolver)
        : context_(context), log_(log), resolver_(resolver) {}
    ~HealthChecker();  // stops
    HealthChecker(const HealthChecker&) = delete;
    HealthChecker& operator=(const HealthChecker&) = delete;

    // Checks these from now on: new ones at once, those that were there already go on where they
    // are. All their entries, also new ones, stand as their Backends do when it returns: call it
    // before workers see them.
    void set_targets(std::vector<HealthTarget> targets);
    void stop() noexcept;  // for good; entries stay as they are

private:
    class Check;
    boost::asio::io_context& context_;
    Logger& log_;
    net::Resolver& resolver_;
    std::vector<std::shared_ptr<Check>> checks_;
    bool stopped_ = false;
};

}  // namespace rotary::control
