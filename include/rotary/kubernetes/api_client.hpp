#pragma once

#include <boost/asio/io_context.hpp>

#include <rotary/kubernetes/cluster_access.hpp>
#include <rotary/net/resolver.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// A request to the API server. `target` is an absolute path with its query, escaped.
struct ApiRequest {
    std::string method = "GET";
    std::string target;
    std::string content_type{};  // of the body; application/merge-patch+json for a PATCH
    std::string body{};
    std::chrono::milliseconds deadline{30'000};       // from the name's look-up to the last byte
    std::size_t body_bytes = std::size_t{64} << 20U;  // of an answer; one that is larger fails
    std::function<void()> on_open{};                  // of a WATCH: called when a 200 begins
    // Of a WATCH: called with each line of a 200 as it comes, without its line feed. May end the
    // call. Other answers have a body, as ever.
    std::function<void(std::string_view line)> on_line{};
    std::size_t line_bytes = std::size_t{4} << 20U;
    // One of many, one behind the other: takes the connection that the last of them left, and
    // leaves it. It may reach the server twice, where that closes an idle connection just then.
    bool is_of_burst = false;
};

// What became of it.
struct ApiAnswer {
    std::string error{};  // why no whole answer came, for people; empty: it did
    unsigned status = 0;  // of the answer as far as it came; 0: none
    std::string body{};
    std::chrono::milliseconds retry_after{0};  // what its header asks for

    bool ok() const noexcept { return error.empty() && status >= 200 && status < 300; }
};

class ApiCall;

struct KeptConnection;

// Requests to one API server, HTTP/1.1 over verified TLS, a connection each: the source makes few,
// and its watches last for minutes. Those that say so share one, which is closed once it has been
// idle for a while. The server's certificate is checked against the cluster's
// authority, no redirect is followed, no compression is offered. Control thread only.
class ApiClient {
public:
    using Done = std::function<void(ApiAnswer answer)>;

    static constexpr std::chrono::milliseconds kIdle{5000};  // that the shared one may be

    // The resolver and the access outlive it.
    ApiClient(boost::asio::io_context& context, net::Resolver& resolver, ClusterAccess& access,
              std::chrono::milliseconds idle = kIdle);
    ~ApiClient();
    ApiClient(const ApiClient&) = delete;
    ApiClient& operator=(const ApiClient&) = delete;

    // A request under way, which ends with its handle: `done` is not called any more then.
    class Handle {
    public:
        Handle() = default;
        explicit Handle(std::shared_ptr<ApiCall> call) : call_(std::move(call)) {}
        Handle(Handle&& other) noexcept = default;
        Handle& operator=(Handle&& other) noexcept;
        ~Handle() { drop(); }
        void drop() noexcept;

    private:
        std::shared_ptr<ApiCall> call_;
    };

    // `done` is called once, later, at the deadline at the latest; it may drop the handle and make
    // other requests. On a 401 the token is read again and the request sent once more.
    [[nodiscard]] Handle request(ApiRequest request, Done done);

    const ClusterAccess& access() const noexcept { return access_; }
    boost::asio::io_context& context() const noexcept { return context_; }

private:
    boost::asio::io_context& context_;
    net::Resolver& resolver_;
    ClusterAccess& access_;
    std::shared_ptr<KeptConnection> kept_;
};

}  // namespace rotary::kubernetes
