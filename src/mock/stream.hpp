#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace rotary::mock {

namespace asio = boost::asio;
using boost::system::error_code;

// A connection of the mock, plain or TLS; owned by its session, on the provider's thread.
class MockStream {
public:
    using ReadHandler = std::function<void(error_code, std::size_t)>;

    // `tls` may be null; it outlives the stream.
    MockStream(asio::ip::tcp::socket socket, asio::ssl::context* tls);
    MockStream(const MockStream&) = delete;  // tls_ points into it
    MockStream& operator=(const MockStream&) = delete;

    asio::awaitable<error_code> handshake();
    // One read at a time, by either of these; a write may go on beside it.
    asio::awaitable<std::size_t> read(asio::mutable_buffer buffer, error_code& error);
    void read(asio::mutable_buffer buffer, ReadHandler handler);
    asio::awaitable<error_code> write(std::string_view bytes);
    // Ends the sending half: close_notify when `notify` and TLS, then FIN. No read may be pending.
    asio::awaitable<void> finish(bool notify);

    // Ends a pending read; it completes with an error.
    void cancel();
    void close();
    void reset();  // RST

private:
    asio::ip::tcp::socket socket_;
    std::unique_ptr<asio::ssl::stream<asio::ip::tcp::socket&>> tls_;
};

}  // namespace rotary::mock
