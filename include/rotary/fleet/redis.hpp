#pragma once

#include <rotary/base/log.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/fleet/store.hpp>
#include <rotary/net/resolver.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rotary::fleet {

struct RedisOptions {
    config::Redis redis;
    std::string replica;                // who this is, in CLIENT LIST
    std::chrono::milliseconds connect;  // TCP, each address
    std::chrono::milliseconds login;    // TLS, AUTH and the first answer
    std::chrono::milliseconds silence;  // after which a connection is given up
    std::chrono::milliseconds retry;    // the most between two tries to connect
};

// As the configuration has them, whose state.redis is set.
RedisOptions redis_options(const config::Config& config, std::string replica);

// A Redis (7, Valkey; alone, a Cluster or behind Sentinels) as a store, over two connections: one
// that asks, one that hears what is published. RESP2. It connects by itself, again and again, and
// asks nothing while it can't: no question waits longer than its deadline, and none at all while
// the Redis is away or slow. One line of the log at each change. Control thread, like all that it
// calls. What is still asked when it goes is not answered any more.
class Redis final : public Store {
public:
    // slow: three answers in a row came late; on_lost was told, and on_ready is once all late ones
    // have come.
    enum class Link : std::uint8_t { away, slow, ready };

    struct Counts {
        std::uint64_t questions = 0;  // that were sent
        std::uint64_t late = 0;       // that had no answer by their deadline
        std::uint64_t refused = 0;    // that were answered with an error
        std::uint64_t connects = 0;   // how often it became ready
        std::uint64_t failures = 0;   // how often a try to connect, or a connection, failed
        std::uint64_t scripts = 0;    // that were sent whole, because it did not know them
    };

    Redis(boost::asio::io_context& context, net::Resolver& resolver, Logger& log);
    ~Redis() override;

    // Goes there from now on; where it was is left, unless it is the same. Throws
    // std::runtime_error when the certificates of redis.ca can't be used; all is as before then.
    void configure(RedisOptions options);

    void listen(Listener& listener) override;
    void unlisten(Listener& listener) noexcept override;
    bool is_ready() const noexcept override;
    void ask(std::vector<std::string> command, Answered answered) override;
    void run(const Script& script, std::vector<std::string> keys,
             std::vector<std::string> arguments, Answered answered) override;

    Link link() const noexcept;
    const Counts& counts() const noexcept;
    std::string place() const;  // HOST:PORT that it is connected to, or tries
    // Why it is away, for people; empty while it is not.
    const std::string& error() const noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

std::string_view to_string(Redis::Link link) noexcept;

}  // namespace rotary::fleet
