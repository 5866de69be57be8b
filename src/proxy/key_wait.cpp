#include "proxy/key_wait.hpp"

#include "proxy/authenticate.hpp"

#include <rotary/net/cut_short.hpp>

#include <algorithm>

namespace rotary::proxy {

Task<Result<void>> authenticate_later(Context& context, downstream::Client& client,
                                      Exchange& exchange, KeyNeed& need) {
    KeyWaits::Waiter waiter(context.key_waits);
    net::WaitFor what = wait_until(
        std::min(exchange.outcome.deadline, context.reactor.now() + exchange.timeouts().jwks_wait),
        client, exchange);
    what.event = &waiter.news;
    for (;;) {
        const net::Wake wake = co_await context.reactor.wait(what);
        if (const auto cut = net::cut_short(wake)) co_return *cut;
        waiter.news.reset();
        const auto parsed = client.reread_head();
        if (!parsed) co_return parsed.error();
        need.pending = false;
        // A fetch that was under way before may have been answered before the issuer rotated.
        need.may_ask = !need.asked && wake != net::Wake::timed_out;
        const auto step = authenticate(context, exchange, need);
        if (step || !need.pending || wake == net::Wake::timed_out) co_return step;
    }
}

}  // namespace rotary::proxy
