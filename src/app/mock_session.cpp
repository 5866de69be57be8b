#include <app/mock_session.hpp>

#include <rotary/base/text.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rotary::app::mock {

namespace http = boost::beast::http;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kHeaderLimit = 64 * 1024;
constexpr std::size_t kReadAhead = 256 * 1024;  // of pipelined requests, while one is answered
constexpr std::chrono::seconds kLinger{1};

// What Beast lets pass and RFC 9112 (3.2, 6.1, 6.3) does not: a stand-in that swallowed it would
// hide a proxy's mistakes.
bool well_framed(const http::request<http::string_body>& head) {
    const auto encodings = head.count(http::field::transfer_encoding);
    if (encodings > 1 || (encodings == 1 && head.version() < 11)) return false;
    if (encodings == 1 && !text::iequals(head[http::field::transfer_encoding], "chunked")) {
        return false;
    }
    const auto lengths = head.count(http::field::content_length);
    if (lengths > 1 || lengths + encodings > 1) return false;
    if (lengths == 1 && !text::parse_unsigned(head[http::field::content_length])) return false;
    const auto hosts = head.count(http::field::host);
    return hosts <= 1 && (hosts == 1 || head.version() < 11);
}

}  // namespace

Session::Session(State& state, Answers& answers, asio::ip::tcp::socket socket,
                 asio::ssl::context* tls)
    : x_state(state),
      x_answers(answers),
      x_wake(socket.get_executor()),
      x_stream(std::move(socket), tls) {}

void Session::close() {
    x_closed = true;
    x_gone = true;
    x_stream.close();
    x_wake.cancel();
}

asio::awaitable<void> Session::run(std::uint64_t connection) {
    const error_code error = co_await x_stream.handshake();
    if (!error && !x_closed) co_await converse(connection);
    x_stream.close();
    co_await stop_reading();
}

asio::awaitable<void> Session::converse(std::uint64_t connection) {
    const std::size_t most = x_state.options().requests_per_connection;
    std::size_t served = 0;
    while (co_await read_request()) {
        Framing framing;
        Answer answer;
        if (x_refusal != 0) {
            answer = error_answer(x_refusal);
            framing.keep_alive = false;
        } else {
            const auto& head = x_parser->get();
            framing.keep_alive = head.keep_alive();
            framing.http11 = head.version() >= 11;
            framing.head_only = head.method() == http::verb::head;
            answer = x_answers.answer(take_request(connection));
        }
        if (!co_await send_answer(answer, framing)) co_return;
        if (most != 0 && ++served == most) {
            co_await end(End::fin);
            co_return;
        }
    }
}

asio::awaitable<bool> Session::read_request() {
    x_parser.emplace();
    x_parser->header_limit(kHeaderLimit);
    x_parser->body_limit(x_state.options().body_limit);
    x_parser->eager(true);
    x_refusal = 0;
    x_continue_due = true;
    for (;;) {
        parse_input();
        if (x_refusal != 0 || x_parser->is_done()) co_return true;
        if (x_gone) co_return false;
        if (x_parser->is_header_done() && x_continue_due) {
            x_continue_due = false;
            if (text::iequals(x_parser->get()[http::field::expect], "100-continue")) {
                const error_code error = co_await x_stream.write("HTTP/1.1 100 Continue\r\n\r\n");
                if (error) co_return false;
            }
        }
        co_await read_more();
    }
}

void Session::parse_input() {
    while (!x_input.empty() && !x_parser->is_done()) {
        const bool had_head = x_parser->is_header_done();
        error_code error;
        const std::size_t used =
            x_parser->put(asio::const_buffer(x_input.data(), x_input.size()), error);
        x_input.erase(0, used);
        if (error == http::error::need_more) error = {};
        if (error) {
            x_refusal = error == http::error::body_limit ? 413 : 400;
            return;
        }
        if (!had_head && x_parser->is_header_done() && !well_framed(x_parser->get())) {
            x_refusal = 400;
            return;
        }
        if (used == 0) return;
    }
}

asio::awaitable<void> Session::read_more() {
    if (!x_reading) {
        error_code error;
        const std::size_t size = co_await x_stream.read(asio::buffer(x_buffer), error);
        absorb(error, size);
        co_return;
    }
    while (x_reading) {
        x_wake.expires_at(Clock::time_point::max());
        co_await x_wake.async_wait(kAwait);
    }
}

void Session::start_read() {
    if (x_reading || x_gone || x_input.size() > kReadAhead) return;
    x_reading = true;
    x_stream.read(asio::buffer(x_buffer), [this](error_code error, std::size_t size) {
        x_reading = false;
        absorb(error, size);
        x_wake.cancel();
    });
}

void Session::absorb(error_code error, std::size_t size) {
    x_input.append(x_buffer.data(), size);
    // Aborted is what stop_reading() makes of it; the peer may still be there.
    if (error && error != asio::error::operation_aborted) x_gone = true;
}

std::shared_ptr<const Captured> Session::take_request(std::uint64_t connection) {
    auto& message = x_parser->get();
    auto captured = std::make_shared<Captured>();
    captured->method = message.method_string();
    captured->target = message.target();
    for (const auto& field : message) {
        captured->headers.emplace_back(field.name_string(), field.value());
    }
    captured->body = std::move(message.body());
    captured->connection = connection;
    captured->received_at = Clock::now();
    captured->received_on = std::chrono::system_clock::now();
    return captured;
}

asio::awaitable<bool> Session::send_answer(Answer& answer, const Framing& framing) {
    if (answer.delay > std::chrono::nanoseconds{0}) {
        if (!co_await pause_until(Clock::now() + answer.delay)) co_return false;
    }
    const std::vector<std::string> pieces = encode(answer, framing);
    if (!co_await send_pieces(pieces, answer)) co_return false;
    if (answer.end == End::keep_alive) co_return true;
    co_await end(answer.end);
    co_return false;
}

// False when the peer is gone; true when everything, or all up to the cut, was sent.
asio::awaitable<bool> Session::send_pieces(const std::vector<std::string>& pieces,
                                           const Answer& answer) {
    std::uint64_t left = answer.cut_at;
    for (std::size_t i = 0; i < pieces.size() && left > 0; ++i) {
        if (i > 1 && answer.interval > std::chrono::nanoseconds{0}) {
            if (!co_await pause_until(Clock::now() + answer.interval)) co_return false;
        }
        const std::string_view bytes = std::string_view(pieces[i]).substr(0, left);
        left -= bytes.size();
        const error_code error = co_await x_stream.write(bytes);
        if (error) co_return false;
    }
    co_return true;
}

asio::awaitable<void> Session::end(End how) {
    if (how == End::stall) {
        co_await pause_until(Clock::time_point::max());
        co_return;
    }
    co_await stop_reading();
    if (x_closed) co_return;
    if (how == End::reset) {
        x_stream.reset();
        co_return;
    }
    co_await x_stream.finish(how != End::truncate);
    co_await linger();
}

// False as soon as the peer has gone, or this connection was closed.
asio::awaitable<bool> Session::pause_until(Clock::time_point when) {
    while (!x_gone && Clock::now() < when) {
        start_read();
        x_wake.expires_at(when);
        co_await x_wake.async_wait(kAwait);
    }
    co_return !x_gone;
}

asio::awaitable<void> Session::stop_reading() {
    if (x_reading) x_stream.cancel();
    while (x_reading) {
        x_wake.expires_at(Clock::time_point::max());
        co_await x_wake.async_wait(kAwait);
    }
}

// Reads on for a while after our FIN: closing with bytes unread would turn it into a reset, and
// the peer might lose what it has not yet read of the answer.
asio::awaitable<void> Session::linger() {
    const auto until = Clock::now() + kLinger;
    while (!x_gone && Clock::now() < until) {
        x_input.clear();
        start_read();
        x_wake.expires_at(until);
        co_await x_wake.async_wait(kAwait);
    }
}

}  // namespace rotary::app::mock
