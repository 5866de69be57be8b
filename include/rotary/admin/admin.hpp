#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rotary/admin/consumers.hpp>
#include <rotary/admin/event_feed.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/config/settings/settings.hpp>

namespace rotary::admin {

struct Health {
    bool ok = true;
    std::string reason;  // the answer's first line when it is not ok
    std::vector<std::pair<std::string, std::string>> checks;  // name, state; shown by ?verbose
};

struct ReloadOutcome {
    bool ok = true;
    std::string findings;  // what the check said, for people; empty when it said nothing
};

// What the admin listener shows and changes, supplied by the owner of the process. Called on the
// control thread, one at a time. A hook that throws costs its caller a 500 and nothing else.
struct AdminHooks {
    std::function<std::string(metrics::Format format)> metrics;
    std::function<Health()> live;
    std::function<Health()> ready;
    std::function<std::string()> status_json;
    std::function<std::string()> models_json;
    std::function<std::string(std::size_t callers)> limits_json;  // of each limit that they have
    std::function<std::string(const ConsumersAsked& asked)> consumers_json;
    std::function<std::string()> config_text;  // secrets already taken out
    std::function<ReloadOutcome()> reload;
    // What a reload would say of this rotary.yaml, or of the files on disk where it is empty;
    // nothing changes.
    std::function<ReloadOutcome(std::string_view rotary_yaml)> validate;
    std::function<void()> drain;  // once more is nothing
    std::function<LogLevel()> log_level;
    std::function<void(LogLevel level)> set_log_level;
    // The last requests as JSON, told on the control thread, later or never.
    std::function<void(std::size_t most, std::function<void(std::string json)> tell)> requests;
    EventFeed* events = nullptr;  // outlives the listener
    // False: there is no entry of that id.
    std::function<bool(std::string_view id, std::chrono::seconds duration)> suspend;
    std::function<bool(std::string_view id)> resume;
};

struct AdminOptions {
    std::string address = config::Admin{}.address;  // IP literal
    std::uint16_t port = config::Admin{}.port;      // 0: the kernel chooses
    // One more ends the one that has waited the longest.
    std::size_t connections = config::Limits{}.admin_connections;
    std::size_t head_bytes = 8192;                               // 431 above
    std::size_t body_bytes = config::Limits{}.admin_body_bytes;  // 413 above
    // For a whole request, idling before it, its answer.
    std::chrono::milliseconds timeout = config::Timeouts{}.admin;
    // What all but health and metrics ask for; empty: no other peer than one on this machine
    // passes.
    std::string token{};
    std::chrono::seconds suspend_default{60};
    std::chrono::seconds suspend_max{3600};
};

// The admin listener: plain HTTP/1.1 for operators, probes and scrapers, off the request path.
// Lives on the control thread's io_context and is single-threaded. What it answers is in
// admin_routes; here are sockets, limits and time-outs only.
class Admin {
public:
    // Binds and starts accepting. Throws std::system_error naming address and port.
    Admin(boost::asio::io_context& context, const AdminOptions& options, AdminHooks hooks,
          Logger& log);
    ~Admin();  // stops
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    // Takes connections, body_bytes, timeout and token over, for what comes from here on.
    void set_limits(const AdminOptions& options);
    std::uint16_t port() const noexcept;  // the real one when 0 was asked for
    std::size_t connections() const noexcept;
    // Closes the listener and every connection. No hook is called any more.
    void stop() noexcept;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rotary::admin
