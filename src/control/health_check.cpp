#include <rotary/control/health_check.hpp>

#include "control/health_count.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace rotary::control {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

}  // namespace

std::vector<HealthTarget> health_targets(const routing::Snapshot& snapshot) {
    std::vector<HealthTarget> targets;
    for (std::size_t i = 0; i < snapshot.backends.size(); ++i) {
        const routing::Backend& backend = snapshot.backends[i];
        HealthTarget& target = targets.emplace_back();
        target.backend = backend.name;
        target.host = backend.host;
        target.port = backend.port;
        target.state = backend.state;
        target.entries = snapshot.by_backend[i];
        if (!backend.health_check) continue;
        target.interval = backend.health_check->interval;
        target.timeout = backend.health_check->timeout;
        target.unhealthy_threshold = backend.health_check->unhealthy_threshold;
        target.healthy_threshold = backend.health_check->healthy_threshold;
    }
    return targets;
}

// One Backend's checks, one round after the other. Each thing that is waited for has a step of its
// own: a handler that comes when the next one is under way does nothing.
class HealthChecker::Check : public std::enable_shared_from_this<Check> {
public:
    Check(boost::asio::io_context& context, Logger& log, net::Resolver& resolver,
          HealthTarget target)
        : context_(context),
          log_(log),
          resolver_(resolver),
          target_(std::move(target)),
          count_(target_),
          socket_(context),
          limit_(context),
          pause_(context) {}

    const HealthTarget& target() const noexcept { return target_; }
    void set_entries(std::vector<std::shared_ptr<rotation::EntryState>> entries) {
        target_.entries = std::move(entries);
        tell_entries();
    }
    void begin_round();
    void stop() noexcept;

private:
    void resolve();
    void resolved(const net::Resolved& resolved);
    void connect(std::size_t index);
    void succeed();
    void fail(const std::string& why);
    void end_round();
    void tell_entries();
    // Calls `then` unless something else happens within `patience`.
    template <class Then>
    void limit(Clock::duration patience, Then then);

    boost::asio::io_context& context_;
    Logger& log_;
    net::Resolver& resolver_;
    HealthTarget target_;
    HealthCount count_;
    net::Resolver::Question question_;
    tcp::socket socket_;
    boost::asio::steady_timer limit_;
    boost::asio::steady_timer pause_;
    std::vector<tcp::endpoint> addresses_;  // as last resolved
    std::string why_;                       // the last address did not answer; empty: our own want
    Clock::time_point begun_;
    std::uint64_t step_ = 0;
    bool stopped_ = false;
};

template <class Then>
void HealthChecker::Check::limit(Clock::duration patience, Then then) {
    limit_.expires_after(patience);
    limit_.async_wait([self = shared_from_this(), step = step_, then](const error_code& error) {
        if (!error && !self->stopped_ && self->step_ == step) then(*self);
    });
}

void HealthChecker::Check::begin_round() {
    begun_ = Clock::now();
    why_.clear();
    error_code not_literal;
    const auto address = boost::asio::ip::make_address(target_.host, not_literal);
    if (not_literal) {
        resolve();
    } else {
        addresses_.assign(1, tcp::endpoint(address, target_.port));
        connect(0);
    }
}

void HealthChecker::Check::resolve() {
    ++step_;
    limit(target_.timeout / 2, [](Check& check) {
        check.why_ = "the name was not resolved in time";
        check.connect(0);
    });
    const auto post = [this](std::function<void()> work) {
        boost::asio::post(context_, std::move(work));
    };
    question_ = resolver_.ask(
        target_.host, post,
        [self = shared_from_this()](const net::Resolved& resolved) { self->resolved(resolved); });
}

void HealthChecker::Check::resolved(const net::Resolved& resolved) {
    if (resolved) {
        addresses_ = **resolved;
        for (tcp::endpoint& address : addresses_) address.port(target_.port);
    } else if (resolved.error().origin == Origin::upstream) {
        why_ = resolved.error().detail;
    }
    connect(0);
}

// One address after the other, each with its share of the time that is left.
void HealthChecker::Check::connect(std::size_t index) {
    ++step_;
    question_.drop();
    limit_.cancel();
    error_code ignored;
    socket_.close(ignored);
    const Clock::duration share =
        share_of_time(begun_ + target_.timeout, Clock::now(), addresses_.size() - index);
    if (share <= Clock::duration::zero()) {
        if (!why_.empty()) {
            fail(why_);
        } else {
            end_round();
        }
        return;
    }
    error_code error;
    socket_.open(addresses_[index].protocol(), error);
    if (error) {
        if (!is_our_want(error)) why_ = error.message();
        connect(index + 1);
        return;
    }
    limit(share, [index](Check& check) {
        check.why_ = "no answer in time";
        check.connect(index + 1);
    });
    socket_.async_connect(addresses_[index], [self = shared_from_this(), step = step_,
                                              index](const error_code& outcome) {
        if (self->stopped_ || self->step_ != step) return;
        if (!outcome) {
            self->succeed();
            return;
        }
        if (!is_our_want(outcome)) self->why_ = outcome.message();
        self->connect(index + 1);
    });
}

void HealthChecker::Check::succeed() {
    if (count_.passed(target_.state->healthy()) == HealthTurn::up) {
        target_.state->set_healthy(true);
        tell_entries();
        log_.info("backend is healthy again", {{"backend", target_.backend}});
    }
    end_round();
}

void HealthChecker::Check::fail(const std::string& why) {
    if (count_.failed(target_.state->healthy()) == HealthTurn::down) {
        target_.state->set_healthy(false);
        log_.warn("backend is unhealthy",
                  {{"backend", target_.backend}, {"failures", count_.failures()}, {"error", why}});
    }
    if (!target_.state->healthy()) tell_entries();  // each time: their return is put off
    end_round();
}

void HealthChecker::Check::end_round() {
    ++step_;
    limit_.cancel();
    error_code ignored;
    socket_.close(ignored);
    pause_.expires_at(next_check(begun_, target_.interval, Clock::now()));
    pause_.async_wait([self = shared_from_this()](const error_code& error) {
        if (!error && !self->stopped_) self->begin_round();
    });
}

void HealthChecker::Check::tell_entries() {
    const auto expected = expected_back(target_, Clock::now());
    for (const auto& entry : target_.entries) {
        if (target_.state->healthy()) {
            entry->set_up();
        } else {
            entry->set_down(expected);
        }
    }
}

void HealthChecker::Check::stop() noexcept {
    stopped_ = true;
    question_.drop();
    error_code ignored;
    socket_.close(ignored);
    try {
        limit_.cancel();
        pause_.cancel();
    } catch (...) {
        // Their handlers find `stopped_`.
    }
}

// HealthChecker

HealthChecker::~HealthChecker() { stop(); }

void HealthChecker::set_targets(std::vector<HealthTarget> targets) {
    if (stopped_) return;
    std::vector<std::shared_ptr<Check>> old = std::exchange(checks_, {});
    std::vector<std::shared_ptr<Check>> fresh;
    for (HealthTarget& target : targets) {
        if (target.interval <= std::chrono::milliseconds::zero()) {
            target.state->set_healthy(true);
            for (const auto& entry : target.entries) entry->set_up();
            continue;
        }
        const auto known = std::find_if(old.begin(), old.end(), [&](const auto& check) {
            return check && same_check(check->target(), target);
        });
        auto entries = std::move(target.entries);
        if (known != old.end()) {
            checks_.push_back(std::move(*known));
        } else {
            checks_.push_back(
                std::make_shared<Check>(context_, log_, resolver_, std::move(target)));
            fresh.push_back(checks_.back());
        }
        checks_.back()->set_entries(std::move(entries));
    }
    for (const auto& check : old) {
        if (check) check->stop();
    }
    for (const auto& check : fresh) check->begin_round();
}

void HealthChecker::stop() noexcept {
    stopped_ = true;
    for (const auto& check : checks_) check->stop();
}

}  // namespace rotary::control
