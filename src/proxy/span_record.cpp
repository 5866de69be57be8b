#include "proxy/exchange.hpp"

#include <rotary/proxy/span_record.hpp>
#include <rotary/wire/json_writer.hpp>
#include <rotary/wire/problem.hpp>

#include <array>
#include <charconv>
#include <string>
#include <string_view>

// The names are those of OpenTelemetry's semantic conventions 1.41, for HTTP and for generative AI.
namespace rotary::proxy {

namespace {

constexpr std::size_t kLongest = 1024;  // of a value that the client or the provider chose

enum class SpanKind : std::uint8_t { server = 2, client = 3 };

// What GenAI calls the operation of a request, by the end of its path. The list is closed: a span's
// name must not be the client's to choose.
std::string_view operation_of(std::string_view path) noexcept {
    struct Row {
        std::string_view end;
        std::string_view operation;
    };
    constexpr std::array<Row, 8> kRows{{{"/chat/completions", "chat"},
                                        {"/completions", "text_completion"},
                                        {"/responses", "chat"},
                                        {"/messages", "chat"},
                                        {"/embeddings", "embeddings"},
                                        {":generateContent", "generate_content"},
                                        {":streamGenerateContent", "generate_content"},
                                        {"/images/generations", "image_generation"}}};
    for (const Row& row : kRows) {
        if (path.ends_with(row.end)) return row.operation;
    }
    return "request";
}

// One span. Numbers of 64 bits are strings, as the proto's mapping to JSON has them.
class SpanWriter {
public:
    explicit SpanWriter(std::string& out) noexcept : json_(out) { json_.begin_object(); }

    void ids(const Trace& trace, std::uint64_t span, std::uint64_t parent) {
        TraceIdText trace_text;
        SpanIdText span_text;
        json_.string("traceId", to_hex(trace.id, trace_text));
        json_.string("spanId", to_hex(span, span_text));
        if (parent != 0) json_.string("parentSpanId", to_hex(parent, span_text));
        constexpr unsigned kSampled = 1;
        json_.number("flags", kSampled);
    }
    // `first` and `second`, with a space between.
    void name(SpanKind kind, std::string_view first, std::string_view second) {
        constexpr std::size_t kName = 256;
        std::array<char, kName> text;
        std::size_t size = first.substr(0, kName / 2).copy(text.data(), kName / 2);
        if (!second.empty()) {
            text[size++] = ' ';
            size += second.copy(text.data() + size, text.size() - size);
        }
        json_.string("name", {text.data(), size}).number("kind", static_cast<unsigned>(kind));
    }
    void times(WallTime start, WallTime end) {
        time("startTimeUnixNano", start);
        time("endTimeUnixNano", std::max(start, end));
        json_.begin_array("attributes");
    }
    void text(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        begin(name).string("stringValue", value.substr(0, kLongest));
        end_attribute();
    }
    void number(std::string_view name, std::uint64_t value) {
        std::array<char, 20> digits;
        begin(name).string("intValue", decimal(value, digits));
        end_attribute();
    }
    void flag(std::string_view name, bool value) {
        begin(name).boolean("boolValue", value);
        end_attribute();
    }
    void real(std::string_view name, double value) {
        begin(name).real("doubleValue", value);
        end_attribute();
    }
    // Ends the span. `error` empty: it did well.
    void end(std::string_view error) {
        json_.end_array();
        if (!error.empty()) {
            constexpr unsigned kError = 2;
            json_.begin_object("status").number("code", kError).string("message", error);
            json_.end_object();
        }
        json_.end_object();
    }

private:
    static std::string_view decimal(std::uint64_t value, std::array<char, 20>& digits) noexcept {
        const auto made = std::to_chars(digits.data(), digits.data() + digits.size(), value);
        return {digits.data(), static_cast<std::size_t>(made.ptr - digits.data())};
    }
    void time(std::string_view name, WallTime at) {
        const std::chrono::nanoseconds since = at.time_since_epoch();
        std::array<char, 20> digits;
        const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0));
        json_.string(name, decimal(count, digits));
    }
    wire::JsonWriter& begin(std::string_view name) {
        return json_.begin_object().string("key", name).begin_object("value");
    }
    void end_attribute() { json_.end_object().end_object(); }

    wire::JsonWriter json_;
};

std::string_view code_of(FaultKind fault) noexcept {
    return fault == FaultKind::none ? std::string_view{} : wire::problem_of(fault).code;
}

// What went wrong, by error.type's rules: a fault's code, else the status; empty: nothing did.
std::string_view error_of(FaultKind fault, unsigned status, unsigned first_error,
                          std::array<char, 3>& digits) noexcept {
    if (const std::string_view code = code_of(fault); !code.empty()) return code;
    if (status < first_error || status > 999) return {};
    std::to_chars(digits.data(), digits.data() + digits.size(), status);
    return {digits.data(), digits.size()};
}

void write_usage(SpanWriter& span, const llm::Usage& usage) {
    if (usage.source == llm::UsageSource::none) return;
    span.number("gen_ai.usage.input_tokens", usage.input);
    span.number("gen_ai.usage.output_tokens", usage.output);
    const std::uint64_t written = usage.cache_write + usage.cache_write_long;
    if (usage.cached_read != 0) {
        span.number("gen_ai.usage.cache_read.input_tokens", usage.cached_read);
    }
    if (written != 0) span.number("gen_ai.usage.cache_creation.input_tokens", written);
    if (usage.reasoning != 0) span.number("gen_ai.usage.reasoning.output_tokens", usage.reasoning);
}

// What is known of an answer, for the request and for the try that brought it.
void write_answer(SpanWriter& span, const Exchange& exchange) {
    const Outcome& outcome = exchange.outcome;
    span.text("gen_ai.response.model", exchange.response_model());
    if (outcome.overhead && outcome.first_byte != SteadyTime{}) {
        const std::chrono::duration<double> first = outcome.first_byte - exchange.request.started;
        span.real("gen_ai.response.time_to_first_chunk", first.count());
    }
    write_usage(span, outcome.usage);
}

void write_gen_ai(SpanWriter& span, const Exchange& exchange, std::string_view model) {
    span.text("gen_ai.operation.name", operation_of(exchange.request.path));
    if (exchange.match.route != nullptr) {
        span.text("gen_ai.provider.name", exchange.match.route->provider);
    }
    span.text("gen_ai.request.model", model);
    if (exchange.content.wants_stream) span.flag("gen_ai.request.stream", true);
}

// A client's 4xx is no error of the server's (HTTP spans, "Status").
void write_request(std::string& out, const Exchange& exchange, SteadyTime now) {
    constexpr unsigned kFirstError = 500;
    const auto& request = exchange.request;
    const auto& route = exchange.match.route;
    const std::string_view model =
        exchange.entry() == nullptr ? std::string_view{} : exchange.entry()->model;
    SpanWriter span(out);
    span.ids(exchange.trace, exchange.trace.span, exchange.trace.parent);
    const bool is_known = request.method == "GET" || request.method == "POST" ||
                          request.method == "HEAD" || request.method == "DELETE";
    span.name(SpanKind::server, is_known ? request.method : "HTTP",
              route == nullptr ? std::string_view{} : std::string_view(route->api));
    span.times(request.started_wall, request.started_wall + (now - request.started));
    span.text("http.request.method", request.method);
    span.text("url.path", request.path);
    span.text("url.scheme", request.is_tls ? "https" : "http");
    span.text("server.address", request.host);
    span.text("client.address", request.client_address);
    span.text("user_agent.original", request.user_agent);
    if (exchange.outcome.status != 0) {
        span.number("http.response.status_code", exchange.outcome.status);
    }
    write_gen_ai(span, exchange, model);
    span.text("gen_ai.original.model", exchange.content.client_model);
    write_answer(span, exchange);
    span.text("rotary.request_id", exchange.request_id());
    if (route != nullptr) {
        span.text("rotary.api", route->api);
        span.text("rotary.policy", route->policy);
        span.text("rotary.env", routing::to_string(route->environment));
    }
    span.number("rotary.attempts", exchange.tries.attempts);
    if (exchange.trail.missed() > 0) span.number("rotary.tries_left_out", exchange.trail.missed());
    std::array<char, 3> digits;
    const FaultKind fault = exchange.outcome.fault.kind;
    const std::string_view error = error_of(fault, exchange.outcome.status, kFirstError, digits);
    span.text("error.type", error);
    const bool is_clients = exchange.outcome.status < kFirstError && exchange.outcome.status >= 400;
    span.end(is_clients ? std::string_view{} : error);
}

std::string_view effect_name(rotation::Effect effect) noexcept {
    switch (effect) {
        case rotation::Effect::none:
            return {};
        case rotation::Effect::suspend_entry:
            return "suspend_entry";
        case rotation::Effect::suspend_credential:
            return "suspend_credential";
        case rotation::Effect::count_failure:
            return "count_failure";
        case rotation::Effect::put_out_entry:
            return "put_out_entry";
        case rotation::Effect::put_out_credential:
            return "put_out_credential";
    }
    return {};
}

struct TryPlace {
    unsigned attempt;
    bool is_last;
};

void write_try(std::string& out, const Exchange& exchange, const TryRecord& record,
               const TryPlace& place) {
    constexpr unsigned kFirstError = 400;
    const routing::Snapshot& snapshot = exchange.snapshot();
    const routing::Backend& backend = snapshot.backends[record.backend];
    std::string_view model = exchange.content.client_model;
    if (record.entry != TryRecord::kNone) {
        model = snapshot.lists[exchange.tries.choice.list].entries[record.entry].model;
    }
    const auto at = [&](SteadyTime time) {
        return exchange.request.started_wall + (time - exchange.request.started);
    };
    SpanWriter span(out);
    span.ids(exchange.trace, exchange.trace.span_of_try(place.attempt), exchange.trace.span);
    const std::string_view shown = record.entry == TryRecord::kNone ? std::string_view{} : model;
    span.name(SpanKind::client, operation_of(exchange.request.path), shown);
    span.times(at(record.started), at(record.ended));
    write_gen_ai(span, exchange, model);
    span.text("http.request.method", exchange.request.method);
    span.text("server.address", backend.host);
    span.number("server.port", backend.port);
    if (record.status != 0) span.number("http.response.status_code", record.status);
    if (place.is_last) write_answer(span, exchange);
    span.text("rotary.backend", backend.name);
    span.number("rotary.attempt", place.attempt);
    span.text("rotary.effect", effect_name(record.effect));
    if (record.is_probe) span.flag("rotary.probe", true);
    if (record.failed_over) span.flag("rotary.failed_over", true);
    span.flag("rotary.reused_connection", record.reused_connection);
    std::array<char, 3> digits;
    const std::string_view error = error_of(record.fault, record.status, kFirstError, digits);
    span.text("error.type", error);
    span.end(error);
}

}  // namespace

void SpanRecord::record(const Exchange& exchange, SteadyTime now) {
    if (!exchange.trace.is_sampled) return;
    std::string& out = batch_.text;
    const auto begin = [&] {
        if (batch_.spans++ > 0) out.push_back(',');
    };
    begin();
    write_request(out, exchange, now);
    const auto records = exchange.trail.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        const bool is_last = i + 1 == records.size();
        const std::size_t left_out = is_last ? exchange.trail.missed() : 0;
        begin();
        write_try(out, exchange, records[i], {static_cast<unsigned>(i + 1 + left_out), is_last});
    }
    if (out.size() >= most_bytes_) flush();
}

}  // namespace rotary::proxy
