#include <rotary/control/trace_export.hpp>

#include <rotary/base/line_pace.hpp>
#include <rotary/base/text.hpp>
#include <rotary/wire/json_document.hpp>
#include <rotary/wire/json_writer.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "control/https_get.hpp"

namespace rotary::control {

namespace {

void write_attribute(wire::JsonWriter& json, std::string_view name, std::string_view value) {
    json.begin_object().string("key", name);
    json.begin_object("value").string("stringValue", value).end_object().end_object();
}

}  // namespace

std::string export_request(const config::Tracing& tracing, std::string_view spans) {
    std::string body;
    constexpr std::size_t kAround = 1024;
    body.reserve(spans.size() + kAround);
    wire::JsonWriter json(body);
    json.begin_object().begin_array("resourceSpans").begin_object();
    json.begin_object("resource").begin_array("attributes");
    write_attribute(json, "service.name", tracing.service_name);
    for (const auto& [name, value] : tracing.attributes) write_attribute(json, name, value);
    json.end_array().end_object();
    json.begin_array("scopeSpans").begin_object();
    json.begin_object("scope").string("name", "rotary").end_object();
    json.begin_array("spans").raw(spans).end_array();
    json.end_object().end_array().end_object().end_array().end_object();
    return body;
}

std::uint64_t rejected_spans(std::string_view answer) {
    const auto document = wire::JsonDocument::parse(answer);
    if (!document) return 0;
    const auto partial = document->root().find("partialSuccess");
    const auto rejected = partial ? partial->find("rejectedSpans") : std::nullopt;
    if (!rejected) return 0;
    // A 64-bit number is a string in the mapping; a plain one is taken too.
    const auto text = rejected->string();
    return text::parse_unsigned(text ? *text : rejected->number_text()).value_or(0);
}

struct TraceExport::State {
    State(boost::asio::io_context& context, net::Resolver& resolver, SpanQueue& from, Logger& to)
        : queue(from), log(to), timer(context), client(context, resolver) {}

    // Now, if there is something, and again after the interval.
    void look() {
        if (stopped) return;
        send();
        timer.expires_after(interval);
        timer.async_wait([this](const boost::system::error_code& error) {
            if (!error) look();
        });
    }

    void send() {
        if (client.running() || !url) return;
        const SpanQueue::Batch batch = queue.take(batch_bytes);
        if (batch.spans == 0) return;
        HttpsGetRequest request;
        request.url = *url;
        request.tls = tls;
        request.deadline = deadline;
        request.posted = export_request(tracing, batch.text);
        for (const config::TracingHeader& header : tracing.headers) {
            request.headers.emplace_back(header.name, header.value.reveal());
        }
        const std::uint64_t spans = batch.spans;
        client.start(request, [this, spans](HttpsGetResult result) { ended(spans, result); });
    }

    void ended(std::uint64_t spans, const HttpsGetResult& result) {
        if (result.error.empty()) {
            const std::uint64_t rejected = std::min(rejected_spans(result.body), spans);
            counts.sent += spans - rejected;
            counts.rejected += rejected;
        } else {
            counts.failed += spans;
            std::uint64_t unsaid = 0;
            if (lines.due(std::chrono::steady_clock::now(), unsaid)) {
                log.warn("spans could not be sent", {{"endpoint", tracing.endpoint},
                                                     {"error", result.error},
                                                     {"spans", spans},
                                                     {"others_since_last_line", unsaid}});
            }
        }
        // What has gathered meanwhile goes at once; after a failure it waits its time.
        if (result.error.empty() && !stopped) send();
        if (done && !client.running()) end();
    }

    void finish(std::function<void()> then) {
        done = std::move(then);
        timer.cancel();
        send();
        if (!client.running()) {
            end();
            return;
        }
        timer.expires_after(patience);
        timer.async_wait([this](const boost::system::error_code& error) {
            if (!error) end();
        });
    }

    void end() {
        stopped = true;
        client.cancel();
        timer.cancel();
        if (const auto call = std::exchange(done, nullptr)) call();
    }

    SpanQueue& queue;
    Logger& log;
    boost::asio::steady_timer timer;
    HttpsGet client;
    config::Tracing tracing;
    std::optional<HttpUrl> url;
    std::shared_ptr<const net::TlsContext> tls;
    std::string ca_pem;  // that it trusts
    std::chrono::milliseconds interval{};
    std::chrono::milliseconds deadline{};
    std::chrono::milliseconds patience{};  // of a drain
    std::function<void()> done;            // of a drain that is under way
    std::size_t batch_bytes = 0;
    Counts counts;
    LinePace lines;
    bool stopped = true;
};

TraceExport::TraceExport(boost::asio::io_context& context, net::Resolver& resolver,
                         SpanQueue& queue, Logger& log)
    : state_(std::make_unique<State>(context, resolver, queue, log)) {}

TraceExport::~TraceExport() { stop(); }

void TraceExport::configure(const config::Config& config) {
    State& state = *state_;
    state.tracing = config.tracing;
    state.interval = config.timeouts.trace_interval;
    state.deadline = config.timeouts.trace_export;
    state.patience = config.timeouts.shutdown;
    state.batch_bytes = config.limits.trace_batch_bytes;
    state.queue.set_max_bytes(config.limits.trace_queue_bytes);
    state.url.reset();
    if (config.tracing.endpoint.empty()) {
        state.stopped = true;
        state.timer.cancel();
        return;
    }
    state.url = parse_http_url(config.tracing.endpoint, true);
    if (!state.url) {
        state.log.error("tracing.endpoint can't be used", {{"endpoint", config.tracing.endpoint}});
    } else if (state.url->tls && (!state.tls || state.ca_pem != config.tracing.ca_pem)) {
        try {
            // Without one there is no TLS, so nothing is sent to a collector that is not verified.
            state.tls = nullptr;
            state.tls = net::TlsContext::client({config.tracing.ca_pem});
            state.ca_pem = config.tracing.ca_pem;
        } catch (const std::exception& error) {
            state.log.error("no TLS for tracing.endpoint", {{"error", error.what()}});
        }
    }
    state.stopped = false;
    state.look();
}

void TraceExport::finish(std::function<void()> done) { state_->finish(std::move(done)); }

void TraceExport::stop() {
    state_->stopped = true;
    state_->timer.cancel();
    state_->client.cancel();
}

const TraceExport::Counts& TraceExport::counts() const noexcept { return state_->counts; }

void TraceExport::sample(metrics::Exposition& out) const {
    const Counts& counts = state_->counts;
    const auto count = [&](std::string_view outcome, std::uint64_t spans) {
        out.counter("rotary_trace_spans_total", "Spans, by what became of them.",
                    {{"outcome", outcome}}, static_cast<double>(spans));
    };
    count("sent", counts.sent);
    count("rejected", counts.rejected);
    count("failed", counts.failed);
    count("dropped", state_->queue.dropped());
}

}  // namespace rotary::control
