// What a streamed answer costs for each piece: following its events, and letting only whole ones
// pass. A piece holds so many events of a chat.
#include "proxy/event_gate.hpp"

#include <rotary/wire/sse_scanner.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace {

using namespace rotary;

std::string events(std::int64_t count) {
    std::string made;
    for (std::int64_t i = 0; i < count; ++i) {
        made +=
            R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,)"
            R"("delta":{"content":"a word of an answer that comes in pieces"},)"
            R"("finish_reason":null}],"usage":null})"
            "\n\n";
    }
    return made;
}

void scan(benchmark::State& state) {
    const std::string piece = events(state.range(0));
    wire::SseScanner scanner;
    for (auto _ : state) {
        scanner.begin();
        scanner.feed(piece);
        if (scanner.events() == 0) state.SkipWithError("no event");
    }
    state.SetItemsProcessed(state.range(0) * state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(piece.size()) * state.iterations());
}

// Cut in the middle of its last event, whose rest comes with the next piece.
void gate(benchmark::State& state) {
    const std::string whole = events(state.range(0));
    const std::string_view first = std::string_view(whole).substr(0, whole.size() - 40);
    const std::string_view rest = std::string_view(whole).substr(whole.size() - 40);
    BufferPool buffers{BufferPool::Limits{}};
    wire::SseScanner scanner;
    proxy::EventGate gate(scanner, buffers);
    wire::Pieces pieces;
    for (auto _ : state) {
        scanner.begin();
        for (const std::string_view piece : {first, rest}) {
            pieces.clear();
            pieces.add(piece);
            gate.pass(pieces, false);
            benchmark::DoNotOptimize(pieces.payload_bytes());
            gate.sent();
        }
        if (!gate.at_boundary()) state.SkipWithError("an event was let through in parts");
    }
    state.SetItemsProcessed(state.range(0) * state.iterations());
}

BENCHMARK(scan)->Arg(1)->Arg(10)->Arg(100);
BENCHMARK(gate)->Arg(1)->Arg(10)->Arg(100);

}  // namespace
