#pragma once

#include <support/certificates.hpp>
#include <support/gateway.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A provider that goes wrong at the very place it is told to.
namespace rotary::test {

// How far a connection or an answer has come when the fault happens.
enum class ProviderPhase {
    accept,              // the connection stands; nothing of it was read
    tls_handshake,       // ClientHello has come
    request,             // the request's head was read, its body was not
    before_head,         // the request was read
    in_head,             // half of the answer's head has gone
    after_head,          // all of it, and nothing of the body
    before_first_event,  // a comment has gone
    in_first_event,      // half of the first event
    mid_body,            // `offset` bytes of the body
    after_done,          // all of the body, but not the terminating chunk
};

enum class ProviderFault {
    none,
    fin,             // a proper end of the connection: close_notify under TLS, FIN
    rst,             // RST
    stall,           // silence until the peer goes
    garbage,         // bytes that are no TLS, no HTTP or no chunk; then silence
    tls_truncation,  // FIN without close_notify
    slow_head,       // the head comes byte by byte, one each 40 ms
};

const char* to_string(ProviderPhase phase);
const char* to_string(ProviderFault fault);

struct ProviderAnswer {
    unsigned status = 200;
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  // more of them
    std::string body;
    bool chunked = false;         // else Content-Length
    bool at_once = false;         // head and body in one write, when nothing goes wrong
    std::size_t chunk_bytes = 0;  // 0: a chunk for each event, or the whole body
    std::size_t repetitions = 1;  // how often the body comes; 0: for ever. Chunked only
    std::size_t announced = 0;    // Content-Length, when it is not the body's
    bool is_stream() const { return type.starts_with("text/event-stream"); }
};

// A chat completion of about this size, or more.
ProviderAnswer json_answer(std::size_t bytes = 500, bool chunked = false);
// This text as text/event-stream, a chunk for each event.
ProviderAnswer stream_answer(std::string events);
// A recorded answer: role, content beyond ASCII, finish reason, usage, [DONE]. 1.6 KB.
const std::string& recorded_stream();
// The events of a stream, each with its empty line; what is left over comes last.
std::vector<std::string> events_of(std::string_view stream);

struct ProviderPlan {
    ProviderFault fault = ProviderFault::none;
    ProviderPhase phase = ProviderPhase::accept;
    std::size_t offset = 0;     // mid_body
    bool whole_chunks = false;  // the chunk that is cut short says so in its size
    // None: the recorded stream for a request that asks for one, else a JSON answer.
    std::optional<ProviderAnswer> answer;
};

struct ProviderRequest {
    std::uint64_t connection = 0;  // the first one is 1
    std::string head;              // with its empty line
    std::string body;              // what was read of it
    std::chrono::steady_clock::time_point received_at;
    std::string header(std::string_view name) const;  // "": there is none
    bool wants_stream() const;
};

// Listens on loopback, with a thread for each connection; no wait of its own goes by the clock but
// slow_head's. Every member may be called from any thread.
class FaultyProvider {
public:
    using Clock = std::chrono::steady_clock;
    // Says what happens to a request whose head has come.
    using Planner = std::function<ProviderPlan(const ProviderRequest&)>;

    struct Options {
        bool listens = true;            // false: a port that is taken, where connecting is refused
        const PemFiles* tls = nullptr;  // null: plain TCP
        int send_buffer = 0;            // SO_SNDBUF of its sockets; 0: the system's
        int receive_buffer = 0;         // SO_RCVBUF, likewise
    };

    FaultyProvider() : FaultyProvider(Options{}) {}
    explicit FaultyProvider(const Options& options);
    ~FaultyProvider();  // closes all connections
    FaultyProvider(const FaultyProvider&) = delete;
    FaultyProvider& operator=(const FaultyProvider&) = delete;

    GatewayBackend backend(const std::string& key = "Bearer key") const;
    std::uint16_t port() const;

    void set_plan(const ProviderPlan& plan);  // for connections and requests from now on
    void set_planner(Planner planner);        // for requests; goes before the plan

    std::vector<ProviderRequest> requests() const;
    std::size_t request_count() const;
    std::size_t connection_count() const;  // accepted so far
    std::size_t open_count() const;        // and not yet seen to be closed by the peer
    std::size_t fault_count() const;       // how often a plan came to its fault
    std::uint64_t bytes_sent() const;      // of answers, with their framing, taken by the sockets
    // When the peer closed that connection, once it has.
    std::optional<Clock::time_point> closed_at(std::uint64_t connection) const;

    // False when the time is over first.
    bool wait_for_requests(std::size_t count, std::chrono::milliseconds timeout) const;
    bool wait_for_faults(std::size_t count, std::chrono::milliseconds timeout) const;
    bool wait_for_closed(std::uint64_t connection, std::chrono::milliseconds timeout) const;
    bool wait_until_none_is_open(std::chrono::milliseconds timeout) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::test
