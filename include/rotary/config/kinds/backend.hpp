#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

// The value is sent verbatim: APK adds no "Bearer " and neither does Rotary.
struct ApiKeySecurity {
    using In = KeyIn;
    In in = In::header;
    std::string name;
    KeyReference value;
};

struct BasicSecurity {
    KeyReference username;
    KeyReference password;
};

using BackendSecurity = std::variant<std::monostate, ApiKeySecurity, BasicSecurity>;

struct BackendTimeout {
    std::chrono::seconds response{15};  // upstreamResponseTimeout
    std::chrono::seconds idle{300};     // downstreamRequestIdleTimeout
};

struct BackendRetry {
    unsigned count = 1;
    std::chrono::milliseconds base_interval{25};
    std::vector<unsigned> status_codes;  // empty: 504
};

struct CircuitBreaker {
    unsigned max_connections = 1024;
    unsigned max_pending = 1024;
    unsigned max_requests = 1024;
    unsigned max_retries = 3;
    std::optional<unsigned> max_connection_pools;
};

struct HealthCheck {
    std::chrono::seconds timeout{1};
    std::chrono::seconds interval{30};
    unsigned unhealthy_threshold = 2;
    unsigned healthy_threshold = 2;
};

enum class Protocol { http, https, ws, wss };

struct Backend {
    Metadata metadata;
    std::string host;  // a name or an address without brackets
    std::uint16_t port = 0;
    std::string base_path;  // as written; may be empty, may end with '/'
    Protocol protocol = Protocol::http;
    PemSource ca;  // only for https; empty: the system's
    BackendSecurity security;
    std::optional<BackendTimeout> timeout;
    std::optional<BackendRetry> retry;
    std::optional<CircuitBreaker> circuit_breaker;
    std::optional<HealthCheck> health_check;
    Mark host_mark;
    Mark port_mark;
    Mark protocol_mark;
    Mark tls_mark;  // line 0 without tls
    Mark security_mark;
};

}  // namespace rotary::config
