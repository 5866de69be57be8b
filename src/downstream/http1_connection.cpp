#include <rotary/downstream/http1_connection.hpp>

#include <algorithm>

namespace rotary::downstream {

namespace {

HandshakeEnd end_of(const net::Stream& stream, const Fault& fault) noexcept {
    if (stream.spoke_plain_http()) return HandshakeEnd::plain_http;
    if (fault.kind == FaultKind::request_timeout) return HandshakeEnd::timeout;
    return fault.kind == FaultKind::client_gone ? HandshakeEnd::closed : HandshakeEnd::refused;
}

}  // namespace

Http1Connection::Http1Connection(Services& services, int fd, const net::TlsContext* tls)
    : services_(services),
      stream_(services.reactor, services.buffers, fd, {tls, {}}),
      node_(services.sessions, stream_.descriptor()) {}

Task<std::optional<HandshakeFailure>> Http1Connection::handshake() {
    if (stream_.is_tls()) {
        net::WaitFor limits;
        limits.deadline = services_.reactor.now() + timeouts().tls_handshake;
        node_.enter_idle();  // it has not asked for anything yet
        const auto shaken = co_await stream_.handshake(limits);
        node_.leave_idle();
        if (!shaken) {
            const HandshakeFailure failure{end_of(stream_, shaken.error()), shaken.error(),
                                           stream_.said_anything()};
            if (stream_.spoke_plain_http()) stream_.drop_tls();
            co_return failure;
        }
    }
    oldest_ = services_.reactor.now() + timeouts().connection_age;
    co_return std::nullopt;
}

std::string_view Http1Connection::client_address() noexcept {
    if (address_.empty()) {
        address_ = net::peer_address(stream_.descriptor().fd(), address_space_);
    }
    return address_;
}

net::WaitFor Http1Connection::wait_until(SteadyTime deadline) noexcept {
    net::WaitFor what;
    what.deadline = deadline;
    what.waited = waited_;
    return what;
}

// --- requests -----------------------------------------------------------------------------------

// Idle: holds no buffer, may be ended to make room for another, or by a drain, though not before
// what has come was looked at. A client that has had no answer yet may ask for one during a drain
// too, as long as there is time.
Task<bool> Http1Connection::wait_for_request() {
    if (node_.evicted()) co_return false;
    if (in_ && !in_.empty()) co_return true;  // pipelined
    in_.reset();
    net::SessionSet& all = services_.sessions;
    const bool is_over = all.draining() && (!node_.fresh || all.fresh_time_is_over());
    if (is_over && !stream_.descriptor().readable()) co_return false;
    net::WaitFor what;
    what.read = &stream_.descriptor();
    what.deadline = services_.reactor.now() + timeouts().keep_alive;
    node_.enter_idle();
    const net::Wake wake = co_await services_.reactor.wait(what);
    node_.leave_idle();
    if (node_.evicted()) co_return false;
    if (wake == net::Wake::cancelled) {
        stream_.descriptor().set_readable();  // a request may have come in this very turn
        co_return true;
    }
    co_return wake == net::Wake::ready;
}

Asked Http1Connection::refuse(Fault fault) noexcept {
    refusal_ = fault;
    return Asked::refused;
}

Task<Asked> Http1Connection::read_head() {
    wire::HeadEnd finder;
    SteadyTime deadline = SteadyTime::max();
    if (!in_) in_ = services_.buffers.read_buffer();
    for (;;) {
        head_bytes_ = finder.find(in_.view());
        if (head_bytes_ != 0) co_return Asked::request;
        if (in_.space_size() == 0) in_.compact();
        if (in_.space_size() == 0 || in_.size() >= limits().header_bytes) {
            const bool in_first_line = in_.view().find('\n') == std::string_view::npos;
            co_return refuse(Fault::client(in_first_line ? FaultKind::uri_too_long
                                                         : FaultKind::headers_too_large));
        }
        const net::IoResult read = stream_.read_some(in_.space(), in_.space_size());
        if (read.status == net::IoStatus::ok) {
            in_.produced(read.bytes);
            node_.fresh = false;
            continue;
        }
        if (read.status != net::IoStatus::would_block) co_return Asked::nothing;
        // The clock runs from the first byte; before it this is an idle connection.
        if (in_.empty()) {
            const bool woken = co_await wait_for_request();
            if (!woken) co_return Asked::nothing;
            if (!in_) in_ = services_.buffers.read_buffer();
            continue;
        }
        if (deadline == SteadyTime::max()) deadline = services_.reactor.now() + timeouts().head;
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (wake == net::Wake::timed_out) {
            co_return refuse(Fault::client(FaultKind::request_timeout));
        }
        if (wake != net::Wake::ready) co_return Asked::nothing;
    }
}

void Http1Connection::begin(Request& request, std::chrono::nanoseconds& waited) noexcept {
    request = {};
    request_ = &request;
    waited_ = &waited;
    config_ = services_.config;
    request.started = services_.reactor.exact_now();
    request.started_wall = std::chrono::system_clock::now();
    request.client_address = client_address();
    request.is_tls = stream_.is_tls();
    request.bytes_received = head_bytes_;
    body_bytes_in_ = 0;
    body_complete_ = false;
    framing_ = wire::Framing::none;
    minor_version_ = 1;
    keep_alive_ = true;
    expect_continue_ = false;
    bytes_sent_ = 0;
}

void Http1Connection::begin_refusal(Request& request, std::chrono::nanoseconds& waited) {
    head_bytes_ = 0;
    begin(request, waited);
    keep_alive_ = false;
}

Result<void> Http1Connection::parse_head() {
    return wire::parse_request_head(in_.view().substr(0, head_bytes_),
                                    {limits().uri_bytes, limits().headers, limits().header_bytes},
                                    services_.scratch.request);
}

Result<void> Http1Connection::reread_head() { return parse_head(); }

Task<Asked> Http1Connection::next(Request& request, std::chrono::nanoseconds& waited) {
    config_ = nullptr;
    const bool woken = co_await wait_for_request();
    if (!woken) co_return Asked::nothing;
    const Asked asked = co_await read_head();
    if (asked == Asked::nothing) co_return asked;
    if (asked == Asked::refused) {
        begin_refusal(request, waited);
        co_return asked;
    }
    begin(request, waited);
    if (const auto parsed = parse_head(); !parsed) {
        keep_alive_ = false;
        co_return refuse(parsed.error());
    }
    const wire::RequestHead& head = services_.scratch.request;
    request.adopt(head);
    framing_ = head.framing;
    minor_version_ = head.minor_version;
    keep_alive_ = head.keep_alive && services_.reactor.now() <= oldest_;
    expect_continue_ = head.expect_continue;
    co_return Asked::request;
}

// --- the end of an exchange ---------------------------------------------------------------------

Task<bool> Http1Connection::finish(const Fault& fault) {
    const bool interrupted = fault.kind == FaultKind::upstream_stream_interrupted;
    if (interrupted || fault.kind == FaultKind::client_gone) {
        // What came of a broken answer must still arrive, and an RST would destroy what is on its
        // way. The framing or the want of a close_notify tells that it is a piece; only an HTTP/1.0
        // client without TLS would take a FIN for the end.
        const bool has_signs = minor_version_ > 0 || stream_.is_tls();
        if (!interrupted || !has_signs) stream_.abort();
        is_cut_ = true;
        co_return false;
    }
    if (keep_alive_ && !body_complete_) keep_alive_ = co_await discard_body();
    in_.consume(head_bytes_ + body_bytes_in_);
    if (!keep_alive_ && !body_complete_) {
        request_->body_block.reset();
        co_await linger();
    }
    co_return keep_alive_;
}

// A socket that is closed with unread bytes sends RST, which may destroy the answer before the
// client has read it: so what still comes is read for a while (RFC 9112 section 9.6), enough of it
// for a body that was refused as too large.
Task<void> Http1Connection::linger() {
    stream_.shutdown();
    if (!in_) in_ = services_.buffers.read_buffer();
    const SteadyTime deadline = services_.reactor.now() + timeouts().shutdown;
    const std::size_t most = 2 * limits().body_bytes;
    for (std::size_t spent = 0; spent < most;) {
        const net::IoResult read = stream_.read_some(in_.data(), in_.capacity());
        spent += read.bytes;
        if (read.status == net::IoStatus::ok) continue;
        if (read.status != net::IoStatus::would_block) co_return;
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (wake != net::Wake::ready) co_return;
    }
}

void Http1Connection::shutdown() noexcept {
    if (!is_cut_) stream_.shutdown();
}

}  // namespace rotary::downstream
