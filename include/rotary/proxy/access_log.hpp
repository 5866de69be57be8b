#pragma once

#include <rotary/base/clock.hpp>
#include <rotary/base/log_writer.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/llm/usage.hpp>
#include <rotary/proxy/observer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rotary::proxy {

// What the log says of one exchange. Views need only live during write(). Never a body, a token or
// a key: there is no field that could hold one.
struct AccessLine {
    WallTime start;
    std::string_view method;
    std::string_view path;  // without the query: some clients put keys there
    std::string_view host;
    std::string_view client_address;  // as the request has it
    std::string_view subject;         // of the token that was accepted; empty: there was none
    std::string_view consumer;        // as limits know it; empty: the route is open
    std::string_view key_id;          // of an API key, good or not; empty: there was none
    bool stream = false;              // the request asked for one
    std::uint16_t status = 0;
    std::chrono::nanoseconds duration{0};
    std::chrono::nanoseconds first_byte{0};  // zero: no answer came from a provider
    std::chrono::nanoseconds overhead{0};
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::string_view user_agent;
    std::string_view request_id;         // ours
    std::string_view client_request_id;  // the client's x-request-id
    std::string_view trace_id;           // empty: tracing is off
    std::string_view upstream_host;
    std::string_view upstream_request_id;  // the provider's x-request-id
    std::string_view api;
    std::string_view policy;
    std::string_view environment;
    std::string_view backend;
    std::string_view provider;
    std::string_view original_model;  // as the client wrote it
    std::string_view request_model;   // as sent on
    std::string_view response_model;  // as the answer names it, where that had to be read
    std::string_view error_code;
    std::string_view error_reason;     // more than the client is told
    std::string_view retry_count;      // x-stainless-retry-count: above 0 the client is retrying
    std::optional<std::int64_t> cost;  // in nanodollars
    std::string_view limit;            // the policy that refused it
    unsigned attempts = 0;
    llm::Usage usage;
    bool reused_connection = false;
};

using config::AccessLogFormat;

// One worker's lines, buffered: handed to the process's LogWriter when the buffer is nearly full
// and at each tick of the worker. Single-threaded.
class AccessLog final : public Observer {
public:
    AccessLog(LogWriter* writer, AccessLogFormat format, std::size_t buffer_bytes);

    void record(const Exchange& exchange, SteadyTime now) override;
    void write(const AccessLine& line);
    void flush();
    AccessLogFormat format() const noexcept { return format_; }
    std::size_t flush_bytes() const noexcept { return flush_bytes_; }

private:
    void write_json(const AccessLine& line);
    void write_text(const AccessLine& line);

    LogWriter* writer_;
    AccessLogFormat format_;
    std::size_t flush_bytes_;
    std::string buffer_;
};

}  // namespace rotary::proxy
