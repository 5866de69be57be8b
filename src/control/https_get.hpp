#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rotary/net/resolver.hpp>
#include <rotary/net/tls.hpp>

#include <rotary/control/https_get_url.hpp>

namespace rotary::control {

struct HttpsGetRequest {
    HttpUrl url;
    // What is posted, JSON; none: it is a GET. With header lines besides.
    std::optional<std::string> posted{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::shared_ptr<const net::TlsContext> tls;  // for https
    std::chrono::milliseconds deadline{5'000};   // from the name's look-up to the last byte
    std::size_t body_bytes = 262144;
};

struct HttpsGetResult {
    std::string error;  // empty: 200, and the body is whole
    std::string body;
};

// One GET, or one POST of JSON, at a time on a connection of its own: certificate and host name
// verified, no redirect followed, nothing but 200 taken. A client for the control thread, not for
// the path of requests. Single-threaded.
class HttpsGet {
public:
    using Done = std::function<void(HttpsGetResult result)>;

    HttpsGet(boost::asio::io_context& context, net::Resolver& resolver) noexcept
        : context_(context), resolver_(resolver) {}
    ~HttpsGet() { cancel(); }
    HttpsGet(const HttpsGet&) = delete;
    HttpsGet& operator=(const HttpsGet&) = delete;

    // `done` is called once, later, at the deadline at the latest. One that runs is cancelled.
    void start(const HttpsGetRequest& request, Done done);
    void cancel() noexcept;  // `done` is not called any more
    bool running() const noexcept;

private:
    struct Call;
    void connect(const std::shared_ptr<Call>& call, const net::Addresses& addresses);

    boost::asio::io_context& context_;
    net::Resolver& resolver_;
    std::shared_ptr<Call> call_;
};

}  // namespace rotary::control
