#include <app/mock_session.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <set>
#include <thread>

namespace rotary::app {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Everything but `state` belongs to the provider's thread once that runs.
class MockProvider::Impl {
public:
    explicit Impl(MockOptions options) : x_state(std::move(options)), x_answers(x_state) {}

    void start();
    void stop();
    void close_connections();

    mock::State& state() { return x_state; }
    std::uint16_t port() const { return x_port; }

private:
    void make_tls();
    asio::awaitable<void> accept_all();
    asio::awaitable<void> serve(tcp::socket socket, std::uint64_t connection);
    void close_sessions();

    mock::State x_state;
    mock::Answers x_answers;
    std::optional<asio::ssl::context> x_tls;
    asio::io_context x_io{1};
    tcp::acceptor x_acceptor{x_io};
    std::set<mock::Session*> x_sessions;
    bool x_stopping = false;
    std::uint16_t x_port = 0;
    std::thread x_thread;
};

void MockProvider::Impl::make_tls() {
    const auto& files = x_state.options().tls;
    if (!files) return;
    x_tls.emplace(asio::ssl::context::tls_server);
    x_tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
    x_tls->use_certificate_chain_file(files->certificate);
    x_tls->use_private_key_file(files->key, asio::ssl::context::pem);
}

void MockProvider::Impl::start() {
    make_tls();
    const MockOptions& options = x_state.options();
    const tcp::endpoint endpoint(asio::ip::make_address(options.address), options.port);
    x_acceptor.open(endpoint.protocol());
    x_acceptor.set_option(asio::socket_base::reuse_address(true));
    error_code error;
    x_acceptor.bind(endpoint, error);
    if (!error) x_acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        // Without the place in Boost's sources that `error` carries.
        throw boost::system::system_error(
            error_code(error.value(), error.category()),
            "can't listen on " + options.address + ":" + std::to_string(options.port));
    }
    x_port = x_acceptor.local_endpoint().port();
    asio::co_spawn(x_io, accept_all(), asio::detached);
    x_thread = std::thread([this] { x_io.run(); });
}

void MockProvider::Impl::stop() {
    if (!x_thread.joinable()) return;
    asio::post(x_io, [this] {
        error_code ignored;
        x_stopping = true;
        x_acceptor.close(ignored);
        close_sessions();
    });
    // The thread ends when the last session has.
    x_thread.join();
}

void MockProvider::Impl::close_connections() {
    asio::post(x_io, [this] { close_sessions(); });
}

void MockProvider::Impl::close_sessions() {
    for (mock::Session* session : x_sessions) session->close();
}

asio::awaitable<void> MockProvider::Impl::accept_all() {
    constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
    std::uint64_t connection = 0;
    while (x_acceptor.is_open()) {
        auto [error, socket] = co_await x_acceptor.async_accept(kAwait);
        if (!error) {
            x_state.connection_opened();
            asio::co_spawn(x_io, serve(std::move(socket), ++connection), asio::detached);
            continue;
        }
        // Out of descriptors, most likely: without a rest this would spin.
        asio::steady_timer rest(x_io, std::chrono::milliseconds(50));
        if (x_acceptor.is_open()) co_await rest.async_wait(kAwait);
    }
}

asio::awaitable<void> MockProvider::Impl::serve(tcp::socket socket, std::uint64_t connection) {
    struct Registration {
        Impl& impl;
        mock::Session& session;
        Registration(Impl& in, mock::Session& of) : impl(in), session(of) {
            impl.x_sessions.insert(&session);
        }
        ~Registration() {
            impl.x_sessions.erase(&session);
            impl.x_state.connection_closed();
        }
    };
    mock::Session session(x_state, x_answers, std::move(socket), x_tls ? &*x_tls : nullptr);
    const Registration registration(*this, session);
    if (x_stopping) session.close();
    co_await session.run(connection);
}

MockProvider::MockProvider(MockOptions options)
    : x_impl(std::make_unique<Impl>(std::move(options))) {}

MockProvider::~MockProvider() { stop(); }

void MockProvider::start() { x_impl->start(); }

void MockProvider::stop() { x_impl->stop(); }

std::uint16_t MockProvider::port() const { return x_impl->port(); }

std::string MockProvider::url() const {
    const MockOptions& options = x_impl->state().options();
    const bool v6 = options.address.find(':') != std::string::npos;
    return std::string(options.tls ? "https://" : "http://") +
           (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port());
}

std::vector<Captured> MockProvider::requests() const {
    std::vector<Captured> copies;
    for (const auto& request : x_impl->state().requests()) copies.push_back(*request);
    return copies;
}

std::uint64_t MockProvider::request_count() const { return x_impl->state().request_count(); }

std::uint64_t MockProvider::connections_accepted() const {
    return x_impl->state().connections_accepted();
}

std::size_t MockProvider::open_connections() const { return x_impl->state().open_connections(); }

bool MockProvider::wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const {
    return x_impl->state().wait_for_requests(count, timeout);
}

bool MockProvider::wait_for_open_connections(std::size_t count,
                                             std::chrono::nanoseconds timeout) const {
    return x_impl->state().wait_for_open_connections(count, timeout);
}

void MockProvider::set_fault(const std::string& model, MockFault fault, std::uint64_t times) {
    x_impl->state().set_fault(model, std::move(fault), times);
}

void MockProvider::respond_with(const std::string& model, unsigned status, HeaderList headers,
                                std::string body) {
    set_fault(model, MockFault::canned(status, std::move(headers), std::move(body)));
}

void MockProvider::clear_faults() { x_impl->state().clear_faults(); }

void MockProvider::reset() { x_impl->state().reset(); }

void MockProvider::close_connections() { x_impl->close_connections(); }

}  // namespace rotary::app
