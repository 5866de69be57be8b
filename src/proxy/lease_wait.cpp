#include "proxy/lease_wait.hpp"

#include <rotary/net/cut_short.hpp>
#include <rotary/quota/lease_desk.hpp>

#include <algorithm>

namespace rotary::proxy {

Task<Result<void>> ask_fleet(Context& context, downstream::Client& client, Exchange& exchange,
                             LimitStep step) {
    Quotas& quotas = exchange.quotas;
    quota::LeaseDesk& desk = exchange.snapshot().counters->leases();
    // What was answered before this line was perhaps told to none: it looks at once.
    const quota::LeaseDesk::Waiting waiting(desk);
    Waiters::Waiter waiter(context.lease_waits);
    if (quotas.patience_end == SteadyTime()) {
        quotas.patience_end = context.reactor.now() + desk.patience();
    }
    net::WaitFor what =
        wait_until(std::min(exchange.outcome.deadline, quotas.patience_end), client, exchange);
    what.event = &waiter.news;
    for (;;) {
        const auto parsed = client.reread_head();
        if (!parsed) co_return parsed.error();
        const auto taken = step(context, exchange);
        if (taken || !quotas.waits) co_return taken;
        const net::Wake wake = co_await context.reactor.wait(what);
        if (const auto cut = net::cut_short(wake)) co_return *cut;
        waiter.news.reset();
        if (wake == net::Wake::timed_out) quotas.is_patient = false;
    }
}

}  // namespace rotary::proxy
