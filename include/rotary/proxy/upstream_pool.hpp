#pragma once

#include <rotary/net/stream.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::proxy {

// One worker's idle keep-alive connections to providers, last in first out, so that the warm ones
// stay warm and the rest age out. Single-threaded. A connection that died or spoke while idle is
// known by its readiness flags: noticing costs no system call.
class UpstreamPool {
public:
    struct Limits {
        std::size_t idle_connections = 128;  // a bucket
        std::chrono::milliseconds idle{4000};
    };
    explicit UpstreamPool(const Limits& limits) : limits_(limits) {}

    // The place for connections with this key; stays valid across reloads. Not for the path:
    // resolved once when a snapshot is published.
    std::size_t bucket(const std::string& key);

    // A connection that looks alive, or null.
    std::unique_ptr<net::Stream> take(std::size_t bucket, net::SteadyTime now) noexcept;
    // Only streams whose last answer was read to its end, with nothing behind it.
    void put(std::size_t bucket, std::unique_ptr<net::Stream> stream, net::SteadyTime now);

    void sweep(net::SteadyTime now);  // closes what is dead or too old; called each second
    void clear();
    std::size_t idle() const noexcept;

private:
    struct Idle {
        std::unique_ptr<net::Stream> stream;
        net::SteadyTime since;
    };
    bool usable(const Idle& idle, net::SteadyTime now) const noexcept;

    Limits limits_;
    std::map<std::string, std::size_t> keys_;
    std::vector<std::vector<Idle>> buckets_;
};

}  // namespace rotary::proxy
