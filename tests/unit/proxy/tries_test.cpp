// What is kept of a request's tries.
#include "proxy/tries.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "proxy/exchange.hpp"
#include "unit/proxy/one_request.hpp"

namespace rotary::proxy {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1h};

Choice of_entry(std::size_t entry) { return {0, entry, entry + 100, false}; }

rotation::Verdict refused() {
    rotation::Verdict verdict;
    verdict.effect = rotation::Effect::suspend_entry;
    verdict.try_next = true;
    return verdict;
}

// "0 1 2" of so many tries, which were begun at entries 0, 1, 2.
std::string kept_of(std::size_t tries) {
    Trail trail;
    for (std::size_t i = 0; i < tries; ++i) trail.open(of_entry(i), kStart);
    std::string text;
    for (const TryRecord& record : trail.records()) {
        text.append(text.empty() ? "" : " ").append(std::to_string(record.entry));
    }
    if (trail.missed() > 0) text.append(", missed ").append(std::to_string(trail.missed()));
    return text;
}

TEST(Trail, KeepsTheFirstTriesAndTheLast) {
    EXPECT_EQ(kept_of(0), "");
    EXPECT_EQ(kept_of(1), "0");
    EXPECT_EQ(kept_of(2), "0 1");
    EXPECT_EQ(kept_of(12), "0 1 2 3 4 5 6 7 8 9 10 11");
    EXPECT_EQ(kept_of(13), "0 1 2 3 4 5 6 7 8 9 10 12, missed 1");
    EXPECT_EQ(kept_of(64), "0 1 2 3 4 5 6 7 8 9 10 63, missed 52");
}

TEST(Trail, TellsWhatATryMet) {
    Trail trail;
    trail.open(of_entry(2), kStart).head = kStart + 5ms;
    trail.judge(429, FaultKind::none, refused(), kStart + 6ms);
    trail.last().failed_over = true;
    trail.open({Choice::kNone, Choice::kNone, 7, true}, kStart + 6ms);
    rotation::Verdict failed;
    failed.effect = rotation::Effect::count_failure;
    failed.failure = rotation::Failure::timeout;
    trail.judge(0, FaultKind::upstream_timeout, failed, kStart + 9ms);

    ASSERT_EQ(trail.records().size(), 2U);
    const TryRecord& first = trail.records()[0];
    EXPECT_EQ(first.entry, 2U);
    EXPECT_EQ(first.backend, 102U);
    EXPECT_EQ(first.started, kStart);
    EXPECT_EQ(first.head, kStart + 5ms);
    EXPECT_EQ(first.ended, kStart + 6ms);
    EXPECT_EQ(first.status, 429);
    EXPECT_EQ(first.fault, FaultKind::none);
    EXPECT_EQ(first.effect, rotation::Effect::suspend_entry);
    EXPECT_TRUE(first.failed_over);
    const TryRecord& second = trail.records()[1];
    EXPECT_EQ(second.entry, TryRecord::kNone);
    EXPECT_EQ(second.backend, 7U);
    EXPECT_EQ(second.head, SteadyTime{}) << "nothing of the try whose place it has";
    EXPECT_EQ(second.status, 0);
    EXPECT_EQ(second.fault, FaultKind::upstream_timeout);
    EXPECT_EQ(second.failure, rotation::Failure::timeout);
    EXPECT_EQ(second.effect, rotation::Effect::count_failure);
    EXPECT_TRUE(second.is_probe);
    EXPECT_FALSE(second.failed_over);
}

TEST(Trail, TheLastTryEndsWithItsAnswer) {
    Trail trail;
    trail.open(of_entry(0), kStart);
    trail.judge(200, FaultKind::none, {}, kStart + 8ms);
    trail.end({}, kStart + 7ms);
    EXPECT_EQ(trail.last().ended, kStart + 8ms) << "the turn had begun before";
    trail.end(Fault::upstream(FaultKind::upstream_stream_interrupted), kStart + 900ms);
    EXPECT_EQ(trail.last().ended, kStart + 900ms);
    EXPECT_EQ(trail.last().status, 200);
    EXPECT_EQ(trail.last().fault, FaultKind::upstream_stream_interrupted);
}

TEST(Trail, IsTheRequestsOwn) {
    OneRequest request;
    request.ask("GET /chat/1.0/x");
    request.exchange.trail.open(of_entry(0), kStart);
    request.ask("GET /chat/1.0/x");
    EXPECT_TRUE(request.exchange.trail.records().empty());
}

}  // namespace
}  // namespace rotary::proxy
