#pragma once

#include <mock/answers.hpp>
#include <mock/stream.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <optional>

namespace rotary::mock {

// One connection of the mock: requests are answered in their order, pipelined ones too. Lives in
// the frame of its coroutine, on the provider's thread. While it waits (latency, the gap between
// two events, a stall) a read is pending, so a peer that goes away is noticed at once.
class Session {
public:
    // `tls` may be null.
    Session(State& state, Answers& answers, asio::ip::tcp::socket socket, asio::ssl::context* tls);

    asio::awaitable<void> run(std::uint64_t connection);
    void close();

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    asio::awaitable<void> converse(std::uint64_t connection);
    // A whole request in parser_, or refusal_ when it must not be served; false: the peer is
    // gone.
    asio::awaitable<bool> read_request();
    void parse_input();
    asio::awaitable<void> read_more();
    void start_read();
    void absorb(error_code error, std::size_t size);
    std::shared_ptr<const Captured> take_request(std::uint64_t connection);

    // False: the connection has come to its end.
    asio::awaitable<bool> send_answer(Answer& answer, const Framing& framing);
    asio::awaitable<bool> send_pieces(const std::vector<std::string>& pieces, const Answer& answer);
    asio::awaitable<void> end(End how);
    asio::awaitable<bool> pause_until(Clock::time_point when);
    asio::awaitable<void> stop_reading();
    asio::awaitable<void> linger();

    State& state_;
    Answers& answers_;
    asio::steady_timer wake_;  // what the session's waits wait on
    MockStream stream_;
    std::optional<Parser> parser_;
    std::string input_;  // read and not yet parsed
    unsigned refusal_ = 0;
    bool continue_due_ = false;
    bool reading_ = false;  // a read with a handler is pending
    bool gone_ = false;     // nothing more will come
    bool closed_ = false;   // by us
    std::array<char, 16 * 1024> buffer_;
};

}  // namespace rotary::mock
