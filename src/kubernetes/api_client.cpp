#include <rotary/kubernetes/api_client.hpp>

#include "kubernetes/line_reader.hpp"

#include <rotary/base/text.hpp>
#include <rotary/control/verified_tls.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

namespace rotary::kubernetes {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHeadBytes = std::size_t{16} * 1024;
constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
constexpr std::size_t kPieceBytes = std::size_t{32} * 1024;
constexpr std::size_t kErrorBodyBytes = std::size_t{64} * 1024;  // of what is no 200
constexpr unsigned kUnauthorized = 401;

using Parser = http::response_parser<http::buffer_body>;

// A peer that has gone without a word is noticed within a minute, whatever a watch has to say.
void keep_alive(tcp::socket& socket) {
    const int on = 1;
    const int idle = 30;
    const int gap = 10;
    const int count = 3;
    const int fd = socket.native_handle();
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &gap, sizeof gap);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

}  // namespace

// Shared by the coroutine, the timer and the handle. Whatever comes first, the answer, the deadline
// or a drop, finishes it; the rest finds `finished` set.
class ApiCall {
public:
    ApiCall(asio::io_context& in, ClusterAccess& with, ApiRequest wanted, ApiClient::Done to)
        : context(in),
          access(with),
          request(std::move(wanted)),
          done(std::move(to)),
          socket(in),
          timer(in),
          lines(request.line_bytes) {}

    void close() noexcept {
        finished = true;
        question.drop();
        error_code ignored;
        socket.close(ignored);
        try {
            timer.cancel();
        } catch (...) {
            // What is still under way ends by itself.
        }
    }
    void finish(ApiAnswer with) {
        if (finished) return;
        close();
        const ApiClient::Done call = std::exchange(done, nullptr);
        call(std::move(with));
    }
    void fail(std::string error) {
        answer.error = std::move(error);
        finish(std::move(answer));
    }

    asio::io_context& context;
    ClusterAccess& access;
    ApiRequest request;
    ApiClient::Done done;
    net::Resolver::Question question;
    tcp::socket socket;
    asio::steady_timer timer;
    LineReader lines;
    ApiAnswer answer;
    bool finished = false;
};

namespace {

using CallPtr = std::shared_ptr<ApiCall>;

// g++ 12 rules hold in every coroutine here: named objects only in an expression that awaits.

http::request<http::string_body> make_request(ApiCall& call) {
    const ApiRequest& wanted = call.request;
    http::request<http::string_body> request;
    request.method_string(wanted.method);
    request.target(wanted.target);
    request.version(11);
    request.set(http::field::host, call.access.url().authority);
    request.set(http::field::accept, "application/json");
    request.set(http::field::user_agent, "rotary");
    request.set(http::field::connection, "close");
    const std::string& token = call.access.token(std::chrono::steady_clock::now());
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    if (!wanted.body.empty()) {
        request.set(http::field::content_type, wanted.content_type);
        request.body() = wanted.body;
        request.prepare_payload();
    }
    return request;
}

// Whether more may come.
bool take(ApiCall& call, std::string_view piece) {
    const bool is_watch = call.request.on_line && call.answer.status == 200;
    if (is_watch) {
        const bool fits = call.lines.add(piece, [&call](std::string_view line) {
            call.request.on_line(line);
            return !call.finished;
        });
        if (!fits) call.fail("a line is longer than " + std::to_string(call.request.line_bytes));
        return !call.finished;
    }
    const std::size_t most = call.answer.status == 200 ? call.request.body_bytes : kErrorBodyBytes;
    if (call.answer.body.size() + piece.size() > most) {
        call.fail("the answer is larger than " + std::to_string(most) + " bytes");
        return false;
    }
    call.answer.body.append(piece);
    return true;
}

void take_head(ApiCall& call, const http::response_header<>& head) {
    call.answer.status = head.result_int();
    const auto value = head[http::field::retry_after];
    const auto seconds = text::parse_unsigned(std::string_view(value.data(), value.size()));
    constexpr std::uint64_t kMost = 3600;
    if (seconds) call.answer.retry_after = std::chrono::seconds(std::min(*seconds, kMost));
}

template <class Stream>
asio::awaitable<void> read_body(ApiCall& call, Stream& stream, beast::flat_buffer& buffer,
                                Parser& parser) {
    std::array<char, kPieceBytes> piece;
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        auto [error, bytes] = co_await http::async_read_some(stream, buffer, parser, kAwait);
        if (call.finished) co_return;
        const std::size_t got = piece.size() - parser.get().body().size;
        if (!take(call, {piece.data(), got})) co_return;
        if (error && error != http::error::need_buffer) {
            call.fail("read: " + error.message());
            co_return;
        }
    }
}

template <class Stream>
asio::awaitable<void> exchange(ApiCall& call, Stream& stream) {
    const auto request = make_request(call);
    auto [error, bytes] = co_await http::async_write(stream, request, kAwait);
    if (call.finished) co_return;
    if (error) {
        call.fail("write: " + error.message());
        co_return;
    }
    beast::flat_buffer buffer(kBufferBytes);
    Parser parser;
    parser.header_limit(kHeadBytes);
    parser.body_limit(boost::none);  // its bytes are counted here
    std::tie(error, bytes) = co_await http::async_read_header(stream, buffer, parser, kAwait);
    if (call.finished) co_return;
    if (error) {
        call.fail("read: " + error.message());
        co_return;
    }
    take_head(call, parser.get().base());
    co_await read_body(call, stream, buffer, parser);
    if (call.finished) co_return;
    if (call.lines.has_rest()) {
        call.fail("read: the last line has no end");
        co_return;
    }
}

asio::awaitable<void> handshake_and_exchange(ApiCall& call) {
    auto stream =
        control::verified_tls(call.socket, call.access.tls().get(), call.access.server_name());
    if (!stream) {
        call.fail("tls: no context");
        co_return;
    }
    const auto side = asio::ssl::stream_base::client;
    auto [error] = co_await stream->async_handshake(side, kAwait);
    if (call.finished) co_return;
    if (error) {
        call.fail("tls: " + control::handshake_failure(*stream, error));
        co_return;
    }
    co_await exchange(call, *stream);
}

asio::awaitable<void> one_try(ApiCall& call, const net::Addresses& endpoints) {
    auto [error, endpoint] = co_await asio::async_connect(call.socket, endpoints, kAwait);
    if (call.finished) co_return;
    if (error) {
        call.fail("connect: " + error.message());
        co_return;
    }
    keep_alive(call.socket);
    if (call.access.url().tls) {
        co_await handshake_and_exchange(call);
    } else {
        co_await exchange(call, call.socket);
    }
}

asio::awaitable<void> run(CallPtr call, net::Addresses endpoints) {
    co_await one_try(*call, endpoints);
    if (!call->finished && call->answer.status == kUnauthorized) {
        call->access.read_again(std::chrono::steady_clock::now());
        call->answer = ApiAnswer();
        error_code ignored;
        call->socket.close(ignored);
        co_await one_try(*call, endpoints);
    }
    if (!call->finished) call->finish(std::move(call->answer));
}

void connect(const CallPtr& call, const net::Addresses& addresses) {
    net::Addresses endpoints = control::endpoints_of(call->access.url(), addresses);
    if (endpoints.empty()) {
        asio::post(call->context, [call] { call->fail("resolve: no address that may be used"); });
        return;
    }
    auto ended = [call](std::exception_ptr failure) {
        if (failure) call->fail("failed");
    };
    asio::co_spawn(call->context, run(call, std::move(endpoints)), std::move(ended));
}

}  // namespace

ApiClient::ApiClient(asio::io_context& context, net::Resolver& resolver, ClusterAccess& access)
    : context_(context), resolver_(resolver), access_(access) {}

ApiClient::Handle& ApiClient::Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        drop();
        call_ = std::move(other.call_);
    }
    return *this;
}

void ApiClient::Handle::drop() noexcept {
    if (!call_) return;
    const CallPtr call = std::exchange(call_, nullptr);
    call->close();
    call->done = nullptr;
}

ApiClient::Handle ApiClient::request(ApiRequest request, Done done) {
    auto call = std::make_shared<ApiCall>(context_, access_, std::move(request), std::move(done));
    call->timer.expires_after(call->request.deadline);
    call->timer.async_wait([call](const error_code& error) {
        if (!error) call->fail("no answer in time");
    });
    const std::string& host = access_.url().host;
    if (control::is_ip_literal(host)) {
        connect(call, {{asio::ip::make_address(host), 0}});
        return Handle(std::move(call));
    }
    asio::io_context& context = context_;
    const auto post = [&context](std::function<void()> work) {
        asio::post(context, std::move(work));
    };
    call->question = resolver_.ask(host, post, [call](const net::Resolved& resolved) {
        if (resolved) {
            connect(call, **resolved);
        } else {
            call->fail(std::string("resolve: ") + resolved.error().detail);
        }
    });
    return Handle(std::move(call));
}

}  // namespace rotary::kubernetes
