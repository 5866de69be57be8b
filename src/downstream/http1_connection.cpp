#include <rotary/downstream/http1_connection.hpp>

#include <rotary/base/text.hpp>
#include <rotary/wire/forwarded_for.hpp>

#include <array>
#include <utility>

namespace rotary::downstream {

namespace {

constexpr Fault kSpokePlainHttp = Fault::client(
    FaultKind::bad_request, "This port speaks HTTPS: write https:// in front of its address.");

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
    const SteadyTime deadline = services_.reactor.now() + timeouts().tls_handshake;
    if (config().proxies.protocol) {
        const auto failure = co_await hear_proxy(deadline);
        if (failure) co_return failure;
    }
    if (stream_.is_tls()) {
        net::WaitFor limits;
        limits.deadline = deadline;
        node_.enter_idle();  // it has not asked for anything yet
        const auto shaken = co_await stream_.handshake(limits);
        node_.leave_idle();
        if (!shaken) {
            const HandshakeFailure failure{end_of(stream_, shaken.error()), shaken.error(),
                                           stream_.said_anything()};
            if (stream_.spoke_plain_http()) {
                stream_.drop_tls();
                refusal_ = kSpokePlainHttp;
            }
            co_return failure;
        }
    }
    oldest_ = services_.reactor.now() + timeouts().connection_age;
    co_return std::nullopt;
}

std::string_view Http1Connection::client_address() noexcept {
    if (address_.empty()) {
        const auto peer = net::peer_address(stream_.descriptor().fd());
        if (peer) come_from(*peer);
    }
    return address_;
}

void Http1Connection::come_from(const IpAddress& origin) noexcept {
    origin_ = origin;
    address_ = write_ip_address(origin, address_space_);
}

bool Http1Connection::is_from_trusted_proxy() noexcept {
    return !client_address().empty() && config().proxies.trusts(*origin_);
}

HandshakeFailure Http1Connection::proxy_failure(HandshakeEnd end, const char* detail) noexcept {
    FaultKind kind = FaultKind::bad_request;
    if (end == HandshakeEnd::timeout) kind = FaultKind::request_timeout;
    if (end == HandshakeEnd::closed) kind = FaultKind::client_gone;
    return {end, Fault::client(kind, detail), stream_.has_shown_anything()};
}

// Takes the header off the front of the stream once all of it has come.
wire::ProxyHeader::State Http1Connection::take_proxy_header(net::IoStatus& status) noexcept {
    std::array<char, wire::kMostProxyHeaderBytes> space;
    const net::IoResult seen = stream_.peek(space);
    status = seen.status;
    if (seen.status != net::IoStatus::ok) return wire::ProxyHeader::State::part;
    const wire::ProxyHeader header = wire::read_proxy_header({space.data(), seen.bytes});
    if (header.state == wire::ProxyHeader::State::whole) {
        stream_.skip(header.size);
        if (header.source) come_from(*header.source);
    }
    return header.state;
}

// What a trusted proxy says of the connection before TLS or a request begins. Connections of others
// have no such header: what looks like one is no request, and is refused as such.
Task<std::optional<HandshakeFailure>> Http1Connection::hear_proxy(SteadyTime deadline) {
    using State = wire::ProxyHeader::State;
    if (!is_from_trusted_proxy()) co_return std::nullopt;
    for (;;) {
        net::IoStatus status = net::IoStatus::ok;
        const State state = take_proxy_header(status);
        if (state == State::whole) co_return std::nullopt;
        if (state == State::wrong) {
            co_return proxy_failure(HandshakeEnd::proxy, "a trusted proxy sent no PROXY header");
        }
        if (status == net::IoStatus::end) {
            co_return proxy_failure(HandshakeEnd::closed, "the proxy went away");
        }
        if (status == net::IoStatus::ok) continue;
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        node_.enter_idle();
        const net::Wake wake = co_await services_.reactor.wait(what);
        node_.leave_idle();
        if (wake == net::Wake::ready && !node_.evicted()) continue;
        if (wake == net::Wake::timed_out) {
            co_return proxy_failure(HandshakeEnd::timeout, "the PROXY header took too long");
        }
        HandshakeFailure failure;
        failure.fault = Fault::internal(FaultKind::draining, "cancelled");
        co_return failure;
    }
}

// What a trusted proxy says in a header field of where the request came from.
void Http1Connection::take_told_address(Request& request) noexcept {
    if (!is_from_trusted_proxy()) return;
    const config::Proxies& proxies = config().proxies;
    const bool is_rfc = proxies.field == config::ForwardedField::forwarded;
    const std::string_view name = is_rfc ? "forwarded" : "x-forwarded-for";
    wire::ForwardedPath path(proxies.trusted);
    const wire::HeaderTable& lines = services_.scratch.request.headers;
    for (const wire::Header* line = lines.end(); line != lines.begin();) {
        --line;
        if (!text::iequals(line->name, name)) continue;
        const bool goes_on =
            is_rfc ? path.read_forwarded(line->value) : path.read_x_forwarded_for(line->value);
        if (!goes_on) break;
    }
    if (path.client()) {
        request.client_address = write_ip_address(*path.client(), told_address_space_);
    }
}

net::WaitFor Http1Connection::wait_until(SteadyTime deadline) noexcept {
    net::WaitFor what;
    what.deadline = deadline;
    what.waited = waited_;
    return what;
}

// --- requests -----------------------------------------------------------------------------------

// Reads what has come, up to the end of a head.
Http1Connection::Head Http1Connection::look_for_head(wire::HeadEnd& end) {
    for (;;) {
        head_bytes_ = end.find(in_.view());
        if (head_bytes_ != 0) return Head::whole;
        if (!in_) {
            if (!stream_.descriptor().readable()) return Head::part;
            in_ = services_.buffers.read_buffer();
        }
        if (in_.space_size() == 0) in_.compact();
        if (in_.space_size() == 0 || in_.size() >= limits().header_bytes) {
            const bool in_first_line = in_.view().find('\n') == std::string_view::npos;
            refusal_ = Fault::client(in_first_line ? FaultKind::uri_too_long
                                                   : FaultKind::headers_too_large);
            return Head::refused;
        }
        const net::IoResult read = stream_.read_some(in_.space(), in_.space_size());
        if (read.status == net::IoStatus::would_block) return Head::part;
        if (read.status != net::IoStatus::ok) return Head::lost;
        in_.produced(read.bytes);
        node_.fresh = false;
    }
}

// A client that has had no answer yet may ask for one during a drain too, as long as there is time.
bool Http1Connection::may_wait() const noexcept {
    const net::SessionSet& all = services_.sessions;
    const bool is_over = all.draining() && (!node_.fresh || all.fresh_time_is_over());
    return !node_.evicted() && !is_over;
}

void Http1Connection::start_over(Request& request, std::chrono::nanoseconds& waited) noexcept {
    request = {};
    request_ = &request;
    waited_ = &waited;
    config_ = services_.config;
    request.started = services_.reactor.exact_now();
    request.started_wall = wall_now();
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

void Http1Connection::begin_refusal(Request& request, std::chrono::nanoseconds& waited) noexcept {
    head_bytes_ = 0;
    start_over(request, waited);
    keep_alive_ = false;
}

Result<void> Http1Connection::parse_head() {
    return wire::parse_request_head(in_.view().substr(0, head_bytes_),
                                    {limits().uri_bytes, limits().headers, limits().header_bytes},
                                    services_.scratch.request);
}

Result<void> Http1Connection::reread_head() { return parse_head(); }

// Between requests the connection is idle: it holds no buffer and may be ended to make room for
// another, or by a drain, though not before what has come was looked at. The clock of a head runs
// from its first byte.
Task<bool> Http1Connection::wait() {
    config_ = nullptr;
    if (refusal_.kind != FaultKind::none) co_return true;
    wire::HeadEnd end;
    SteadyTime deadline;
    bool has_begun = false;
    if (node_.evicted()) co_return false;
    for (;;) {
        const Head head = look_for_head(end);
        if (head == Head::lost) co_return false;
        if (head != Head::part) co_return true;
        const bool is_idle = in_.empty();
        if (is_idle && !stream_.descriptor().readable() && !may_wait()) co_return false;
        if (is_idle) {
            in_.reset();
            deadline = services_.reactor.now() + timeouts().keep_alive;
            node_.enter_idle();
        } else if (!std::exchange(has_begun, true)) {
            deadline = services_.reactor.now() + timeouts().head;
        }
        net::WaitFor what;
        what.read = &stream_.descriptor();
        what.deadline = deadline;
        const net::Wake wake = co_await services_.reactor.wait(what);
        if (is_idle) node_.leave_idle();
        if (node_.evicted()) co_return false;
        if (wake == net::Wake::ready) continue;
        if (is_idle && wake == net::Wake::cancelled) {
            stream_.descriptor().set_readable();  // a request may have come in this very turn
        } else if (!is_idle && wake == net::Wake::timed_out) {
            refusal_ = Fault::client(FaultKind::request_timeout);
            co_return true;
        } else {
            co_return false;
        }
    }
}

Result<void> Http1Connection::begin(Request& request, std::chrono::nanoseconds& waited) {
    if (refusal_.kind != FaultKind::none) {
        begin_refusal(request, waited);
        return refusal_;
    }
    start_over(request, waited);
    if (const auto parsed = parse_head(); !parsed) {
        keep_alive_ = false;
        return parsed.error();
    }
    const wire::RequestHead& head = services_.scratch.request;
    request.adopt(head);
    if (config().proxies.field != config::ForwardedField::off) take_told_address(request);
    framing_ = head.framing;
    body_complete_ = framing_ == wire::Framing::none;
    minor_version_ = head.minor_version;
    keep_alive_ = head.keep_alive && services_.reactor.now() <= oldest_;
    expect_continue_ = head.expect_continue;
    return {};
}

// --- the end of an exchange ---------------------------------------------------------------------

After Http1Connection::end(const Fault& fault) noexcept {
    const bool interrupted = fault.kind == FaultKind::upstream_stream_interrupted;
    if (interrupted || fault.kind == FaultKind::client_gone) {
        // What came of a broken answer must still arrive, and an RST would destroy what is on its
        // way. The framing or the want of a close_notify tells that it is a piece; only an HTTP/1.0
        // client without TLS would take a FIN for the end.
        const bool has_signs = minor_version_ > 0 || stream_.is_tls();
        if (!interrupted || !has_signs) stream_.abort();
        is_cut_ = true;
        return After::over;
    }
    if (!body_complete_) return After::unread;
    in_.consume(head_bytes_ + body_bytes_in_);
    return keep_alive_ ? After::next : After::over;
}

Task<bool> Http1Connection::drop_rest() {
    if (keep_alive_) keep_alive_ = co_await discard_body();
    in_.consume(head_bytes_ + body_bytes_in_);
    if (!body_complete_) {
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
