#include "proxy/key_wait.hpp"

#include "proxy/authenticate.hpp"

#include <rotary/net/cut_short.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

// Again, once all that was ready has had its turn: so of a storm of new tokens, or of all those who
// waited for the same keys, one at a time is verified between the turns of the others.
Task<Result<void>> authenticate_in_turn(Context& context, downstream::Client& client,
                                        Exchange& exchange, KeyNeed& need) {
    co_await context.reactor.yield();
    const auto parsed = client.reread_head();
    if (!parsed) co_return parsed.error();
    need.pending = need.unverified = false;
    need.in_turn = true;
    const auto step = authenticate(context, exchange, need);
    co_return step;
}

}  // namespace

Task<Result<void>> authenticate_later(Context& context, downstream::Client& client,
                                      Exchange& exchange, KeyNeed& need) {
    if (need.unverified) {
        const auto step = co_await authenticate_in_turn(context, client, exchange, need);
        if (step || !need.pending) co_return step;
    }
    KeyWaits::Waiter waiter(context.key_waits);
    net::WaitFor what = wait_until(
        std::min(exchange.outcome.deadline, context.reactor.now() + exchange.timeouts().jwks_wait),
        client, exchange);
    what.event = &waiter.news;
    for (;;) {
        const net::Wake wake = co_await context.reactor.wait(what);
        if (const auto cut = net::cut_short(wake)) co_return *cut;
        waiter.news.reset();
        // A fetch that was under way before may have been answered before the issuer rotated.
        need.may_ask = !need.asked && wake != net::Wake::timed_out;
        const auto step = co_await authenticate_in_turn(context, client, exchange, need);
        if (step || !need.pending || wake == net::Wake::timed_out) co_return step;
    }
}

}  // namespace rotary::proxy
