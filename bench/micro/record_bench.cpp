// What a request's end costs: its line in the access log, and its counts.
#include <rotary/base/metrics.hpp>
#include <rotary/proxy/access_log.hpp>

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace rotary;
using namespace std::chrono_literals;

proxy::AccessLine chat() {
    proxy::AccessLine line;
    line.start = std::chrono::system_clock::now();
    line.method = "POST";
    line.path = "/chat/1.0/chat/completions";
    line.host = "llm.example.com";
    line.client_address = "192.0.2.7";
    line.subject = "a-caller";
    line.status = 200;
    line.duration = 812'345us;
    line.first_byte = 811'000us;
    line.overhead = 93us;
    line.bytes_received = 2311;
    line.bytes_sent = 950;
    line.user_agent = "OpenAI/Python 1.51.0";
    line.request_id = "01939b1e-5f3a-7c21-9a6e-0d1c2b3a4f5e";
    line.upstream_host = "api.openai.com";
    line.upstream_request_id = "req_0123456789abcdef";
    line.api = "chat";
    line.policy = "chat-models";
    line.environment = "production";
    line.backend = "openai";
    line.provider = "openai";
    line.original_model = "any";
    line.request_model = "gpt-4o-mini";
    line.attempts = 1;
    return line;
}

void line(benchmark::State& state, proxy::AccessLogFormat format) {
    const int fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    {
        LogWriter writer({.fd = fd});
        proxy::AccessLog log(&writer, format, 1U << 20);
        const proxy::AccessLine one = chat();
        for (auto _ : state) log.write(one);
    }
    ::close(fd);
}

void count(benchmark::State& state) {
    constexpr std::array kBounds{0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};
    metrics::Registry registry;
    const metrics::SeriesId requests = registry.status_counter("requests_total", "Requests.");
    const metrics::HistogramId took = registry.histogram("took_seconds", "Took.", {}, kBounds);
    metrics::Shard shard;
    registry.attach(&shard);
    shard.ensure(registry.cells());
    for (auto _ : state) {
        shard.add_status(requests, 200);
        shard.observe(took, 812ms);
    }
    registry.detach(&shard);
}

// The page that Prometheus reads, with so many series that have counted.
void scrape(benchmark::State& state) {
    metrics::Registry registry;
    metrics::Shard shard;
    registry.attach(&shard);
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        const std::string name = "api-" + std::to_string(i);
        shard.add(registry.counter("requests_total", "Requests.", {{"api", name}}));
    }
    for (auto _ : state) benchmark::DoNotOptimize(registry.scrape().size());
    registry.detach(&shard);
}

BENCHMARK_CAPTURE(line, json, proxy::AccessLogFormat::json);
BENCHMARK_CAPTURE(line, text, proxy::AccessLogFormat::text);
BENCHMARK(count);
BENCHMARK(scrape)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
