#pragma once

#include "proxy/exchange.hpp"

#include <rotary/net/resolver.hpp>
#include <rotary/proxy/access_log.hpp>
#include <rotary/proxy/context.hpp>
#include <rotary/proxy/request_metrics.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The steps of a request, each by itself: what the worker and the steps before would have set is
// set by the test, and nothing goes over a network.
namespace rotary::proxy {

// Tests write heads with bare line feeds.
std::string with_crlf(std::string_view text);
std::string without_cr(std::string_view text);

// How often `part` stands in `text`.
std::size_t count_of(std::string_view text, std::string_view part);

// A worker of its own, a configuration with one rule, and one request for it. The rule serves
// /chat/1.0 of llm.example.com without authentication; a test changes what it is about, in the
// snapshot that it may write, and asks then.
struct OneRequest {
    // Backends that weigh 1 each.
    explicit OneRequest(const std::vector<std::string>& backends = {"a"},
                        net::Reactor::Clock clock = std::chrono::steady_clock::now);
    ~OneRequest();
    OneRequest(const OneRequest&) = delete;
    OneRequest& operator=(const OneRequest&) = delete;

    // Gives the rule a list, of entries "model@backend" that weigh 1.
    void rotate(const std::vector<std::string>& entries,
                const config::ValueLocation& model = {
                    config::ValueLocation::In::body, "model", {}});
    routing::Backend& backend(std::size_t index = 0) { return snapshot->backends[index]; }
    routing::Route& route() { return snapshot->routes.front(); }
    rotation::EntryState& state(std::size_t entry) {
        return snapshot->lists.front().rotation.state(entry);
    }

    // Begins the exchange: "POST /chat/1.0/x?y", and header lines. A body gets its length. May be
    // called again, as a session does.
    void ask(const std::string& line, const std::string& headers = "",
             const std::string& body = "");
    // The same, with steps 3 and 4 behind it, which must succeed.
    void admit_and_scan(const std::string& line, const std::string& headers = "",
                        const std::string& body = "");
    // The first entry or Backend becomes the exchange's, as by step 5.
    void choose(std::size_t index = 0);

    std::string logged();  // of the event log so far

    BufferPool buffers{BufferPool::Limits{}};
    net::Reactor reactor;
    net::Resolver resolver;
    net::Dialer dialer{reactor, buffers, resolver, {}};
    upstream::UpstreamPool pool{reactor, {}};
    net::SessionSet sessions{reactor};
    wire::Scratch scratch;
    downstream::Services clients{reactor, buffers, sessions, scratch};
    upstream::Services providers{reactor, buffers, scratch, dialer, pool};
    auth::TokenCache tokens{{}};
    metrics::Registry registry;
    metrics::Shard shard;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_file;
    Logger log;
    LogWriter access_writer;
    AccessLog access_log;
    RequestMetrics request_metrics{shard};
    quota::CounterTable counters;
    std::shared_ptr<routing::Snapshot> snapshot;
    Context context;
    std::string text;  // of the request
    Exchange exchange;
};

}  // namespace rotary::proxy
