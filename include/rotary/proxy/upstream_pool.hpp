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

    // The place for connections with this key: the same one, with what waits in it, as long as
    // somebody holds it. Not for the path: resolved once when a snapshot is published.
    std::size_t hold(const std::string& key);
    // Once for each hold(). The last one closes the bucket's connections and frees its place.
    void release(std::size_t bucket) noexcept;

    // A connection that looks alive, or null.
    std::unique_ptr<net::Stream> take(std::size_t bucket, net::SteadyTime now) noexcept;
    // Only streams whose last answer was read to its end, with nothing behind it.
    void put(std::size_t bucket, std::unique_ptr<net::Stream> stream, net::SteadyTime now);

    void sweep(net::SteadyTime now);  // closes what is dead or too old; called each second
    void clear();
    std::size_t idle() const noexcept;
    std::size_t buckets() const noexcept { return keys_.size(); }

private:
    struct Idle {
        std::unique_ptr<net::Stream> stream;
        net::SteadyTime since;
    };
    struct Bucket {
        std::string key;  // empty: the place is free
        std::size_t holders = 0;
        std::vector<Idle> idle;
    };
    bool usable(const Idle& idle, net::SteadyTime now) const noexcept;
    std::size_t free_place();

    Limits limits_;
    std::map<std::string, std::size_t> keys_;
    std::vector<Bucket> buckets_;
};

}  // namespace rotary::proxy
