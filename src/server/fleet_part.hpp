#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/control/ledger.hpp>
#include <rotary/fleet/doorbell.hpp>
#include <rotary/fleet/fleet.hpp>
#include <rotary/fleet/redis.hpp>
#include <rotary/fleet/shared_limits.hpp>
#include <rotary/fleet/shared_places.hpp>
#include <rotary/fleet/shared_spend.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/routing/snapshot.hpp>
#include <rotary/wire/json_writer.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rotary::server {

// How this process stands in its fleet, for people.
struct FleetStanding {
    std::string replica;
    std::size_t replicas = 1;
    fleet::Redis::Link link = fleet::Redis::Link::away;
    std::string place;                       // HOST:PORT
    std::string error;                       // why it is away
    WallTime since{};                        // when it came or went
    std::size_t leases = 0;                  // of limits, in use here
    std::uint64_t places = 0;                // among the requests in flight, that are this one's
    std::optional<quota::Nanos> cost_today;  // of all replicas, by UTC; nothing: not heard yet

    // As "fleet" of /api/v1/status.
    void write(wire::JsonWriter& json) const;
};

// The process as one of several, where `state.redis` says so; else it is nothing, and costs
// nothing. Control thread.
class FleetPart {
public:
    FleetPart(boost::asio::io_context& control, net::Resolver& resolver, Logger& log)
        : control_(control), resolver_(resolver), log_(log) {}

    // Whose spend it tells the others; null: none is kept. Lives until stop().
    void set_ledger(control::Ledger* ledger) noexcept { ledger_ = ledger; }
    const std::string& replica() const noexcept { return replica_; }
    // What the configuration says, with each anew. Throws std::runtime_error where the certificates
    // that it names can't be used; all is as before then.
    void take(const routing::Snapshot& snapshot);
    // Once: when the others' suspensions are known here, or that took too long; at once alone.
    void when_joined(std::function<void()> joined);
    // Called when requests wait for the fleet and it has answered.
    void on_answers(std::function<void()> wake) { wake_ = std::move(wake); }
    // Called when the Redis turns out to have lost what it was told of spending.
    void on_loss(std::function<void()> loss) { loss_ = std::move(loss); }
    void each_second();
    void leave();  // the others need not count with this one any more
    // Once: when the others have been told all that was spent here, as far as they can be.
    void finish(std::function<void()> finished);
    void stop();

    std::optional<FleetStanding> standing(const Now& now) const;
    void sample(metrics::Exposition& out) const;

private:
    struct Joined {
        explicit Joined(boost::asio::io_context& control, net::Resolver& resolver, Logger& log)
            : redis(control, resolver, log) {}
        fleet::Redis redis;
        std::string name_space;
        std::unique_ptr<fleet::Fleet> fleet;
        std::unique_ptr<fleet::SharedLimits> limits;
        std::unique_ptr<fleet::SharedSpend> spend;
        std::unique_ptr<fleet::SharedPlaces> places;
    };
    void share_limits(const routing::Snapshot& snapshot);
    void share_spend(const config::Config& config);
    void share_places(const routing::Snapshot& snapshot);
    void sample_spend(metrics::Exposition& out) const;
    void sample_places(metrics::Exposition& out) const;

    boost::asio::io_context& control_;
    net::Resolver& resolver_;
    Logger& log_;
    const std::string replica_ = fleet::make_replica_id();
    std::chrono::milliseconds patience_{0};
    std::function<void()> wake_;
    std::function<void()> loss_;
    control::Ledger* ledger_ = nullptr;
    std::string currency_;                   // of the ledger, which a reload does not change
    std::unique_ptr<fleet::Doorbell> bell_;  // once there is one, workers may ring it for ever
    std::unique_ptr<Joined> joined_;         // null: alone
};

}  // namespace rotary::server
