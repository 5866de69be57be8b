// A turn of the rotation, by the length of the list and by how many of its entries are out.
#include <rotary/rotation/rotation.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using namespace rotary;
using namespace rotary::rotation;

struct List {
    List(std::size_t size, std::size_t out, SteadyTime now) {
        std::vector<std::uint32_t> weights;
        std::vector<std::shared_ptr<EntryState>> states;
        for (std::size_t i = 0; i < size; ++i) {
            weights.push_back(static_cast<std::uint32_t>(1 + i % 5));
            states.push_back(std::make_shared<EntryState>());
            if (i >= size - out) states.back()->set_down(now + std::chrono::hours(24));
        }
        rotation.emplace(std::make_shared<Cursor>(weights), states, EntryState::Limits{});
    }
    std::optional<Rotation> rotation;
};

void pick(benchmark::State& state) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const List list(static_cast<std::size_t>(state.range(0)),
                    static_cast<std::size_t>(state.range(1)), now);
    const Tried none;
    for (auto _ : state) {
        const auto picked = list.rotation->pick(now, none);
        if (!picked) state.SkipWithError("no entry");
        benchmark::DoNotOptimize(picked);
    }
}

void second_try(benchmark::State& state) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const List list(static_cast<std::size_t>(state.range(0)), 0, now);
    Tried first;
    first.add(0);
    for (auto _ : state) {
        const auto picked = list.rotation->pick(now, first);
        if (!picked) state.SkipWithError("no entry");
        benchmark::DoNotOptimize(picked);
    }
}

BENCHMARK(pick)->Args({3, 0})->Args({3, 1})->Args({64, 0})->Args({1000, 0})->Args({1000, 500});
BENCHMARK(second_try)->Arg(3)->Arg(64)->Arg(1000);

}  // namespace
