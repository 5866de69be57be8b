#include <rotary/routing/snapshot.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

// What one request costs in wire/: its head found, parsed and filtered, its answer followed.
namespace {

using namespace rotary::wire;

// The head that OpenAI's Python SDK sends with a token of usual size: 18 lines, 1.26 KB.
std::string sdk_head() {
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: api.example.com:9095\r\n"
           "Authorization: Bearer " +
           std::string(640, 'e') +
           "\r\n"
           "User-Agent: OpenAI/Python 1.51.0\r\nAccept: application/json\r\n"
           "Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n"
           "Content-Type: application/json\r\nContent-Length: 1024\r\n"
           "X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 1.51.0\r\n"
           "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
           "X-Stainless-Runtime-Version: 3.11.2\r\nX-Stainless-Async: false\r\n"
           "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
           "idempotency-key: stainless-python-retry-0000-0000\r\n"
           "x-stainless-retry-count: 0\r\n\r\n";
}

void count_bytes(benchmark::State& state, std::size_t size) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void find_head_end(benchmark::State& state) {
    const std::string bytes = sdk_head();
    for (auto _ : state) {
        HeadEnd end;
        benchmark::DoNotOptimize(bytes.data());
        benchmark::DoNotOptimize(end.find(bytes));
    }
    count_bytes(state, bytes.size());
}

void parse_request(benchmark::State& state) {
    const std::string bytes = sdk_head();
    static RequestHead head;
    for (auto _ : state) {
        benchmark::DoNotOptimize(bytes.data());
        auto result = parse_request_head(bytes, {}, head);
        benchmark::DoNotOptimize(result);
        if (!result) state.SkipWithError("refused");
    }
    count_bytes(state, bytes.size());
}

void filter_headers(benchmark::State& state) {
    const std::string bytes = sdk_head();
    static RequestHead head;
    if (!parse_request_head(bytes, {}, head)) state.SkipWithError("refused");
    rotary::routing::Snapshot snapshot;
    const rotary::routing::Route& route = snapshot.routes.emplace_back();
    settle_passages(snapshot);
    for (auto _ : state) {
        int kept = 0;
        for (const Header& header : head.headers) {
            using rotary::routing::Passage;
            const Passage passage = route.request_passages.of(header.field);
            kept += passage == Passage::goes ||
                    (passage == Passage::asks && snapshot.forwarding.lets_through(header.name));
        }
        benchmark::DoNotOptimize(kept);
    }
}

void follow_events(benchmark::State& state) {
    const std::string event =
        R"(data: {"id":"chatcmpl-abc","object":"chat.completion.chunk","created":1700000000,)"
        R"("model":"gpt-4o","choices":[{"index":0,"delta":{"content":" word"},)"
        R"("finish_reason":null}],"usage":null})"
        "\n\n";
    SseScanner scanner;
    for (auto _ : state) scanner.feed(event);
    count_bytes(state, event.size());
}

}  // namespace

BENCHMARK(find_head_end);
BENCHMARK(parse_request);
BENCHMARK(filter_headers);
BENCHMARK(follow_events);
