#pragma once

#include <chrono>
#include <cstddef>

namespace rotary::config {

using Duration = std::chrono::milliseconds;

inline constexpr unsigned kFailuresToSuspend = 5;  // in a row: routing.failures_to_suspend
inline constexpr std::size_t kCounters = 100'000;  // of callers: quotas.counters

// Counts and sizes. Every queue, table and buffer of the program is bounded by one of them.
// "A worker" and "a backend" say what the number is counted for; otherwise it is for the process,
// or for one request where it measures a part of one.
struct Limits {
    // What a client may send.
    std::size_t header_bytes = 32768;      // request line and headers together; 431 above
    std::size_t uri_bytes = 8192;          // 414 above
    std::size_t headers = 100;             // fields; 431 above
    std::size_t body_bytes = 10485760;     // 413 above
    std::size_t chunk_header_bytes = 256;  // a chunk's size line with its extensions
    std::size_t json_depth = 64;
    std::size_t token_bytes = 8192;  // a bearer token; 401 above
    std::size_t model_name_bytes = 256;

    // What a provider may send.
    std::size_t upstream_header_bytes = 32768;
    std::size_t upstream_headers = 200;
    std::size_t upstream_body_bytes = 67108864;  // an answer that is not a stream; never held whole
    std::size_t error_body_bytes = 65536;        // how much of an error answer is read to judge it
    std::size_t sse_line_bytes = 65536;          // of one line of a stream, kept to read its usage
    std::size_t interim_responses = 8;           // 1xx heads before the answer

    // Connections and memory.
    std::size_t connections = 10000;              // of clients, over all workers
    std::size_t buffered_bodies_bytes = 0;        // of all requests; 0: a quarter of the memory
    std::size_t turn_bytes = 65536;               // of one connection before the others' turn
    std::size_t turn_microseconds = 250;          // so long at most; a request waits for four
    std::size_t accept_backlog = 1024;            // a listener and worker
    std::size_t upstream_connections = 1024;      // a backend, idle ones too
    std::size_t upstream_idle_connections = 128;  // a backend and worker
    std::size_t upstream_pending = 1024;          // requests waiting for one, a backend
    std::size_t relay_buffer_bytes = 65536;       // held between a provider and a slow client
    std::size_t socket_buffer_bytes = 262144;     // the same in the kernel, for each of the two
    std::size_t pooled_body_bytes = 67108864;     // free body buffers kept for reuse, a worker
    std::size_t pooled_buffers = 1024;            // free read buffers kept for reuse, a worker
    std::size_t token_cache_entries = 10000;      // a worker
    std::size_t token_cache_bytes = 33554432;     // a worker
    std::size_t dns_cache_entries = 1024;
    std::size_t dns_lookups = 256;                  // names being resolved at a time
    std::size_t dns_addresses = 16;                 // tried for one host
    std::size_t access_log_buffer_bytes = 1048576;  // a worker; lines beyond it are dropped
    std::size_t event_log_buffer_bytes = 1048576;   // lines beyond it are dropped
    std::size_t trace_queue_bytes = 8388608;  // spans that wait to be sent; others are dropped
    std::size_t trace_batch_bytes = 524288;   // sent at a time, and gathered by a worker
    // Sums by consumer, API, model and quarter of an hour that wait for the ledger: of a worker,
    // and of all.
    std::size_t ledger_cells = 10000;
    std::size_t rotation_entries = 1000;  // of one list of models

    // Keys of token issuers, and the admin listener.
    std::size_t jwks_bytes = 262144;
    std::size_t jwks_keys = 100;
    std::size_t unknown_kids = 128;  // remembered as unknown, an issuer and worker
    std::size_t admin_connections = 64;
    std::size_t admin_body_bytes = 65536;
    std::size_t admin_requests = 200;    // the last ones, kept to be looked at; a worker
    std::size_t admin_events = 200;      // idem, of what happened
    std::size_t admin_subscribers = 16;  // that hear of events as they happen

    // The configuration itself.
    std::size_t resource_file_bytes = 16777216;     // of one file of resources
    std::size_t kubernetes_object_bytes = 4194304;  // of one object as an API server sends it
    std::size_t model_sets = 1000;                  // different `models` of ConsumerKeys
    std::size_t metric_series = 50000;              // APIs' environments, Backends and entries
};

// Every wait. YAML takes plain numbers (seconds, decimals allowed) or a number with its unit:
// 500ms, 30s, 5m, 1h.
struct Timeouts {
    // A client's connection.
    Duration tls_handshake{10'000};
    Duration head{10'000};               // from its first byte to its end; 408
    Duration body_gap{10'000};           // between two pieces of a body; 408
    Duration body_per_mib{30'000};       // for a whole body, for each MiB begun; 408
    Duration keep_alive{60'000};         // idle between two requests
    Duration connection_age{3'600'000};  // after that the next answer closes the connection
    Duration write_stall{30'000};        // a peer that does not read
    Duration shutdown{2'000};  // the closing of TLS, after which the socket is just closed

    // An attempt at a provider.
    Duration dns{5'000};
    Duration connect{5'000};           // TCP and TLS
    Duration first_byte{300'000};      // from the request's last byte to the answer's first
    Duration error_body{2'000};        // for the body of a refusal, which is read to judge it
    Duration event_gap{120'000};       // between two pieces of an answer
    Duration total{600'000};           // all tries of a request; of a stream, until its first byte
    Duration stale_connection{1'000};  // a reused one that dies sooner had been closed before
    Duration stream_head_patience{15'000};  // from a stream's head to ours, without an event
    Duration upstream_idle{4'000};          // how long an idle upstream connection is kept
    Duration dns_cache{30'000};     // then an address is looked up anew, the old one still used…
    Duration dns_stale{3'600'000};  // …for so long
    Duration dns_negative{1'000};   // a name without an address is not looked up again so soon

    // Suspension.
    Duration probe_verdict{1'000};           // the others wait so long for the first try's verdict
    Duration failure_suspension{5'000};      // twice as long each time in a row
    Duration silence_suspension{30'000};     // the same, where it failed by silence
    Duration credential_suspension{60'000};  // of a refused key, times the times in a row
    Duration failure_suspension_max{300'000};  // of these three
    Duration suspension_max{3'600'000};        // no hint and no policy suspends for longer
    Duration retry_budget_window{10'000};

    // Token issuers.
    Duration jwks_refresh{300'000};
    Duration jwks_fetch{5'000};       // one fetch
    Duration jwks_cooldown{30'000};   // between two fetches for an unknown key
    Duration jwks_wait{1'000};        // the longest that a request waits for one
    Duration jwks_patience{30'000};   // that /readyz has with an issuer without keys
    Duration jwks_stale{86'400'000};  // how long the last good keys outlive an outage
    Duration unknown_kid{300'000};    // how long a key that a fetch did not bring is not looked for
    Duration token_leeway{60'000};    // clocks that differ

    // A connection to the Redis that replicas share.
    Duration redis_connect{200};    // TCP, to each of its addresses
    Duration redis_login{500};      // TLS, the password and the first answer
    Duration redis_silence{2'000};  // after which it is given up
    Duration redis_retry{1'000};    // the most between two tries to connect

    // The process.
    Duration drain{30'000};        // after SIGTERM, for requests under way
    Duration accept_backoff{100};  // after an accept failed for want of descriptors or memory
    Duration accept_grace{200};    // a drain: for TCP handshakes that have begun
    Duration watch_settle{500};    // from the last change of a watched file to its reload
    Duration kubernetes_request{30'000};  // one answer of the API server, but a watch
    Duration kubernetes_watch{480'000};   // the longest watch; each lasts half of it at least
    Duration kubernetes_retry{30'000};    // the longest between two tries at the API server
    Duration kubernetes_settle{100};      // from the last change of an object to its reload
    Duration kubernetes_hold{30'000};     // objects of a kind that is removed go on serving
    Duration log_flush{1'000};            // the longest that a log line waits in a buffer
    Duration trace_interval{1'000};       // between two batches of spans
    Duration trace_export{10'000};        // one of them
    Duration ledger_write{100};           // from an answer's end to its place in the ledger's queue
    Duration admin{10'000};               // one request to the admin listener
};

}  // namespace rotary::config
