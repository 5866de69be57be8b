#include <mock/stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace rotary::mock {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// A peer that never answers a close_notify does not hold its connection for ever.
constexpr std::chrono::milliseconds kNotifyWait{500};

}  // namespace

MockStream::MockStream(asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (tls != nullptr) {
        tls_ = std::make_unique<asio::ssl::stream<asio::ip::tcp::socket&>>(socket_, *tls);
    }
}

asio::awaitable<error_code> MockStream::handshake() {
    if (!tls_) co_return error_code{};
    const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return error;
}

asio::awaitable<std::size_t> MockStream::read(asio::mutable_buffer buffer, error_code& error) {
    if (tls_) {
        const auto [failure, size] = co_await tls_->async_read_some(buffer, kAwait);
        error = failure;
        co_return size;
    }
    const auto [failure, size] = co_await socket_.async_read_some(buffer, kAwait);
    error = failure;
    co_return size;
}

void MockStream::read(asio::mutable_buffer buffer, ReadHandler handler) {
    if (tls_) {
        tls_->async_read_some(buffer, std::move(handler));
    } else {
        socket_.async_read_some(buffer, std::move(handler));
    }
}

asio::awaitable<error_code> MockStream::write(std::string_view bytes) {
    const asio::const_buffer buffer(bytes.data(), bytes.size());
    if (tls_) {
        const auto [error, size] = co_await asio::async_write(*tls_, buffer, kAwait);
        co_return error;
    }
    const auto [error, size] = co_await asio::async_write(socket_, buffer, kAwait);
    co_return error;
}

asio::awaitable<void> MockStream::finish(bool notify) {
    error_code ignored;
    if (tls_ && notify) {
        // The timer's handler may be queued already when the timer goes: it asks the flag first.
        const auto done = std::make_shared<bool>(false);
        asio::steady_timer timer(socket_.get_executor(), kNotifyWait);
        timer.async_wait([this, done](error_code error) {
            if (!error && !*done) socket_.cancel(error);
        });
        // Writes close_notify, then waits for the peer's. What it says to that is its own affair.
        co_await tls_->async_shutdown(kAwait);
        *done = true;
    }
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void MockStream::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void MockStream::close() {
    error_code ignored;
    socket_.close(ignored);
}

void MockStream::reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

}  // namespace rotary::mock
