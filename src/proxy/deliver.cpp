#include "proxy/deliver.hpp"

#include "proxy/pieces.hpp"

namespace rotary::proxy {

Task<Result<void>> deliver(Context& context, ClientSide& client, Exchange& exchange,
                           std::span<std::string_view> pieces) {
    Buffer kept;  // a head that did not go at once, before the scratch is written over
    for (;;) {
        const net::IoResult written = client.stream.write_some(pieces);
        if (written.status == net::IoStatus::error) {
            co_return Fault::client(FaultKind::client_gone);
        }
        exchange.outcome.bytes_sent += written.bytes;
        drop_front(pieces, written.bytes);
        const bool accepted = all_empty(pieces);
        if (accepted && !client.stream.has_pending()) co_return Result<void>{};
        keep_first(pieces, kept, context.buffers);
        const SteadyTime stalled = context.reactor.now() + exchange.timeouts().write_stall;
        net::WaitFor what = wait_until(stalled, client, exchange);  // who hangs up reads no more
        what.write = &client.stream.descriptor();
        const net::Wake wake = co_await context.reactor.wait(what);
        if (wake != net::Wake::ready) co_return Fault::client(FaultKind::client_gone);
    }
}

}  // namespace rotary::proxy
