#pragma once

#include <rotary/fleet/redis.hpp>
#include <rotary/net/tls.hpp>

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "fleet/backoff.hpp"
#include "fleet/questions.hpp"
#include "fleet/redis_connection.hpp"

namespace rotary::fleet {

std::string shown(const config::HostPort& place);

// What a Redis does: dials both connections, asks, and gives up. A session is one time that both
// are there; whatever goes wrong with one ends it, and the next is begun after a while.
struct Redis::State final : RedisConnection::Handler, std::enable_shared_from_this<State> {
    State(boost::asio::io_context& on, net::Resolver& by, Logger& to);

    void configure(RedisOptions wanted);
    void stop() noexcept;
    void ask(const std::vector<std::string>& command, Question question);

    void on_up(RedisConnection& connection, const Reply& last) override;
    void on_reply(RedisConnection& connection, Reply reply) override;
    void on_end(RedisConnection& connection, const std::string& why, const Reply& refused) override;

    std::vector<Listener*> listeners;
    Link link = Link::away;
    Counts counts;
    config::HostPort place;
    std::string why_away;

private:
    void dial();
    void dial(std::unique_ptr<RedisConnection>& connection, const config::HostPort& to,
              std::vector<LoginStep> steps);
    void dial_both(const config::HostPort& to);
    void asked_sentinel(const Reply& reply);
    void become_ready();
    void answer(Question question, Reply reply);
    // Whether the session goes on.
    bool goes_on_behind(const Reply& refused);
    void tell_refused(const Reply& refused);
    void end_session(const std::string& why, Refusal refusal);
    void leave();  // what is there is closed, and those who asked are told
    void retry(std::chrono::milliseconds wait);
    void set_link(Link next);
    void tell(const std::function<void(Listener&)>& what);
    void watch_deadlines();
    void expire();
    void tick();
    void look_after(SteadyTime now);
    void answer_none(std::vector<Answered> left);

    boost::asio::io_context& context_;
    net::Resolver& resolver_;
    Logger& log_;
    RedisOptions options_{};
    std::shared_ptr<const net::TlsContext> tls_;
    std::unique_ptr<RedisConnection> sentinel_;
    std::unique_ptr<RedisConnection> asking_;
    std::unique_ptr<RedisConnection> hearing_;
    Questions questions_;
    Backoff backoff_;
    std::minstd_rand random_;
    boost::asio::steady_timer deadlines_;
    boost::asio::steady_timer ticks_;
    boost::asio::steady_timer retries_;
    std::size_t next_sentinel_ = 0;
    std::optional<config::HostPort> moved_;  // where the cluster said that the keys are
    bool came_by_move_ = false;
    bool watches_deadlines_ = false;
    bool is_stopped_ = true;
    bool is_refusal_told_ = false;  // of this session
    bool is_away_told_ = false;     // since it was there
    Refusal told_refusal_ = Refusal::none;
    SteadyTime since_{};  // when it became ready
    SteadyTime heard_{};  // from the connection that hears
    SteadyTime pinged_{};
};

}  // namespace rotary::fleet
