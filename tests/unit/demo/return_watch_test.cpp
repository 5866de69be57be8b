#include "demo/return_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rotary::demo {
namespace {

using namespace std::chrono_literals;
using Verdict = ReturnWatch::Verdict;

constexpr ReturnWatch::Time kStart{100s};

std::optional<ModelState> suspended(std::int64_t seconds_left) {
    return ModelState{"production", "m", "one", "suspended", "rate_limited", seconds_left};
}

std::optional<ModelState> active() { return ModelState{"production", "m", "one", "active", "", 0}; }

struct Look {
    std::chrono::milliseconds at;
    std::optional<ModelState> model;
    Verdict verdict;
};

TEST(DemoReturnWatch, WaitsAsLongAsWasPromisedAndSomeGrace) {
    struct Row {
        const char* name;
        std::vector<Look> looks;
    };
    const Row rows[] = {
        {"back already", {{0ms, active(), Verdict::back}}},
        {"back in time",
         {{0ms, suspended(2), Verdict::wait},
          {1900ms, suspended(1), Verdict::wait},
          {2000ms, active(), Verdict::back}}},
        {"within the grace",
         {{0ms, suspended(2), Verdict::wait},
          {5000ms, suspended(0), Verdict::wait},
          {5001ms, suspended(0), Verdict::late}}},
        {"back when it is late all the same",
         {{0ms, suspended(2), Verdict::wait}, {9000ms, active(), Verdict::back}}},
        {"a promise that is put off counts no more",
         {{0ms, suspended(2), Verdict::wait},
          {4000ms, suspended(60), Verdict::wait},
          {5001ms, suspended(59), Verdict::late}}},
        {"gone", {{0ms, suspended(2), Verdict::wait}, {100ms, std::nullopt, Verdict::missing}}},
        {"never there", {{0ms, std::nullopt, Verdict::missing}}},
    };
    for (const Row& row : rows) {
        ReturnWatch watch(3000ms);
        for (const Look& look : row.looks) {
            EXPECT_EQ(watch.look(look.model, kStart + look.at), look.verdict)
                << row.name << " at " << look.at.count() << " ms";
        }
    }
}

}  // namespace
}  // namespace rotary::demo
