#include "fleet/redis_connection.hpp"

#include <rotary/control/https_get_url.hpp>
#include <rotary/control/verified_tls.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "fleet/redis_protocol.hpp"

namespace rotary::fleet {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = 16 * 1024;

// What is not taken is of no consequence: an end is then noticed later.
void keep_watch(tcp::socket& socket, std::chrono::milliseconds silence) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto most = static_cast<unsigned>(silence.count());
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

}  // namespace

// Shared by the connection and what is under way for it. Without a handler it is closed, and
// whatever still comes finds that.
struct RedisConnection::Link : std::enable_shared_from_this<Link> {
    Link(asio::io_context& on, net::Resolver& by, RedisConnection& of, Handler& told)
        : context(on), resolver(by), owner(of), handler(&told), socket(on), timer(on) {}

    void close() noexcept {
        handler = nullptr;
        ++attempt;
        question.drop();
        error_code ignored;
        socket.close(ignored);
        try {
            timer.cancel();
        } catch (...) {
            // What is still under way ends by itself.
        }
    }

    void end(const std::string& why, const Reply& refused = {}) {
        if (handler == nullptr) return;
        Handler& told = *handler;
        close();
        told.on_end(owner, why, refused);
    }

    // Closes the socket, which ends what waits for it, unless that has come to an end before.
    void limit(std::chrono::milliseconds time) {
        timer.expires_after(time);
        timer.async_wait([link = shared_from_this(), this, mine = ++attempt](error_code error) {
            if (error || mine != attempt) return;
            is_late = true;
            socket.close(error);
        });
    }
    void limit_kept() {
        ++attempt;
        timer.cancel();
    }

    void write(std::string bytes) {
        out += bytes;
        if (writing.empty()) write_on();
    }
    void write_on() {
        writing = std::exchange(out, {});
        const auto written = [link = shared_from_this(), this](error_code error, std::size_t) {
            writing.clear();
            if (handler == nullptr) return;
            if (error) {
                end("write: " + error.message());
            } else if (!out.empty()) {
                write_on();
            }
        };
        if (tls) {
            asio::async_write(*tls, asio::buffer(writing), written);
        } else {
            asio::async_write(socket, asio::buffer(writing), written);
        }
    }

    void take(Reply reply) {
        if (answered == dial.steps.size()) {
            handler->on_reply(owner, std::move(reply));
            return;
        }
        const LoginStep& step = dial.steps[answered];
        if (reply.kind == Reply::Kind::error && !step.may_be_refused) {
            end(step.command.front() + ": " + reply.text, reply);
            return;
        }
        ++answered;
        if (answered < dial.steps.size()) return;
        limit_kept();
        handler->on_up(owner, reply);
    }

    asio::io_context& context;
    net::Resolver& resolver;
    RedisConnection& owner;
    Handler* handler;
    RedisDial dial;
    net::Resolver::Question question;
    tcp::socket socket;
    std::optional<control::TlsStream> tls;
    asio::steady_timer timer;
    std::uint64_t attempt = 0;
    bool is_late = false;
    std::size_t answered = 0;  // steps
    ReplyReader reader;
    std::string out;
    std::string writing;
};

namespace {

// g++ 12 rules hold in every coroutine here: named objects only in an expression that awaits.

// Returns what was wrong, with the last address; empty: it is connected, or closed.
template <class Link>
asio::awaitable<std::string> connect(Link& link, const net::Addresses& addresses) {
    std::string why = "resolve: no address";
    for (tcp::endpoint to : addresses) {
        to.port(link.dial.place.port);
        error_code ignored;
        link.socket.close(ignored);
        link.is_late = false;
        link.limit(link.dial.connect);
        const auto [error] = co_await link.socket.async_connect(to, kAwait);
        if (link.handler == nullptr) co_return std::string();
        link.limit_kept();
        if (!error && link.socket.is_open()) co_return std::string();
        why = "connect: " + (link.is_late ? std::string("no answer in time") : error.message());
    }
    co_return why;
}

template <class Link>
asio::awaitable<std::string> shake_hands(Link& link) {
    const auto side = asio::ssl::stream_base::client;
    const auto [error] = co_await link.tls->async_handshake(side, kAwait);
    if (!error) co_return std::string();
    if (link.is_late) co_return std::string("tls: no answer in time");
    co_return "tls: " + control::handshake_failure(*link.tls, error);
}

template <class Link, class Stream>
asio::awaitable<void> read(Link& link, Stream& stream) {
    std::array<char, kReadBytes> bytes{};
    const auto buffer = asio::buffer(bytes);
    while (link.handler != nullptr) {
        const auto [error, size] = co_await stream.async_read_some(buffer, kAwait);
        if (link.handler == nullptr) co_return;
        if (error) {
            const bool is_silent = link.is_late && link.answered < link.dial.steps.size();
            link.end("read: " + (is_silent ? std::string("no answer in time") : error.message()));
            co_return;
        }
        const bool is_right = link.reader.feed({bytes.data(), size});
        while (link.handler != nullptr) {
            std::optional<Reply> reply = link.reader.next();
            if (!reply) break;
            link.take(std::move(*reply));
        }
        if (!is_right) link.end("protocol: " + link.reader.error());
    }
}

template <class Link>
asio::awaitable<void> run(std::shared_ptr<Link> link, net::Addresses addresses) {
    std::string why = co_await connect(*link, addresses);
    if (link->handler == nullptr) co_return;
    if (!why.empty()) {
        link->end(why);
        co_return;
    }
    keep_watch(link->socket, link->dial.silence);
    link->limit(link->dial.login);
    if (link->dial.tls) {
        auto stream =
            control::verified_tls(link->socket, link->dial.tls.get(), link->dial.certified_name);
        if (!stream) {
            link->end("tls: no context");
            co_return;
        }
        link->tls.emplace(std::move(*stream));
        why = co_await shake_hands(*link);
        if (link->handler == nullptr) co_return;
        if (!why.empty()) {
            link->end(why);
            co_return;
        }
    }
    std::string words;
    for (const LoginStep& step : link->dial.steps) words += format_command(step.command);
    link->write(std::move(words));
    if (link->tls) {
        co_await read(*link, *link->tls);
    } else {
        co_await read(*link, link->socket);
    }
}

}  // namespace

RedisConnection::RedisConnection(asio::io_context& context, net::Resolver& resolver,
                                 Handler& handler)
    : link_(std::make_shared<Link>(context, resolver, *this, handler)) {}

void RedisConnection::dial(RedisDial dial) {
    link_->dial = std::move(dial);
    const std::string& host = link_->dial.place.host;
    const auto begin = [link = link_](net::Addresses addresses) {
        auto ended = [link](std::exception_ptr failure) {
            if (failure) link->end("failed");
        };
        asio::co_spawn(link->context, run(link, std::move(addresses)), std::move(ended));
    };
    if (control::is_ip_literal(host)) {
        begin({{asio::ip::make_address(host), 0}});
        return;
    }
    const auto post = [link = link_](std::function<void()> work) {
        asio::post(link->context, std::move(work));
    };
    link_->question =
        link_->resolver.ask(host, post, [begin, link = link_](const net::Resolved& resolved) {
            if (link->handler == nullptr) return;
            if (resolved) {
                begin(**resolved);
            } else {
                link->end(std::string("resolve: ") + resolved.error().detail);
            }
        });
}

void RedisConnection::send(const std::vector<std::string>& words) {
    link_->write(format_command(words));
}

void RedisConnection::close() noexcept { link_->close(); }

bool RedisConnection::is_up() const noexcept {
    return link_->handler != nullptr && link_->answered == link_->dial.steps.size();
}

}  // namespace rotary::fleet
