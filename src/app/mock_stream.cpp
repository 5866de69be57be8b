#include <app/mock_stream.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace rotary::app::mock {

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// A peer that never answers a close_notify does not hold its connection for ever.
constexpr std::chrono::milliseconds kNotifyWait{500};

}  // namespace

MockStream::MockStream(asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : x_socket(std::move(socket)) {
    error_code ignored;
    x_socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (tls != nullptr) {
        x_tls = std::make_unique<asio::ssl::stream<asio::ip::tcp::socket&>>(x_socket, *tls);
    }
}

asio::awaitable<error_code> MockStream::handshake() {
    if (!x_tls) co_return error_code{};
    const auto [error] = co_await x_tls->async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return error;
}

asio::awaitable<std::size_t> MockStream::read(asio::mutable_buffer buffer, error_code& error) {
    if (x_tls) {
        const auto [failure, size] = co_await x_tls->async_read_some(buffer, kAwait);
        error = failure;
        co_return size;
    }
    const auto [failure, size] = co_await x_socket.async_read_some(buffer, kAwait);
    error = failure;
    co_return size;
}

void MockStream::read(asio::mutable_buffer buffer, ReadHandler handler) {
    if (x_tls) {
        x_tls->async_read_some(buffer, std::move(handler));
    } else {
        x_socket.async_read_some(buffer, std::move(handler));
    }
}

asio::awaitable<error_code> MockStream::write(std::string_view bytes) {
    const asio::const_buffer buffer(bytes.data(), bytes.size());
    if (x_tls) {
        const auto [error, size] = co_await asio::async_write(*x_tls, buffer, kAwait);
        co_return error;
    }
    const auto [error, size] = co_await asio::async_write(x_socket, buffer, kAwait);
    co_return error;
}

asio::awaitable<void> MockStream::finish(bool notify) {
    error_code ignored;
    if (x_tls && notify) {
        // The timer's handler may be queued already when the timer goes: it asks the flag first.
        const auto done = std::make_shared<bool>(false);
        asio::steady_timer timer(x_socket.get_executor(), kNotifyWait);
        timer.async_wait([this, done](error_code error) {
            if (!error && !*done) x_socket.cancel(error);
        });
        // Writes close_notify, then waits for the peer's. What it says to that is its own affair.
        co_await x_tls->async_shutdown(kAwait);
        *done = true;
    }
    x_socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void MockStream::cancel() {
    error_code ignored;
    x_socket.cancel(ignored);
}

void MockStream::close() {
    error_code ignored;
    x_socket.close(ignored);
}

void MockStream::reset() {
    error_code ignored;
    x_socket.set_option(asio::socket_base::linger(true, 0), ignored);
    x_socket.close(ignored);
}

}  // namespace rotary::app::mock
