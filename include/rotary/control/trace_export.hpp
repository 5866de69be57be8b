#pragma once

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/base/span_queue.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/net/resolver.hpp>

namespace rotary::control {

// Sends what the workers' queue holds to a collector, a batch at a time, by OTLP over HTTP with
// JSON. What a collector does not take is dropped and counted: the next batch is not kept waiting.
// Lives on the control thread's io_context; single-threaded.
class TraceExport {
public:
    struct Counts {
        std::uint64_t sent = 0;      // spans
        std::uint64_t rejected = 0;  // that the collector did not want
        std::uint64_t failed = 0;    // that could not be sent
    };

    TraceExport(boost::asio::io_context& context, net::Resolver& resolver, SpanQueue& queue,
                Logger& log);
    ~TraceExport();  // stops
    TraceExport(const TraceExport&) = delete;
    TraceExport& operator=(const TraceExport&) = delete;

    // From here on; without an endpoint nothing is sent. A batch under way goes where it was going.
    void configure(const config::Config& config);
    // Sends what is left, for timeouts.shutdown at most and until a batch fails; then `done`.
    void finish(std::function<void()> done);
    void stop();
    const Counts& counts() const noexcept;
    void sample(metrics::Exposition& out) const;  // rotary_trace_spans_total

private:
    struct State;
    std::unique_ptr<State> state_;
};

// How many spans an answer of the collector's says it rejected (ExportTraceServiceResponse's
// partialSuccess); 0 for what is none.
std::uint64_t rejected_spans(std::string_view answer);

// The request's body around spans that stand ready: one resource, one scope.
std::string export_request(const config::Tracing& tracing, std::string_view spans);

}  // namespace rotary::control
