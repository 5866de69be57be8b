#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::cli {
class Command;
}

// The stand-in LLM provider: it speaks OpenAI's API, well and badly. The command `rotary
// mock`, the demo, the tests and the benchmarks use it.
namespace rotary::mock {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// `requests` answers in each window; a window opens with the first request after the last one
// ended.
struct MockQuota {
    std::string model;
    std::uint64_t requests = 0;
    std::chrono::nanoseconds window{};
};

// This share of the chat requests is answered with `status`, spread evenly and never by chance:
// of any run of 1/fraction requests exactly one fails.
struct MockFailRate {
    unsigned status = 500;
    double fraction = 0;
};

struct MockTls {
    std::string certificate;  // PEM file, the whole chain
    std::string key;          // PEM file
};

struct MockOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                     // 0: any free one
    std::vector<std::string> models;            // empty: every model is served
    std::chrono::nanoseconds latency{};         // before the head of an answer with status 200
    std::chrono::nanoseconds chunk_interval{};  // between two events of a stream
    unsigned tokens = 16;                       // words in an answer, one a chunk in a stream
    std::vector<MockQuota> quotas;
    std::vector<MockFailRate> fail_rates;
    std::string require_key;      // the exact value of Authorization; empty: every client may come
    std::optional<MockTls> tls;   // none: plain TCP
    std::string suffix;           // answers name the model with this behind it
    bool retry_after = true;      // on the 429 of a quota
    bool retry_after_ms = false;  // idem
    bool ratelimit_headers =
        false;  // x-ratelimit-* on answers with status 200 too, not only on 429
    std::size_t body_limit = std::size_t{64} << 20;
    std::size_t kept_requests = 1000;         // 0: nothing is recorded
    std::size_t kept_usage = 0;               // answers whose usage is kept one by one
    std::size_t requests_per_connection = 0;  // then it closes without a word; 0: never
};

// One thing going wrong with one answer.
struct MockFault {
    enum class Kind {
        none,
        reset,        // RST after `bytes` bytes of the answer
        stall,        // silence after `bytes` bytes, until the peer goes
        close_after,  // `bytes` bytes of the answer (head and framing counted), then a proper end
                      // of the connection: close_notify under TLS, FIN
        truncate,     // as close_after, but FIN without close_notify
        garbage,      // bytes that are no HTTP, then the end
        slow_head,    // the head comes `delay` later
        status,       // an error answer with `status` in OpenAI's shape
        canned,       // `status`, `headers`, `text` as the body
        raw,          // `text` as it is in place of an answer, then the end
    };
    Kind kind = Kind::none;
    std::uint64_t bytes = 0;
    std::chrono::nanoseconds delay{};
    unsigned status = 500;
    HeaderList headers;
    std::string text;

    static MockFault reset(std::uint64_t after = 0) { return of(Kind::reset, after); }
    static MockFault stall(std::uint64_t after = 0) { return of(Kind::stall, after); }
    static MockFault close_after(std::uint64_t after) { return of(Kind::close_after, after); }
    static MockFault truncate(std::uint64_t after) { return of(Kind::truncate, after); }
    static MockFault garbage() { return of(Kind::garbage, 0); }
    static MockFault slow_head(std::chrono::nanoseconds delay);
    static MockFault answer_status(unsigned status);
    static MockFault canned(unsigned status, HeaderList headers, std::string body);
    static MockFault raw(std::string bytes);

    // The text of the request header x-mock-fault: reset, reset=N, stall, stall=N, close-after=N,
    // truncate=N, garbage, slow-head=DURATION, status=N.
    static std::optional<MockFault> parse(std::string_view text);

private:
    static MockFault of(Kind kind, std::uint64_t bytes);
};

// A request as it came, its body complete (chunked framing taken off).
struct Captured {
    std::string method;
    std::string target;
    HeaderList headers;  // in their order, names as they were written
    std::string body;
    std::uint64_t connection = 0;  // 1 for the first accepted one
    std::chrono::steady_clock::time_point received_at;
    std::chrono::system_clock::time_point received_on;

    // The value of the first header of this name, whatever its case; empty if there is none.
    std::string_view header(std::string_view name) const;
    bool has_header(std::string_view name) const;
};

// What one answer to a chat request used.
struct MockUsage {
    std::uint64_t answer = 0;  // the number in its x-request-id
    std::string model;
    std::uint64_t input = 0;
    std::uint64_t output = 0;
    bool was_told = false;  // it stands in the answer
    bool was_sent = false;  // the answer, to its end
};

// Listens and answers on a thread of its own. Every member may be called from any thread.
class MockProvider {
public:
    explicit MockProvider(MockOptions options);
    ~MockProvider();
    MockProvider(const MockProvider&) = delete;
    MockProvider& operator=(const MockProvider&) = delete;

    // Binds, listens and returns; throws boost::system::system_error if it can't. Once only.
    void start();
    // Closes every connection and waits for the thread. What was captured stays readable.
    void stop();

    std::uint16_t port() const;
    std::string url() const;  // http://127.0.0.1:8081

    // Of the last `kept_requests` requests those since the last reset, oldest first.
    std::vector<Captured> requests() const;
    std::uint64_t request_count() const;
    // Of the first `kept_usage` answers since the last reset.
    std::vector<MockUsage> usage() const;
    std::uint64_t connections_accepted() const;
    std::size_t open_connections() const;
    // False when the time is over first. Requests are counted since the last reset.
    bool wait_for_requests(std::uint64_t count, std::chrono::nanoseconds timeout) const;
    bool wait_for_open_connections(std::size_t count, std::chrono::nanoseconds timeout) const;

    static constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();
    // The next `times` requests for `model` ("*": for any, and requests without a model) meet this
    // fault. One for the very model goes before "*"; the request's own x-mock-fault before both.
    // The newest fault of a model replaces the one before.
    void set_fault(const std::string& model, MockFault fault, std::uint64_t times = kAlways);
    void respond_with(const std::string& model, unsigned status, HeaderList headers,
                      std::string body);
    void clear_faults();

    // Forgets the captured requests, and begins the quotas and failure rates anew. Faults stay.
    void reset();
    // Closes every open connection now, as an impatient provider does with idle ones.
    void close_connections();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// "50ms", "1.5s", "2m", "250us", "1h"; a unit is a must except for 0.
std::optional<std::chrono::nanoseconds> parse_mock_duration(std::string_view text);
// "gpt-4o=3/10s"
std::optional<MockQuota> parse_mock_quota(std::string_view text);
// "503=0.1"
std::optional<MockFailRate> parse_mock_fail_rate(std::string_view text);

// Adds `rotary mock`, which runs until SIGINT or SIGTERM.
void add_mock_command(cli::Command& root);

}  // namespace rotary::mock
