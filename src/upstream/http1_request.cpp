#include <rotary/upstream/http1_provider.hpp>

#include <utility>

// The request of a try (RFC 9112 section 3).
namespace rotary::upstream {

wire::HeadWriter Http1Provider::begin_request(std::string_view method) {
    std::vector<char>& space = services_.scratch.head;
    wire::HeadWriter head(space.data(), space.size());
    head.append(method);
    head.append(" ");
    return head;
}

void Http1Provider::end_target(wire::HeadWriter& head, std::string_view authority) {
    head.append(" HTTP/1.1\r\n");
    head.line("Host: ", authority);
}

bool Http1Provider::start(wire::HeadWriter& head, std::optional<std::size_t> length) {
    if (length) head.line("content-length: ", static_cast<std::uint64_t>(*length));
    head.finish();
    head_ = head.view();
    return head.ok();
}

Http1Provider::Sent Http1Provider::send_on(wire::Pieces& pieces) {
    const net::IoResult written = connection_->write_some(pieces.all());
    if (written.status == net::IoStatus::error) return Sent::answered;  // one may stand there
    pieces.drop_front(written.bytes);
    if (!pieces.empty() || connection_->has_pending()) return Sent::some;
    request_sent_ = true;
    return Sent::all;
}

bool Http1Provider::send(wire::Pieces& pieces) {
    forget_answer();
    pieces.set_head(std::exchange(head_, {}));
    sent_at_ = services_.reactor.now();
    return send_on(pieces) != Sent::some;
}

// Ends early, the request not being through, when a final answer comes: a refusal that would be
// lost by writing on.
Task<Result<void>> Http1Provider::finish_send(wire::Pieces& pieces) {
    Buffer kept;  // of the head, before the scratch is written over
    for (;;) {
        pieces.keep_head(kept, services_.buffers);
        net::WaitFor what = wait_until(services_.reactor.now() + timeouts().write_stall);
        what.read = what.write = &connection_->descriptor();
        const net::Wake wake = co_await services_.reactor.wait(what);
        const auto fault = brought_nothing(wake, "The provider took the request too slowly.");
        if (fault) co_return *fault;
        if (connection_->descriptor().readable()) {
            if (!make_room()) break;
            const net::IoResult read = read_on(in_.space_size());
            if (read.status == net::IoStatus::ok) {
                const auto taken = take_head();
                if (!taken) co_return taken.error();
                if (*taken) break;
            } else if (read.status != net::IoStatus::would_block) {
                break;
            }
        }
        if (send_on(pieces) != Sent::some) break;
    }
    co_return Result<void>{};
}

}  // namespace rotary::upstream
