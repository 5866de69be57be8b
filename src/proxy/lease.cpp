#include "proxy/lease.hpp"

#include "proxy/cut_short.hpp"

#include <algorithm>
#include <utility>

namespace rotary::proxy {

Task<Result<upstream::UpstreamConnection>> wait_for_place(Context& context, ClientSide& client,
                                                          Exchange& exchange, std::size_t bucket) {
    upstream::UpstreamPool::Waiter waiter(context.pool, bucket);
    if (!waiter.admitted()) co_return kNoRoom;
    const SteadyTime end = context.reactor.now() + exchange.timeouts().connect;
    const SteadyTime deadline = std::min(exchange.outcome.deadline, end);
    for (;;) {
        // Other workers' connections that close wake nobody here.
        const SteadyTime next_look = context.reactor.now() + net::Deadlines::kTick;
        net::WaitFor what = wait_until(std::min(deadline, next_look), client, exchange);
        what.event = &waiter.event();
        const net::Wake wake = co_await context.reactor.wait(what);
        if (const auto cut = cut_short(wake)) co_return *cut;
        upstream::UpstreamConnection found = waiter.look();
        if (found.has_place()) co_return std::move(found);
        if (context.reactor.now() < deadline) continue;
        if (deadline < end) {
            const Fault late{FaultKind::upstream_timeout, Origin::internal, Retry::never,
                             "No connection to the provider became free in time."};
            co_return late;
        }
        co_return kNoRoom;
    }
}

bool begin_use(Context& context, std::size_t bucket, upstream::UpstreamConnection& connection) {
    if (connection.begin_use()) return true;
    if (connection) {
        context.pool.put(bucket, std::move(connection), context.reactor.now());
    } else {
        connection.reset();
    }
    return false;
}

}  // namespace rotary::proxy
