// The body scanner beside RapidJSON (behind JsonDocument), in bytes a second, on chat bodies whose
// model is the last member.
#include <rotary/llm/json_scanner.hpp>
#include <rotary/wire/json_document.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace {

enum class Prose { plain, escaped, chinese };

std::string chat_body(std::size_t size, Prose prose) {
    std::string piece = "The quick brown fox jumps over the lazy dog while it rains. ";
    if (prose == Prose::escaped) piece += "It said \\\"no\\\".\\n";
    if (prose == Prose::chinese) piece = "\xe4\xb8\xad\xe6\x96\x87\xe6\x96\x87\xe6\x9c\xac";
    std::string body = R"({"messages":[{"role":"system","content":"You are a helpful assistant."})";
    while (body.size() + 100 < size) {
        body += R"(,{"role":"user","content":")";
        const std::size_t end = std::min(size - 80, body.size() + 4000);
        while (body.size() < end) body += piece;
        body += "\"}";
    }
    return body + R"(],"temperature":0.7,"max_tokens":512,"stream":true,"model":"gpt-4o"})";
}

void scan(benchmark::State& state, Prose prose) {
    const std::string body = chat_body(static_cast<std::size_t>(state.range(0)), prose);
    const std::array<std::string, 1> path{"model"};
    for (auto _ : state) {
        auto found = rotary::llm::scan_body(body, path, 64);
        if (!found || !found->model.found) state.SkipWithError("not found");
        benchmark::DoNotOptimize(found);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

// RapidJSON's SAX reader, iterative and validating, into the flat tree of the rest of the program.
void document(benchmark::State& state, Prose prose) {
    const std::string body = chat_body(static_cast<std::size_t>(state.range(0)), prose);
    for (auto _ : state) {
        auto parsed = rotary::wire::JsonDocument::parse(body, {.depth = 64, .bytes = 4U << 20});
        if (!parsed) state.SkipWithError("refused");
        benchmark::DoNotOptimize(parsed);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}

BENCHMARK_CAPTURE(scan, plain, Prose::plain)->Arg(1024)->Arg(32 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(scan, escaped, Prose::escaped)->Arg(1024)->Arg(32 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(scan, chinese, Prose::chinese)->Arg(1024)->Arg(32 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(document, plain, Prose::plain)->Arg(1024)->Arg(32 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(document, escaped, Prose::escaped)->Arg(32 << 10);
BENCHMARK_CAPTURE(document, chinese, Prose::chinese)->Arg(32 << 10);

}  // namespace
