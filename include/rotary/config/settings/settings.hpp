#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rotary/base/log_level.hpp>
#include <rotary/config/kinds/secret.hpp>
#include <rotary/config/settings/callers.hpp>
#include <rotary/config/settings/kubernetes.hpp>
#include <rotary/config/settings/limits.hpp>
#include <rotary/config/settings/proxies.hpp>
#include <rotary/config/settings/state.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// The process configuration, rotary.yaml, with every default in place. Plain values: built once by
// load(), read-only from then on, shared freely between threads.

// Paths are ready to be opened: relative ones were joined with the folder of their file.
struct TlsFiles {
    std::string certificate;
    std::string key;
    Mark certificate_mark;
    Mark key_mark;
};

// Without tls a listener is refused unless plaintext is set.
struct Listener {
    std::string address = "0.0.0.0";
    std::uint16_t port = 9095;  // 0: the kernel chooses
    std::optional<TlsFiles> tls;
    bool plaintext = false;
    Mark mark;
    Mark port_mark;
    Mark plaintext_mark;
};

struct Admin {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9901;  // 0: the kernel chooses
    std::string token_file;     // ready to be opened; empty: no token is asked for
    Mark address_mark;
    Mark token_file_mark;
};

enum class OnAllSuspended { reject, passthrough };
// How a provider's hint changes the duration that the policy says (routing.retry_after).
enum class HintUse : std::uint8_t { extend, prefer, ignore };
enum class WithoutRotation { allow, refuse };

struct Routing {
    unsigned max_attempts = 3;  // tries for one request, each at another entry
    OnAllSuspended on_all_suspended = OnAllSuspended::reject;
    HintUse retry_after = HintUse::extend;
    bool expose_route = true;  // x-rotary-model, -backend and -attempts on answers
    // Tries beyond the first, of the requests of late; never less in a retry_budget_window than
    // failures_to_suspend for each entry of the list.
    unsigned retry_budget_percent = 20;
    unsigned failures_to_suspend = kFailuresToSuspend;  // failures in a row that suspend an entry
    unsigned suspension_jitter_percent = 10;  // added at random to suspensions that Rotary makes up
    std::chrono::seconds stream_ping_seconds{0};  // silence that a `: ping` breaks; 0: never
    WithoutRotation without_rotation = WithoutRotation::allow;  // of an API that has no models
    std::vector<std::string> forward_headers;  // globs of client headers that go on too
    std::vector<std::string> withheld_query{
        // parameters of clients that never go on
        "token", "access_token", "api_key", "apikey", "key", "jwt", "sig"};
};

// Whether streams are asked to tell what they used: where something depends on it, all of them, or
// none.
enum class StreamUsage : std::uint8_t { automatic, ask, observe };

// How tokens are counted, and estimated where no provider tells.
struct UsageSettings {
    StreamUsage streams = StreamUsage::automatic;
    unsigned bytes_per_token = 3;      // of text, for what a limit takes before the answer
    unsigned tokens_per_image = 1000;  // for each part of a message that is no text
    bool charges_failed = false;       // consumers pay for tries that brought no answer too
};

enum class AccessLogFormat : std::uint8_t { json, text, off };

struct Log {
    LogLevel level = LogLevel::info;
    AccessLogFormat access = AccessLogFormat::json;
    std::string access_file;  // ready to be opened; empty: standard output
    Mark access_file_mark;
    bool tries = false;  // a line a try, whatever the level
};

// A header line for the collector of traces.
struct TracingHeader {
    std::string name;
    Secret value;
    bool operator==(const TracingHeader& other) const {
        return name == other.name && value.reveal() == other.value.reveal();
    }
};

// Where spans of requests and their tries go, by OTLP over HTTP. The OTEL_* variables of the
// environment stand for what the file does not say.
struct Tracing {
    std::string endpoint;                // the URL that spans are sent to; empty: off
    std::vector<TracingHeader> headers;  // those of headers_file too, once it is read
    std::string headers_file;            // ready to be opened, as the next one
    std::string ca;                      // who may vouch for the collector; empty: the system's
    std::string ca_pem;                  // what that file holds
    Mark headers_file_mark;
    Mark ca_mark;
    std::string service_name = "rotary";
    std::vector<std::pair<std::string, std::string>> attributes;  // of the resource
    double sample_ratio = 1.0;                                    // of the traces that begin here
    Mark mark;
};

// What was used and spent, and where it is kept.
struct Budgets {
    std::string currency = "USD";   // of all prices: three capital letters
    std::string ledger;             // a file, ready to be opened; empty: it is not kept
    bool refuses_unpriced = false;  // where a budget applies, models without a price
};

// A file or folder, ready to be opened.
struct ResourcePath {
    std::string path;
    Mark mark;
};

// What becomes of keys that a reload takes away.
struct Keys {
    bool revoke_streams = false;  // their streams end with them, at the next event
};

struct Config {
    Mark mark;
    unsigned workers = 0;  // 0: the number of CPUs that this process may use
    bool watch = true;     // reload when the files change, not only when asked to
    std::vector<Listener> listeners;
    Proxies proxies;
    Admin admin;
    std::vector<ResourcePath> resources;
    KubernetesSettings kubernetes;     // where resources come from instead
    std::vector<ResourcePath> prices;  // files; later ones go before earlier ones
    Budgets budgets;
    State state;
    std::vector<std::string> resolvers;  // ADDRESS or ADDRESS:PORT; empty: the system's
    Routing routing;
    Auth auth;
    Quotas quotas;
    UsageSettings usage;
    Keys keys;
    std::vector<std::string> accept_unserved;  // kinds and fields whose want is a warning only
    Limits limits;
    Timeouts timeouts;
    Tracing tracing;
    Log log;
};

}  // namespace rotary::config
