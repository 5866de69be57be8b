#include <rotary/proxy/session.hpp>

#include "proxy/handshake.hpp"
#include "proxy/pipeline.hpp"

#include <rotary/net/peer_address.hpp>
#include <rotary/wire/http1_reader.hpp>

#include <algorithm>

namespace rotary::proxy {

namespace {

// What came of waiting for a request's head.
enum class HeadOutcome : std::uint8_t { complete, closed, refused };

struct HeadResult {
    HeadOutcome outcome = HeadOutcome::closed;
    Fault fault;
};

class Session {
public:
    Session(Context& context, int fd, const net::TlsContext* tls)
        : context_(context),
          stream_(context.reactor, context.buffers, fd, {tls, {}}),
          node_(context.sessions, stream_.descriptor()) {
        context_.metrics.add(context_.wiring->process.connections);
    }
    ~Session() { context_.metrics.sub(context_.wiring->process.connections); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Task<void> run();

private:
    Task<bool> handshake();
    Task<void> refuse(Fault fault);  // before there is a request; the connection is over
    void learn_address();
    Task<bool> wait_for_request();
    Task<HeadResult> read_head();
    // Answers the request whose head stands at the front of in_. False: the connection is over.
    Task<bool> serve_one();
    Task<void> linger();

    const config::Timeouts& timeouts() const { return context_.wiring->snapshot->config.timeouts; }

    Context& context_;
    net::Stream stream_;
    net::SessionSet::Node node_;
    Buffer in_;
    std::size_t head_bytes_ = 0;
    bool is_cut_ = false;  // the last answer broke off: no proper end of the connection either
    SteadyTime oldest_;    // the next answer after that closes the connection
    net::PeerAddress address_space_{};
    Exchange exchange_;
};

Task<bool> Session::handshake() {
    if (!stream_.is_tls()) co_return true;
    net::WaitFor limits;
    limits.deadline = context_.reactor.now() + timeouts().tls_handshake;
    node_.enter_idle();  // it has not asked for anything yet
    const auto shaken = co_await stream_.handshake(limits);
    node_.leave_idle();
    if (shaken) co_return true;
    learn_address();
    note_failed_handshake(context_, stream_, shaken.error(), exchange_.request.client_address);
    if (stream_.spoke_plain_http()) {
        stream_.drop_tls();
        co_await refuse(kSpokePlainHttp);
    }
    co_return false;
}

Task<void> Session::refuse(Fault fault) {
    ClientSide client{stream_, in_, 0, 0, false};
    exchange_.begin(context_);
    co_await run_refusal(context_, client, exchange_, fault);
    exchange_.end();
    co_await linger();
}

// For the log lines of all its requests.
void Session::learn_address() {
    if (!exchange_.request.client_address.empty()) return;
    exchange_.request.client_address = net::peer_address(stream_.descriptor().fd(), address_space_);
}

// Idle: holds no buffer, may be ended to make room for another, or by a drain, though not before
// what has come was looked at. A client that has had no answer yet may ask for one during a drain
// too, as long as there is time.
Task<bool> Session::wait_for_request() {
    if (node_.evicted()) co_return false;
    if (in_ && !in_.empty()) co_return true;  // pipelined
    in_.reset();
    net::SessionSet& all = context_.sessions;
    const bool is_over = all.draining() && (!node_.fresh || all.fresh_time_is_over());
    if (is_over && !stream_.descriptor().readable()) co_return false;
    net::WaitFor what;
    what.read = &stream_.descriptor();
    what.deadline = context_.reactor.now() + timeouts().keep_alive;
    node_.enter_idle();
    const net::Wake wake = co_await context_.reactor.wait(what);
    node_.leave_idle();
    if (node_.evicted()) co_return false;
    if (wake == net::Wake::cancelled) {
        stream_.descriptor().set_readable();  // a request may have come in this very turn
        co_return true;
    }
    co_return wake == net::Wake::ready;
}

Task<HeadResult> Session::read_head() {
    wire::HeadEnd finder;
    SteadyTime deadline = SteadyTime::max();
    if (!in_) in_ = context_.buffers.read_buffer();
    for (;;) {
        head_bytes_ = finder.find(in_.view());
        if (head_bytes_ != 0) co_return HeadResult{HeadOutcome::complete, {}};
        if (in_.space_size() == 0) in_.compact();
        if (in_.space_size() == 0 ||
            in_.size() >= context_.wiring->snapshot->config.limits.header_bytes) {
            const bool in_first_line = in_.view().find('\n') == std::string_view::npos;
            co_return HeadResult{HeadOutcome::refused,
                                 Fault::client(in_first_line ? FaultKind::uri_too_long
                                                             : FaultKind::headers_too_large)};
        }
        const net::IoResult read = stream_.read_some(in_.space(), in_.space_size());
        if (read.status == net::IoStatus::ok) {
            in_.produced(read.bytes);
            node_.fresh = false;
            continue;
        }
        if (read.status != net::IoStatus::would_block) co_return HeadResult{};
        // The clock runs from the first byte; before it this is an idle connection.
        if (in_.empty()) {
            const bool woken = co_await wait_for_request();
            if (!woken) co_return HeadResult{};
            if (!in_) in_ = context_.buffers.read_buffer();
            continue;
        }
        if (deadline == SteadyTime::max()) deadline = context_.reactor.now() + timeouts().head;
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake == net::Wake::timed_out) {
            co_return HeadResult{HeadOutcome::refused, Fault::client(FaultKind::request_timeout)};
        }
        if (wake != net::Wake::ready) co_return HeadResult{};
    }
}

Task<bool> Session::serve_one() {
    ClientSide client{stream_, in_, head_bytes_, 0, false};
    const config::Limits& limits = exchange_.limits();
    const wire::HeadLimits head_limits{limits.uri_bytes, limits.headers, limits.header_bytes};
    const auto parsed = wire::parse_request_head(in_.view().substr(0, head_bytes_), head_limits,
                                                 context_.scratch.request);
    if (!parsed) {
        const Fault fault = parsed.error();
        co_await run_refusal(context_, client, exchange_, fault);
        co_await linger();
        co_return false;
    }
    exchange_.request.adopt(context_.scratch.request);
    exchange_.request.bytes_received = head_bytes_;
    if (context_.reactor.now() > oldest_) exchange_.request.keep_alive = false;
    co_await proxy::run(context_, client, exchange_);

    const bool interrupted = exchange_.outcome.fault.kind == FaultKind::upstream_stream_interrupted;
    if (interrupted || exchange_.outcome.fault.kind == FaultKind::client_gone) {
        // What came of a broken answer must still arrive, and an RST would destroy what is on its
        // way. The framing or the want of a close_notify tells that it is a piece; only an HTTP/1.0
        // client without TLS would take a FIN for the end.
        const bool has_signs = exchange_.request.minor_version > 0 || stream_.is_tls();
        if (!interrupted || !has_signs) stream_.abort();
        is_cut_ = true;
        co_return false;
    }
    in_.consume(client.head_bytes + client.body_bytes_in);
    if (!exchange_.request.keep_alive && !client.body_complete) co_await linger();
    co_return exchange_.request.keep_alive;
}

// A socket that is closed with unread bytes sends RST, which may destroy the answer before the
// client has read it: so what still comes is read for a while (RFC 9112 section 9.6), enough of it
// for a body that was refused as too large.
Task<void> Session::linger() {
    stream_.shutdown();
    if (!in_) in_ = context_.buffers.read_buffer();
    const SteadyTime deadline = context_.reactor.now() + timeouts().shutdown;
    const std::size_t most = 2 * context_.wiring->snapshot->config.limits.body_bytes;
    for (std::size_t spent = 0; spent < most;) {
        const net::IoResult read = stream_.read_some(in_.data(), in_.capacity());
        spent += read.bytes;
        if (read.status == net::IoStatus::ok) continue;
        if (read.status != net::IoStatus::would_block) co_return;
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        const net::Wake wake = co_await context_.reactor.wait(what);
        if (wake != net::Wake::ready) co_return;
    }
}

Task<void> Session::run() {
    const bool shaken = co_await handshake();
    if (!shaken) co_return;
    oldest_ = context_.reactor.now() + timeouts().connection_age;
    for (bool more = true; more;) {
        const bool woken = co_await wait_for_request();
        if (!woken) break;
        const HeadResult head = co_await read_head();
        if (head.outcome == HeadOutcome::closed) break;
        learn_address();
        if (head.outcome == HeadOutcome::refused) {
            co_await refuse(head.fault);
            co_return;
        }
        exchange_.begin(context_);
        more = co_await serve_one();
        exchange_.end();
    }
    if (!is_cut_) stream_.shutdown();
}

}  // namespace

Task<void> run_session(Context& context, int fd, const net::TlsContext* tls) {
    Session session(context, fd, tls);
    co_await session.run();
}

}  // namespace rotary::proxy
