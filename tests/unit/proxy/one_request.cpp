#include "unit/proxy/one_request.hpp"

#include "proxy/admit.hpp"
#include "proxy/scan.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace rotary::proxy {

namespace {

constexpr std::size_t kHeadBytes = 65536;

std::string read_all(std::FILE* file) {
    std::string all;
    std::array<char, 4096> piece;
    for (;;) {
        const auto size =
            ::pread(fileno(file), piece.data(), piece.size(), static_cast<off_t>(all.size()));
        if (size <= 0) return all;
        all.append(piece.data(), static_cast<std::size_t>(size));
    }
}

std::shared_ptr<rotation::Cursor> even_cursor(std::size_t size) {
    return std::make_shared<rotation::Cursor>(std::vector<std::uint32_t>(size, 1));
}

std::shared_ptr<routing::Snapshot> snapshot_of(const std::vector<std::string>& backends) {
    auto snapshot = std::make_shared<routing::Snapshot>();
    routing::Route& route = snapshot->routes.emplace_back();
    route.api = "chat";
    route.name = "live";
    route.auth.disabled = true;
    route.retry_reserve = std::make_shared<rotation::RetryReserve>();
    for (const std::string& name : backends) {
        routing::Backend& backend = snapshot->backends.emplace_back();
        backend.name = name;
        backend.host = backend.host_header = name + ".example.net";
        backend.port = 80;
        backend.credential = route.backends.size();
        backend.state = std::make_shared<rotation::BackendState>();
        route.backends.push_back(route.backends.size());
    }
    if (!backends.empty()) route.backend_cursor = even_cursor(backends.size());
    snapshot->by_credential.resize(backends.size());
    snapshot->config.routing.suspension_jitter_percent = 0;
    return snapshot;
}

}  // namespace

std::string with_crlf(std::string_view text) {
    std::string all;
    for (const char c : text) {
        if (c == '\n') all.push_back('\r');
        all.push_back(c);
    }
    return all;
}

std::string without_cr(std::string_view text) {
    std::string all(text);
    all.erase(std::remove(all.begin(), all.end(), '\r'), all.end());
    return all;
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

OneRequest::OneRequest(const std::vector<std::string>& backends, net::Reactor::Clock clock)
    : reactor(clock),
      log_file(std::tmpfile(), &std::fclose),
      log(LogLevel::debug, LogFormat::json, fileno(log_file.get())),
      access_writer(LogWriterOptions{fileno(log_file.get())}),
      access_log(&access_writer, AccessLogFormat::json, 65536),
      snapshot(snapshot_of(backends)),
      context{reactor,   buffers, scratch, clients,
              providers, tokens,  shard,   {&request_metrics, &access_log},
              log,       {},      {},      {},
              {},        {},      1,       {}} {
    scratch.head.resize(kHeadBytes);
    registry.attach(&shard);
    snapshot->counters = &counters;
    config::PathMatch everything;
    snapshot->table.add("llm.example.com", {routing::PathPattern("/chat/1.0", everything), "", 0});
}

OneRequest::~OneRequest() {
    registry.detach(&shard);
    exchange.end();
}

void OneRequest::rotate(const std::vector<std::string>& entries,
                        const config::ValueLocation& model) {
    routing::Placed placed = routing::model_place(model);
    EXPECT_EQ(placed.error, "");
    std::vector<routing::Entry> made;
    std::vector<std::shared_ptr<rotation::EntryState>> states;
    for (const std::string& id : entries) {
        const std::string name = id.substr(id.find('@') + 1);
        routing::Entry entry;
        entry.id = id;
        entry.model = id.substr(0, id.find('@'));
        entry.texts = routing::model_texts(placed.place, entry.model);
        while (snapshot->backends.at(entry.backend).name != name) ++entry.backend;
        const std::size_t credential = backend(entry.backend).credential;
        snapshot->by_credential.at(credential).push_back({0, made.size()});
        states.push_back(std::make_shared<rotation::EntryState>());
        made.push_back(std::move(entry));
    }
    auto cursor = even_cursor(made.size());
    snapshot->lists.push_back({"rr",
                               "chat",
                               routing::Environment::production,
                               std::move(made),
                               rotation::Rotation(std::move(cursor), std::move(states),
                                                  routing::entry_limits(snapshot->config)),
                               {},
                               std::move(placed.place),
                               route().retry_reserve});
    route().policy = "rr";
    route().list = 0;
}

void OneRequest::ask(const std::string& line, const std::string& headers, const std::string& body) {
    if (!context.wiring) {
        snapshot->table.finish();
        context.wiring = wire_up(snapshot, registry);
    }
    text = line + " HTTP/1.1\r\nhost: llm.example.com\r\n" + with_crlf(headers);
    if (!body.empty()) text += "content-length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    const std::size_t head_bytes = text.size();
    text += body;
    const std::string_view head(text.data(), head_bytes);
    const auto parsed = wire::parse_request_head(head, {}, context.scratch.request);
    if (!parsed) throw std::runtime_error("the test's request is none: " + text);
    exchange.request = {};
    exchange.request.started = reactor.exact_now();
    exchange.request.started_wall = std::chrono::system_clock::now();
    exchange.request.adopt(context.scratch.request);
    exchange.begin(context);
    exchange.request.body = std::string_view(text).substr(head_bytes);
    exchange.match.rule =
        snapshot->table.find(exchange.request.host, exchange.request.path, exchange.request.method)
            .rule;
    if (exchange.match.rule != nullptr)
        exchange.match.route = &snapshot->routes[exchange.match.rule->route];
}

void OneRequest::admit_and_scan(const std::string& line, const std::string& headers,
                                const std::string& body) {
    ask(line, headers, body);
    const auto admitted = admit(context, exchange);
    ASSERT_TRUE(admitted.has_value()) << line << ": " << admitted.error().detail;
    if (exchange.list() == nullptr) return;
    const auto scanned = scan_body(exchange);
    ASSERT_TRUE(scanned.has_value()) << line << ": " << scanned.error().detail;
}

void OneRequest::choose(std::size_t index) {
    std::size_t chosen = index;
    if (exchange.list() != nullptr) {
        exchange.tries.choice.entry = index;
        chosen = exchange.entry()->backend;
    }
    exchange.tries.choice.backend = chosen;
    ++exchange.tries.attempts;
}

std::string OneRequest::logged() {
    access_log.flush();
    EXPECT_TRUE(access_writer.flush(std::chrono::seconds(10)));
    EXPECT_TRUE(log.flush(std::chrono::seconds(10)));
    return read_all(log_file.get());
}

}  // namespace rotary::proxy
