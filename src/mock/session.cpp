#include <mock/session.hpp>

#include <mock/request_framing.hpp>

#include <rotary/base/text.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rotary::mock {

namespace http = boost::beast::http;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kHeaderLimit = 64 * 1024;
constexpr std::size_t kReadAhead = 256 * 1024;  // of pipelined requests, while one is answered
constexpr std::chrono::seconds kLinger{1};

}  // namespace

Session::Session(State& state, Answers& answers, asio::ip::tcp::socket socket,
                 asio::ssl::context* tls)
    : state_(state),
      answers_(answers),
      wake_(socket.get_executor()),
      stream_(std::move(socket), tls) {}

void Session::close() {
    closed_ = true;
    gone_ = true;
    stream_.close();
    wake_.cancel();
}

asio::awaitable<void> Session::run(std::uint64_t connection) {
    const error_code error = co_await stream_.handshake();
    if (!error && !closed_) co_await converse(connection);
    stream_.close();
    co_await stop_reading();
}

asio::awaitable<void> Session::converse(std::uint64_t connection) {
    const std::size_t most = state_.options().requests_per_connection;
    std::size_t served = 0;
    while (co_await read_request()) {
        Framing framing;
        Answer answer;
        if (refusal_ != 0) {
            answer = error_answer(refusal_);
            framing.keep_alive = false;
        } else {
            const auto& head = parser_->get();
            framing.keep_alive = head.keep_alive();
            framing.http11 = head.version() >= 11;
            framing.head_only = head.method() == http::verb::head;
            answer = answers_.answer(take_request(connection));
        }
        if (!co_await send_answer(answer, framing)) co_return;
        if (most != 0 && ++served == most) {
            co_await end(End::fin);
            co_return;
        }
    }
}

asio::awaitable<bool> Session::read_request() {
    parser_.emplace();
    parser_->header_limit(kHeaderLimit);
    parser_->body_limit(state_.options().body_limit);
    parser_->eager(true);
    refusal_ = 0;
    continue_due_ = true;
    for (;;) {
        parse_input();
        if (refusal_ != 0 || parser_->is_done()) co_return true;
        if (gone_) co_return false;
        if (parser_->is_header_done() && continue_due_) {
            continue_due_ = false;
            if (text::iequals(parser_->get()[http::field::expect], "100-continue")) {
                const error_code error = co_await stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
                if (error) co_return false;
            }
        }
        co_await read_more();
    }
}

void Session::parse_input() {
    while (!input_.empty() && !parser_->is_done()) {
        const bool had_head = parser_->is_header_done();
        error_code error;
        const std::size_t used =
            parser_->put(asio::const_buffer(input_.data(), input_.size()), error);
        input_.erase(0, used);
        if (error == http::error::need_more) error = {};
        if (error) {
            refusal_ = error == http::error::body_limit ? 413 : 400;
            return;
        }
        if (!had_head && parser_->is_header_done() && !well_framed(parser_->get())) {
            refusal_ = 400;
            return;
        }
        if (used == 0) return;
    }
}

asio::awaitable<void> Session::read_more() {
    if (!reading_) {
        error_code error;
        const std::size_t size = co_await stream_.read(asio::buffer(buffer_), error);
        absorb(error, size);
        co_return;
    }
    while (reading_) {
        wake_.expires_at(Clock::time_point::max());
        co_await wake_.async_wait(kAwait);
    }
}

void Session::start_read() {
    if (reading_ || gone_ || input_.size() > kReadAhead) return;
    reading_ = true;
    stream_.read(asio::buffer(buffer_), [this](error_code error, std::size_t size) {
        reading_ = false;
        absorb(error, size);
        wake_.cancel();
    });
}

void Session::absorb(error_code error, std::size_t size) {
    input_.append(buffer_.data(), size);
    // Aborted is what stop_reading() makes of it; the peer may still be there.
    if (error && error != asio::error::operation_aborted) gone_ = true;
}

std::shared_ptr<const Captured> Session::take_request(std::uint64_t connection) {
    auto& message = parser_->get();
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
    const bool was_sent = co_await send_pieces(pieces, answer);
    if (answer.usage) {
        answer.usage->was_sent = was_sent && answer.cut_at == Answer::kUncut;
        state_.record_usage(std::move(*answer.usage));
    }
    if (!was_sent) co_return false;
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
        const error_code error = co_await stream_.write(bytes);
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
    if (closed_) co_return;
    if (how == End::reset) {
        stream_.reset();
        co_return;
    }
    co_await stream_.finish(how != End::truncate);
    co_await linger();
}

// False as soon as the peer has gone, or this connection was closed.
asio::awaitable<bool> Session::pause_until(Clock::time_point when) {
    while (!gone_ && Clock::now() < when) {
        start_read();
        wake_.expires_at(when);
        co_await wake_.async_wait(kAwait);
    }
    co_return !gone_;
}

asio::awaitable<void> Session::stop_reading() {
    if (reading_) stream_.cancel();
    while (reading_) {
        wake_.expires_at(Clock::time_point::max());
        co_await wake_.async_wait(kAwait);
    }
}

// Reads on for a while after our FIN: closing with bytes unread would turn it into a reset, and
// the peer might lose what it has not yet read of the answer.
asio::awaitable<void> Session::linger() {
    const auto until = Clock::now() + kLinger;
    while (!gone_ && Clock::now() < until) {
        input_.clear();
        start_read();
        wake_.expires_at(until);
        co_await wake_.async_wait(kAwait);
    }
}

}  // namespace rotary::mock
