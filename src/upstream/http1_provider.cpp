#include <rotary/net/cut_short.hpp>
#include <rotary/upstream/http1_provider.hpp>

#include <algorithm>
#include <utility>

// The connection of a try: from the pool or dialled, and what becomes of it.
namespace rotary::upstream {

net::WaitFor Http1Provider::wait_until(SteadyTime deadline) const noexcept {
    net::WaitFor what = terms_.wait;
    what.deadline = std::min(what.deadline, deadline);
    return what;
}

std::optional<Fault> Http1Provider::brought_nothing(net::Wake wake, const char* late) noexcept {
    if (wake == net::Wake::ready) return std::nullopt;
    return net::cut_short(wake).value_or(Fault::upstream(FaultKind::upstream_timeout, late));
}

void Http1Provider::forget_answer() noexcept {
    in_.reset();
    head_bytes_ = interim_ = taken_ = peeked_ = 0;
    head_end_ = {};
    request_sent_ = keep_alive_ = ended_ = is_long_ = false;
    answer_ = {};
}

Result<bool> Http1Provider::begin(std::size_t bucket, const Terms& terms) {
    abandon();
    terms_ = terms;
    bucket_ = bucket;
    asked_ = false;
    connection_ = services_.pool.take(bucket, services_.reactor.now());
    if (!connection_.has_place()) return false;
    if (const auto used = begin_use(); !used) return used.error();
    return true;
}

// Counts the connection among the Backend's requests.
Result<void> Http1Provider::begin_use() {
    if (!connection_.begin_use()) {
        if (connection_) {
            services_.pool.put(bucket_, std::move(connection_), services_.reactor.now());
        } else {
            connection_.reset();
        }
        return kNoRoom;
    }
    reused_ = is_connected();
    asked_ = reused_;
    return {};
}

Task<Result<void>> Http1Provider::wait_for_place() {
    UpstreamPool::Waiter waiter(services_.pool, bucket_);
    if (!waiter.admitted()) co_return kNoRoom;
    const SteadyTime end = services_.reactor.now() + timeouts().connect;
    const SteadyTime deadline = std::min(terms_.wait.deadline, end);
    for (;;) {
        // Other workers' connections that close wake nothing here.
        const SteadyTime next_look = services_.reactor.now() + net::DeadlineWheel::kTick;
        net::WaitFor what = wait_until(std::min(deadline, next_look));
        what.event = &waiter.event();
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (const auto cut = net::cut_short(wake)) co_return *cut;
        connection_ = waiter.look();
        if (connection_.has_place()) {
            const auto used = begin_use();
            co_return used;
        }
        if (services_.reactor.now() < deadline) continue;
        if (deadline < end) {
            const Fault late{FaultKind::upstream_timeout, Origin::internal, Retry::never,
                             "No connection to the provider became free in time."};
            co_return late;
        }
        co_return kNoRoom;
    }
}

// Out of descriptors the worker's idle connections must do without theirs first.
Task<Result<void>> Http1Provider::connect(const net::Endpoint& endpoint) {
    reused_ = false;
    for (bool again = false;; again = true) {
        auto dialled = co_await services_.dialer.dial(endpoint, terms_.wait, timeouts().connect);
        if (dialled) {
            connection_.open(std::move(*dialled));
            asked_ = true;
            co_return Result<void>{};
        }
        const Fault fault = dialled.error();
        if (fault.kind != FaultKind::overloaded || again || services_.pool.idle() == 0) {
            connection_.reset();
            co_return fault;
        }
        services_.pool.close_idle();
    }
}

void Http1Provider::hang_up() noexcept {
    // A plain close would leave what was not sent, and the end, behind a window that is shut.
    if (!request_sent_) connection_->abort();
    connection_.close();
    forget_answer();
}

void Http1Provider::release() noexcept {
    wire::BodyReader reader = body_;
    const bool is_complete = connection_ && walk(reader, nullptr) == in_.size() && reader.done();
    if (is_complete && request_sent_ && keep_alive_) {
        services_.pool.put(bucket_, std::move(connection_), services_.reactor.now());
    }
    abandon();
}

void Http1Provider::abandon() noexcept {
    connection_.reset();
    forget_answer();
}

}  // namespace rotary::upstream
