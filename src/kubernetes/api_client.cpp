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

// To the API server.
struct ApiConnection {
    explicit ApiConnection(asio::io_context& in) : socket(in) {}

    tcp::socket socket;
    std::optional<control::TlsStream> tls;  // nothing: the server is plain HTTP
};

}  // namespace

// The one that requests of a burst leave to the next. A server may close it meanwhile, which the
// next finds out.
struct KeptConnection : std::enable_shared_from_this<KeptConnection> {
    KeptConnection(asio::io_context& in, std::chrono::milliseconds may_idle)
        : idle(may_idle), timer(in) {}

    std::shared_ptr<ApiConnection> take() noexcept { return std::exchange(connection, nullptr); }
    void leave(std::shared_ptr<ApiConnection> with) {
        connection = std::move(with);
        timer.expires_after(idle);
        timer.async_wait([kept = weak_from_this()](const error_code& error) {
            const auto self = kept.lock();
            const bool is_over = self && self->timer.expiry() <= std::chrono::steady_clock::now();
            if (!error && is_over) self->connection.reset();
        });
    }

    const std::chrono::milliseconds idle;
    asio::steady_timer timer;
    std::shared_ptr<ApiConnection> connection;
};

// Shared by the coroutine, the timer and the handle. Whatever comes first, the answer, the deadline
// or a drop, finishes it; the rest finds `finished` set.
class ApiCall {
public:
    ApiCall(asio::io_context& in, ClusterAccess& with, ApiRequest wanted, ApiClient::Done to)
        : context(in),
          access(with),
          request(std::move(wanted)),
          done(std::move(to)),
          timer(in),
          lines(request.line_bytes) {}

    void close() noexcept {
        finished = true;
        question.drop();
        error_code ignored;
        if (connection) connection->socket.close(ignored);
        try {
            timer.cancel();
        } catch (...) {
            // What is still under way ends by itself.
        }
    }
    void finish(ApiAnswer with) {
        if (finished) return;
        if (may_keep) kept->leave(std::exchange(connection, nullptr));
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
    std::shared_ptr<ApiConnection> connection;
    std::shared_ptr<KeptConnection> kept;  // null: it is of no burst
    asio::steady_timer timer;
    LineReader lines;
    ApiAnswer answer;
    bool finished = false;
    bool is_on_kept = false;  // the connection may have been closed before it was used
    bool is_stale = false;    // it was
    bool may_keep = false;    // nothing is left on it to be read
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
    if (!call.kept) request.set(http::field::connection, "close");
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
    if (call.answer.status == 200 && call.request.on_open) call.request.on_open();
}

// Of one that was kept: there is another way.
void connection_failed(ApiCall& call, const std::string& error) {
    if (call.is_on_kept) {
        call.is_stale = true;
    } else {
        call.fail(error);
    }
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
        connection_failed(call, "write: " + error.message());
        co_return;
    }
    beast::flat_buffer buffer(kBufferBytes);
    Parser parser;
    parser.header_limit(kHeadBytes);
    parser.body_limit(boost::none);  // its bytes are counted here
    std::tie(error, bytes) = co_await http::async_read_header(stream, buffer, parser, kAwait);
    if (call.finished) co_return;
    if (error) {
        connection_failed(call, "read: " + error.message());
        co_return;
    }
    take_head(call, parser.get().base());
    if (call.finished) co_return;
    co_await read_body(call, stream, buffer, parser);
    if (call.finished) co_return;
    if (call.lines.has_rest()) {
        call.fail("read: the last line has no end");
        co_return;
    }
    call.may_keep = call.kept && parser.keep_alive() && buffer.size() == 0;
}

asio::awaitable<void> exchange(ApiCall& call) {
    const std::shared_ptr<ApiConnection> connection = call.connection;  // close() lets go of it
    if (connection->tls) {
        co_await exchange(call, *connection->tls);
    } else {
        co_await exchange(call, connection->socket);
    }
}

asio::awaitable<void> handshake(ApiCall& call, ApiConnection& connection) {
    auto stream = control::verified_tls(connection.socket, call.access.tls().get(),
                                        call.access.server_name());
    if (!stream) {
        call.fail("tls: no context");
        co_return;
    }
    connection.tls.emplace(std::move(*stream));
    const auto side = asio::ssl::stream_base::client;
    auto [error] = co_await connection.tls->async_handshake(side, kAwait);
    if (call.finished) co_return;
    if (error) call.fail("tls: " + control::handshake_failure(*connection.tls, error));
}

asio::awaitable<void> one_try(ApiCall& call, const net::Addresses& endpoints) {
    const auto connection = std::make_shared<ApiConnection>(call.context);
    call.connection = connection;
    auto [error, endpoint] = co_await asio::async_connect(connection->socket, endpoints, kAwait);
    if (call.finished) co_return;
    if (error) {
        call.fail("connect: " + error.message());
        co_return;
    }
    keep_alive(connection->socket);
    if (call.access.url().tls) co_await handshake(call, *connection);
    if (!call.finished) co_await exchange(call);
}

asio::awaitable<void> run(CallPtr call, net::Addresses endpoints) {
    co_await one_try(*call, endpoints);
    if (!call->finished && call->answer.status == kUnauthorized) {
        call->access.read_again(std::chrono::steady_clock::now());
        call->answer = ApiAnswer();
        call->may_keep = false;
        co_await one_try(*call, endpoints);
    }
    if (!call->finished) call->finish(std::move(call->answer));
}

auto ended(const CallPtr& call) {
    return [call](std::exception_ptr failure) {
        if (failure) call->fail("failed");
    };
}

void connect(const CallPtr& call, const net::Addresses& addresses) {
    net::Addresses endpoints = control::endpoints_of(call->access.url(), addresses);
    if (endpoints.empty()) {
        asio::post(call->context, [call] { call->fail("resolve: no address that may be used"); });
        return;
    }
    asio::co_spawn(call->context, run(call, std::move(endpoints)), ended(call));
}

void find_and_connect(const CallPtr& call, net::Resolver& resolver) {
    const std::string& host = call->access.url().host;
    if (control::is_ip_literal(host)) {
        connect(call, {{asio::ip::make_address(host), 0}});
        return;
    }
    asio::io_context& context = call->context;
    const auto post = [&context](std::function<void()> work) {
        asio::post(context, std::move(work));
    };
    call->question = resolver.ask(host, post, [call](const net::Resolved& resolved) {
        if (resolved) {
            connect(call, **resolved);
        } else {
            call->fail(std::string("resolve: ") + resolved.error().detail);
        }
    });
}

// On the connection that another call has left; on one of its own where that is of no use.
asio::awaitable<void> run_on_kept(CallPtr call, net::Resolver& resolver) {
    call->is_on_kept = true;
    co_await exchange(*call);
    call->is_on_kept = false;
    if (call->finished) co_return;
    if (call->is_stale || call->answer.status == kUnauthorized) {
        call->connection.reset();
        call->answer = ApiAnswer();
        call->may_keep = false;
        find_and_connect(call, resolver);
        co_return;
    }
    call->finish(std::move(call->answer));
}

}  // namespace

ApiClient::ApiClient(asio::io_context& context, net::Resolver& resolver, ClusterAccess& access,
                     std::chrono::milliseconds idle)
    : context_(context),
      resolver_(resolver),
      access_(access),
      kept_(std::make_shared<KeptConnection>(context, idle)) {}
ApiClient::~ApiClient() = default;

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
    if (call->request.is_of_burst) {
        call->kept = kept_;
        call->connection = kept_->take();
    }
    if (call->connection) {
        asio::co_spawn(context_, run_on_kept(call, resolver_), ended(call));
    } else {
        find_and_connect(call, resolver_);
    }
    return Handle(std::move(call));
}

}  // namespace rotary::kubernetes
