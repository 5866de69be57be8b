#include "proxy/lease_wait.hpp"

#include <rotary/net/cut_short.hpp>
#include <rotary/quota/lease_desk.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

// How long a request stood there, whatever ended it.
class WaitClock {
public:
    WaitClock(Context& context, metrics::HistogramId into)
        : context_(context), into_(into), begun_(context.reactor.exact_now()) {}
    ~WaitClock() { context_.metrics.observe(into_, context_.reactor.exact_now() - begun_); }
    WaitClock(const WaitClock&) = delete;
    WaitClock& operator=(const WaitClock&) = delete;

private:
    Context& context_;
    const metrics::HistogramId into_;
    const SteadyTime begun_;
};

}  // namespace

Task<Result<void>> ask_fleet(Context& context, downstream::Client& client, Exchange& exchange,
                             LimitStep step) {
    const WaitClock clock(context, exchange.match.wiring->process.lease_wait);
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
