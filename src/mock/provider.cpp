#include <mock/session.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <set>
#include <thread>

namespace rotary::mock {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Everything but `state` belongs to the provider's thread once that runs.
class MockProvider::Impl {
public:
    explicit Impl(MockOptions options) : state_(std::move(options)), answers_(state_) {}

    void start();
    void stop();
    void close_connections();

    State& state() { return state_; }
    std::uint16_t port() const { return port_; }

private:
    void make_tls();
    asio::awaitable<void> accept_all();
    asio::awaitable<void> serve(tcp::socket socket, std::uint64_t connection);
    void close_sessions();

    State state_;
    Answers answers_;
    std::optional<asio::ssl::context> tls_;
    asio::io_context io_{1};
    tcp::acceptor acceptor_{io_};
    std::set<Session*> sessions_;
    bool stopping_ = false;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

void MockProvider::Impl::make_tls() {
    const auto& files = state_.options().tls;
    if (!files) return;
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
    tls_->use_certificate_chain_file(files->certificate);
    tls_->use_private_key_file(files->key, asio::ssl::context::pem);
}

void MockProvider::Impl::start() {
    make_tls();
    const MockOptions& options = state_.options();
    const tcp::endpoint endpoint(asio::ip::make_address(options.address), options.port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    error_code error;
    acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        // Without the place in Boost's sources that `error` carries.
        throw boost::system::system_error(
            error_code(error.value(), error.category()),
            "can't listen on " + options.address + ":" + std::to_string(options.port));
    }
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, accept_all(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
}

void MockProvider::Impl::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
        error_code ignored;
        stopping_ = true;
        acceptor_.close(ignored);
        close_sessions();
    });
    // The thread ends when the last session has.
    thread_.join();
}

void MockProvider::Impl::close_connections() {
    asio::post(io_, [this] { close_sessions(); });
}

void MockProvider::Impl::close_sessions() {
    for (Session* session : sessions_) session->close();
}

asio::awaitable<void> MockProvider::Impl::accept_all() {
    constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
    std::uint64_t connection = 0;
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(kAwait);
        if (!error) {
            state_.connection_opened();
            asio::co_spawn(io_, serve(std::move(socket), ++connection), asio::detached);
            continue;
        }
        // Out of descriptors, most likely: without a rest this would spin.
        asio::steady_timer rest(io_, std::chrono::milliseconds(50));
        if (acceptor_.is_open()) co_await rest.async_wait(kAwait);
    }
}

asio::awaitable<void> MockProvider::Impl::serve(tcp::socket socket, std::uint64_t connection) {
    struct Registration {
        Impl& impl;
        Session& session;
        Registration(Impl& in, Session& of) : impl(in), session(of) {
            impl.sessions_.insert(&session);
        }
        ~Registration() {
            impl.sessions_.erase(&session);
            impl.state_.connection_closed();
        }
    };
    Session session(state_, answers_, std::move(socket), tls_ ? &*tls_ : nullptr);
    const Registration registration(*this, session);
    if (stopping_) session.close();
    co_await session.run(connection);
}

MockProvider::MockProvider(MockOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

MockProvider::~MockProvider() { stop(); }

void MockProvider::start() { impl_->start(); }

void MockProvider::stop() { impl_->stop(); }

std::uint16_t MockProvider::port() const { return impl_->port(); }

std::string MockProvider::url() const {
    const MockOptions& options = impl_->state().options();
    const bool v6 = options.address.find(':') != std::string::npos;
    return std::string(options.tls ? "https://" : "http://") +
           (v6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(port());
}

std::vector<Captured> MockProvider::requests() const {
    std::vector<Captured> copies;
    for (const auto& request : impl_->state().requests()) copies.push_back(*request);
    return copies;
}

std::vector<MockUsage> MockProvider::usage() const { return impl_->state().usage(); }

std::uint64_t MockProvider::request_count() const { return impl_->state().request_count(); }

std::uint64_t MockProvider::connections_accepted() const {
    return impl_->state().connections_accepted();
}

std::size_t MockProvider::open_connections() const { return impl_->state().open_connections(); }

bool MockProvider::wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const {
    return impl_->state().wait_for_requests(count, timeout);
}

bool MockProvider::wait_for_open_connections(std::size_t count,
                                             std::chrono::nanoseconds timeout) const {
    return impl_->state().wait_for_open_connections(count, timeout);
}

void MockProvider::set_fault(const std::string& model, MockFault fault, std::uint64_t times) {
    impl_->state().set_fault(model, std::move(fault), times);
}

void MockProvider::respond_with(const std::string& model, unsigned status, HeaderList headers,
                                std::string body) {
    set_fault(model, MockFault::canned(status, std::move(headers), std::move(body)));
}

void MockProvider::clear_faults() { impl_->state().clear_faults(); }

void MockProvider::reset() { impl_->state().reset(); }

void MockProvider::close_connections() { impl_->close_connections(); }

}  // namespace rotary::mock
