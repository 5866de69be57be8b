// A verified token found again: the hash of its 900 bytes, the look-up and the comparison, with as
// many others in the cache and asked for in turn.
#include <rotary/auth/token_cache.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace rotary;

std::shared_ptr<const auth::Claims> claims(WallTime now) {
    auth::ClaimViews views;
    views.issuer = "https://issuer.test";
    views.subject = "a caller";
    views.valid_until = now + std::chrono::hours(1);
    return std::make_shared<const auth::Claims>(views);
}

std::vector<std::string> tokens(std::size_t count) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < count; ++i) {
        std::string token = "eyJhbGciOiJSUzI1NiJ9." + std::to_string(i) + ".";
        token.resize(900, static_cast<char>('A' + i % 26));
        made.push_back(std::move(token));
    }
    return made;
}

void find(benchmark::State& state) {
    const WallTime now = std::chrono::system_clock::now();
    const auto all = tokens(static_cast<std::size_t>(state.range(0)));
    auth::TokenCache cache({.entries = all.size(), .bytes = 1U << 30, .token_bytes = 8192});
    for (const std::string& token : all) cache.put(token, claims(now), now, 1);
    std::size_t next = 0;
    for (auto _ : state) {
        const auth::Claims* found = cache.find(all[next], now, 1);
        if (found == nullptr) state.SkipWithError("not found");
        benchmark::DoNotOptimize(found);
        next = next + 1 == all.size() ? 0 : next + 1;
    }
}

// A cache that is full: each new token takes the place of another.
void put(benchmark::State& state) {
    const WallTime now = std::chrono::system_clock::now();
    const auto all = tokens(20'000);
    auth::TokenCache cache({.entries = 10'000, .bytes = 1U << 30, .token_bytes = 8192});
    const auto one = claims(now);
    std::size_t next = 0;
    for (auto _ : state) {
        cache.put(all[next], one, now, 1);
        next = next + 1 == all.size() ? 0 : next + 1;
    }
}

BENCHMARK(find)->Arg(1)->Arg(1000)->Arg(100'000);
BENCHMARK(put);

}  // namespace
