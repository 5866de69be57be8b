#include <rotary/admin/admin.hpp>

#include <rotary/net/listener.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <list>
#include <string>
#include <utility>

#include "admin/admin_head.hpp"
#include "admin/admin_routes.hpp"
#include "admin/admin_waits.hpp"

namespace rotary::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kAcceptBackOff{100};

using Request = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;

bool is_loopback(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
    }
    return address.is_loopback();
}

std::string_view view(beast::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

// Shared with the coroutines, so that what is under way when Admin goes away still finds it.
struct Admin::State {
    // One open connection, owned by its coroutine; listed in `open` as long as it lives.
    struct Connection {
        Connection(std::shared_ptr<State> owner, tcp::socket socket)
            : state(std::move(owner)),
              stream(std::move(socket)),
              buffer(2 * state->options.head_bytes),
              place(state->open.insert(state->open.end(), this)) {}
        ~Connection() { state->open.erase(place); }
        Connection(const Connection&) = delete;
        Connection& operator=(const Connection&) = delete;

        std::shared_ptr<State> state;
        beast::tcp_stream stream;
        beast::flat_buffer buffer;
        std::list<Connection*>::iterator place;
        bool from_loopback = false;
        bool answering = false;
        bool closing = false;
    };

    State(asio::io_context& context, const AdminOptions& wanted, AdminHooks with, Logger& to)
        : options(wanted), hooks(std::move(with)), log(to), acceptor(context), back_off(context) {}

    void bind();
    static void admit(const std::shared_ptr<State>& state, tcp::socket socket);
    void make_room() noexcept;
    AdminAnswer answer_to(const Connection& connection, const Request& request);
    void stop() noexcept;

    AdminOptions options;
    AdminHooks hooks;
    Logger& log;
    tcp::acceptor acceptor;
    asio::steady_timer back_off;
    std::list<Connection*> open;  // the one that has waited the longest for its request first
    std::uint16_t port = 0;
    bool bound_to_loopback = true;
    bool stopped = false;
};

void Admin::State::bind() {
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    const tcp::endpoint endpoint(address, options.port);
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        throw net::cannot_listen(options.address, options.port, error.value());
    }
    port = acceptor.local_endpoint().port();
    bound_to_loopback = is_loopback(address);
}

namespace {

Response make_response(const AdminAnswer& answer, const http::request_header<>* request) {
    Response response(static_cast<http::status>(answer.status), 11);
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) response.set(http::field::allow, std::string(answer.allow));
    if (answer.challenge) response.set(http::field::www_authenticate, "Bearer");
    if (answer.is_page) {
        response.set("Content-Security-Policy",
                     "default-src 'none'; script-src 'self'; style-src 'self'; "
                     "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                     "form-action 'none'; frame-ancestors 'none'");
        response.set("Referrer-Policy", "no-referrer");
    }
    response.body() = answer.body;
    response.prepare_payload();
    response.keep_alive(false);
    if (request != nullptr) response.version(request->version());
    return response;
}

AdminHead head_of(const http::request_header<>& head) {
    AdminHead out;
    out.version = head.version();
    out.target = view(head.target());
    out.hosts = head.count(http::field::host);
    out.transfer_encodings = head.count(http::field::transfer_encoding);
    out.content_lengths = head.count(http::field::content_length);
    out.authorizations = head.count(http::field::authorization);
    return out;
}

// What went wrong while reading, as an answer; status 0 when the client has gone.
AdminAnswer reading_failed(const error_code& error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return admin_problem(431, "headers_too_large", "the head is too large");
    }
    if (error == http::error::body_limit) {
        return admin_problem(413, "request_too_large", "the body is too large");
    }
    static const auto& malformed = make_error_code(http::error::bad_method).category();
    if (error.category() == malformed && error != http::error::end_of_stream &&
        error != http::error::partial_message) {
        return admin_problem(400, "bad_request", "that is not HTTP/1.1");
    }
    AdminAnswer out;
    out.status = 0;
    return out;
}

}  // namespace

AdminAnswer Admin::State::answer_to(const Connection& connection, const Request& request) {
    const auto& head = request.get().base();
    AdminRequest asked;
    asked.method = view(head.method_string());
    asked.target = view(head.target());
    asked.host = view(head[http::field::host]);
    asked.origin = view(head[http::field::origin]);
    asked.accept = view(head[http::field::accept]);
    asked.authorization = view(head[http::field::authorization]);
    asked.body = request.get().body();
    asked.bound_to_loopback = bound_to_loopback;
    asked.from_loopback = connection.from_loopback;
    const char* why = "unknown";
    try {
        return answer(asked, options, hooks);
    } catch (const std::exception& exception) {
        why = exception.what();
        log.error("admin request failed", {{"path", asked.target}, {"error", why}});
    } catch (...) {
        log.error("admin request failed", {{"path", asked.target}, {"error", why}});
    }
    return admin_problem(500, "internal_error", "that failed; the log says why");
}

namespace {

// g++ 12 rules hold in every coroutine here: named objects only in an expression that awaits.
template <class Connection>
asio::awaitable<error_code> write(Connection& connection, Response& response, bool head_only) {
    error_code error;
    std::size_t bytes = 0;
    http::response_serializer<http::string_body> serializer(response);
    if (head_only) {
        std::tie(error, bytes) =
            co_await http::async_write_header(connection.stream, serializer, kAwait);
    } else {
        std::tie(error, bytes) = co_await http::async_write(connection.stream, serializer, kAwait);
    }
    co_return error;
}

// After a refusal the peer may still be sending; closing at once would reset the connection and
// take the answer with it. So: end our side, then swallow a little of the rest.
template <class Connection>
asio::awaitable<void> linger(Connection& connection) {
    error_code error;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> scrap;
    for (int i = 0; i < 16 && !error; ++i) {
        std::size_t bytes = 0;
        const auto into = asio::buffer(scrap);
        std::tie(error, bytes) = co_await connection.stream.async_read_some(into, kAwait);
    }
}

// One request and its answer. True: the connection may serve another.
template <class Connection>
asio::awaitable<bool> exchange(Connection& connection) {
    auto& state = *connection.state;
    Request request;
    request.header_limit(static_cast<std::uint32_t>(state.options.head_bytes));
    request.body_limit(state.options.body_bytes);
    connection.answering = false;
    state.open.splice(state.open.end(), state.open, connection.place);
    connection.stream.expires_after(state.options.timeout);
    auto [error, bytes] =
        co_await http::async_read_header(connection.stream, connection.buffer, request, kAwait);
    AdminAnswer refusal;
    refusal.status = 0;
    const char* const against = error ? nullptr : objection_to(head_of(request.get().base()));
    if (error) {
        refusal = reading_failed(error);
        if (refusal.status == 0) co_return false;
    } else if (against != nullptr) {
        refusal = admin_problem(400, "bad_request", against);
    } else if (request.get().count(http::field::expect) != 0 && !request.is_done()) {
        refusal = admin_problem(417, "expectation_failed", "send the body without Expect");
    } else if (!request.is_done()) {
        std::tie(error, bytes) =
            co_await http::async_read(connection.stream, connection.buffer, request, kAwait);
        if (error) refusal = reading_failed(error);
        if (error && refusal.status == 0) co_return false;
    }
    if (state.stopped) co_return false;
    connection.answering = true;
    connection.stream.expires_after(state.options.timeout);
    const bool refused = refusal.status != 0;
    const bool head_only = request.get().method() == http::verb::head && !refused;
    AdminAnswer out = refused ? std::move(refusal) : state.answer_to(connection, request);
    if (out.then == AdminAnswer::Then::requests && !head_only) {
        co_await await_requests(connection, out);
    }
    if (out.then == AdminAnswer::Then::events && !head_only) {
        co_await stream_events(connection);
        co_return false;
    }
    Response response = make_response(out, refused ? nullptr : &request.get().base());
    if (!refused) response.keep_alive(request.keep_alive());
    const error_code failed = co_await write(connection, response, head_only);
    if (failed) co_return false;
    connection.answering = false;
    if (refused) co_await linger(connection);
    co_return response.keep_alive();
}

template <class Connection>
asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
    bool more = true;
    while (more && !connection->state->stopped) more = co_await exchange(*connection);
}

template <class State>
asio::awaitable<void> accept_all(std::shared_ptr<State> state) {
    while (!state->stopped) {
        auto [error, socket] = co_await state->acceptor.async_accept(kAwait);
        if (state->stopped) co_return;
        if (!error) {
            State::admit(state, std::move(socket));
        } else if (error != asio::error::connection_aborted) {
            // Out of descriptors or memory: without a pause this would spin.
            state->back_off.expires_after(kAcceptBackOff);
            co_await state->back_off.async_wait(kAwait);
        }
    }
}

}  // namespace

// A client that holds connections open must not keep the probes out: at the limit the one that
// has waited the longest goes, one that is idle or still sending rather than one being answered.
void Admin::State::make_room() noexcept {
    if (open.size() < options.connections) return;
    Connection* leaving = nullptr;
    for (Connection* connection : open) {
        if (connection->closing) continue;
        if (leaving == nullptr) leaving = connection;
        if (connection->answering) continue;
        leaving = connection;
        break;
    }
    if (leaving == nullptr) return;
    leaving->closing = true;
    leaving->stream.close();  // its coroutine ends with the error
}

void Admin::State::admit(const std::shared_ptr<State>& state, tcp::socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    socket.set_option(tcp::no_delay(true), error);
    state->make_room();
    try {
        auto connection = std::make_unique<Connection>(state, std::move(socket));
        connection->from_loopback = is_loopback(peer.address());
        auto ended = [state](std::exception_ptr failure) {
            if (failure && !state->stopped) state->log.error("admin connection failed");
        };
        asio::co_spawn(state->acceptor.get_executor(), serve(std::move(connection)),
                       std::move(ended));
    } catch (const std::exception& exception) {
        state->log.error("admin connection refused", {{"error", exception.what()}});
    }
}

void Admin::State::stop() noexcept {
    stopped = true;
    error_code ignored;
    acceptor.close(ignored);
    try {
        back_off.cancel();
    } catch (...) {
        // It ends by itself 100 ms later.
    }
    for (Connection* connection : open) connection->stream.close();
}

Admin::Admin(asio::io_context& context, const AdminOptions& options, AdminHooks hooks, Logger& log)
    : state_(std::make_shared<State>(context, options, std::move(hooks), log)) {
    state_->bind();
    auto ended = [state = state_](std::exception_ptr failure) {
        if (failure && !state->stopped) state->log.error("admin listener ended");
    };
    asio::co_spawn(context, accept_all(state_), std::move(ended));
}

Admin::~Admin() { stop(); }

void Admin::set_limits(const AdminOptions& options) {
    state_->options.connections = options.connections;
    state_->options.body_bytes = options.body_bytes;
    state_->options.timeout = options.timeout;
    state_->options.token = options.token;
}

std::uint16_t Admin::port() const noexcept { return state_->port; }
std::size_t Admin::connections() const noexcept { return state_->open.size(); }
void Admin::stop() noexcept { state_->stop(); }

}  // namespace rotary::admin
