#include "control/https_get.hpp"

#include "control/https_answer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <rotary/control/verified_tls.hpp>

namespace rotary::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHeadBytes = 16 * 1024;
constexpr std::size_t kBufferBytes = 64 * 1024;  // bounds trailers and chunk extensions too
constexpr int kInterimAnswers = 8;

using Parser = http::response_parser<http::string_body>;

}  // namespace

// Shared by the coroutine and its HttpsGet. Whatever comes first, the answer, the deadline or
// cancel, finishes it; the rest finds `finished` set.
struct HttpsGet::Call {
    Call(asio::io_context& context, const HttpsGetRequest& wanted, Done to)
        : request(wanted), done(std::move(to)), socket(context), timer(context) {}

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
    void finish(HttpsGetResult result) {
        if (finished) return;
        close();
        const Done call = std::exchange(done, nullptr);
        call(std::move(result));
    }
    void fail(std::string error) {
        HttpsGetResult result;
        result.error = std::move(error);
        finish(std::move(result));
    }

    HttpsGetRequest request;
    Done done;
    net::Resolver::Question question;
    tcp::socket socket;
    asio::steady_timer timer;
    bool finished = false;
};

namespace {

// g++ 12 rules hold in every coroutine here: named objects only in an expression that awaits.

http::request<http::string_body> make_request(const HttpsGetRequest& wanted) {
    const HttpUrl& url = wanted.url;
    const http::verb verb = wanted.posted ? http::verb::post : http::verb::get;
    http::request<http::string_body> request(verb, url.target, 11);
    request.set(http::field::host, url.authority);
    request.set(http::field::accept, "application/json");
    request.set(http::field::accept_encoding, "identity");
    request.set(http::field::user_agent, "rotary");
    request.set(http::field::connection, "close");
    for (const auto& [name, value] : wanted.headers) request.set(name, value);
    if (wanted.posted) {
        request.set(http::field::content_type, "application/json");
        request.body() = *wanted.posted;
        request.prepare_payload();
    }
    return request;
}

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

HttpsAnswerHead head_of(const http::response_header<>& head) {
    HttpsAnswerHead out;
    out.status = head.result_int();
    out.content_encoding = view(head[http::field::content_encoding]);
    const auto coding = head.find(http::field::transfer_encoding);
    if (coding != head.end()) out.transfer_encoding = view(coding->value());
    return out;
}

template <class Call, class Stream>
asio::awaitable<void> exchange(Call& call, Stream& stream) {
    const auto request = make_request(call.request);
    auto [error, bytes] = co_await http::async_write(stream, request, kAwait);
    if (error) {
        call.fail("write: " + error.message());
        co_return;
    }
    beast::flat_buffer buffer(kBufferBytes);
    std::optional<Parser> parser;
    for (int i = 0; i <= kInterimAnswers; ++i) {
        parser.emplace();
        parser->header_limit(kHeadBytes);
        parser->body_limit(call.request.body_bytes);
        std::tie(error, bytes) = co_await http::async_read_header(stream, buffer, *parser, kAwait);
        if (error || !is_interim(parser->get().result_int())) break;
    }
    if (error) {
        call.fail("read: " + error.message());
        co_return;
    }
    std::string against = objection_to(head_of(parser->get().base()));
    if (!against.empty()) {
        call.fail("refused: " + against);
        co_return;
    }
    if (!parser->is_done()) {
        std::tie(error, bytes) = co_await http::async_read(stream, buffer, *parser, kAwait);
    }
    if (error) {
        call.fail("read: " + error.message());
        co_return;
    }
    HttpsGetResult result;
    result.body = std::move(parser->get().body());
    call.finish(std::move(result));
}

template <class Call>
asio::awaitable<void> handshake_and_exchange(Call& call) {
    auto stream = verified_tls(call.socket, call.request.tls.get(), call.request.url.host);
    if (!stream) {
        call.fail("tls: no context");
        co_return;
    }
    const auto side = asio::ssl::stream_base::client;
    auto [error] = co_await stream->async_handshake(side, kAwait);
    if (error) {
        call.fail("tls: " + handshake_failure(*stream, error));
        co_return;
    }
    co_await exchange(call, *stream);
}

template <class Call>
asio::awaitable<void> run(std::shared_ptr<Call> call, net::Addresses endpoints) {
    auto [error, endpoint] = co_await asio::async_connect(call->socket, endpoints, kAwait);
    if (call->finished) co_return;
    if (error) {
        call->fail("connect: " + error.message());
    } else if (call->request.url.tls) {
        co_await handshake_and_exchange(*call);
    } else {
        co_await exchange(*call, call->socket);
    }
}

}  // namespace

void HttpsGet::start(const HttpsGetRequest& request, Done done) {
    cancel();
    call_ = std::make_shared<Call>(context_, request, std::move(done));
    call_->timer.expires_after(request.deadline);
    call_->timer.async_wait([call = call_](const error_code& error) {
        if (!error) call->fail("no answer in time");
    });
    const std::string& host = request.url.host;
    if (is_ip_literal(host)) {
        connect(call_, {{asio::ip::make_address(host), 0}});
        return;
    }
    const auto post = [this](std::function<void()> work) { asio::post(context_, std::move(work)); };
    call_->question =
        resolver_.ask(host, post, [this, call = call_](const net::Resolved& resolved) {
            if (resolved) {
                connect(call, **resolved);
            } else {
                call->fail(std::string("resolve: ") + resolved.error().detail);
            }
        });
}

void HttpsGet::connect(const std::shared_ptr<Call>& call, const net::Addresses& addresses) {
    net::Addresses endpoints = endpoints_of(call->request.url, addresses);
    if (endpoints.empty()) {
        asio::post(context_, [call] { call->fail("resolve: no address that may be used"); });
        return;
    }
    auto ended = [call](std::exception_ptr failure) {
        if (failure) call->fail("failed");
    };
    asio::co_spawn(context_, run(call, std::move(endpoints)), std::move(ended));
}

void HttpsGet::cancel() noexcept {
    if (!call_) return;
    call_->close();
    call_->done = nullptr;
    call_.reset();
}

bool HttpsGet::running() const noexcept { return call_ && !call_->finished; }

}  // namespace rotary::control
