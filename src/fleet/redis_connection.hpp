#pragma once

#include <rotary/config/settings/state.hpp>
#include <rotary/fleet/reply.hpp>
#include <rotary/net/resolver.hpp>
#include <rotary/net/tls.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "fleet/redis_login.hpp"

namespace rotary::fleet {

struct RedisDial {
    config::HostPort place;
    std::string certified_name;                  // what its certificate must be for
    std::shared_ptr<const net::TlsContext> tls;  // none: in the clear
    std::vector<LoginStep> steps;
    std::chrono::milliseconds connect{};  // each of its addresses
    std::chrono::milliseconds login{};    // TLS and the answers to the steps
    std::chrono::milliseconds silence{};  // of what was sent and is not acknowledged
};

// One connection to a Redis or a sentinel, in the clear or by TLS with its certificate verified.
// Answers come in the order of what was sent. Control thread.
class RedisConnection {
public:
    // Told of what happens, never from within a call of the connection. It may close or destroy it.
    class Handler {
    public:
        Handler() = default;
        virtual ~Handler() = default;
        Handler(const Handler&) = delete;
        Handler& operator=(const Handler&) = delete;
        // All steps were answered; this is the last one's.
        virtual void on_up(RedisConnection& connection, const Reply& last) = 0;
        virtual void on_reply(RedisConnection& connection, Reply reply) = 0;
        // It did not come about, or is over: nothing more is told. `refused` is the error that a
        // step was answered with.
        virtual void on_end(RedisConnection& connection, const std::string& why,
                            const Reply& refused) = 0;
    };

    RedisConnection(boost::asio::io_context& context, net::Resolver& resolver, Handler& handler);
    ~RedisConnection() { close(); }
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    void dial(RedisDial dial);  // once
    // Once it is up.
    void send(const std::vector<std::string>& words);
    void close() noexcept;  // its handler is not told any more
    bool is_up() const noexcept;

private:
    struct Link;
    std::shared_ptr<Link> link_;
};

}  // namespace rotary::fleet
