// How long entries took of late, from the buckets of their histograms.
#include <rotary/admin/entry_times.hpp>

#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace rotary::admin {

namespace {

using namespace std::chrono_literals;

constexpr std::array kBounds = {0.1, 0.2, 0.4, 1.0};

TEST(Percentiles, AreWhatTheBucketsSay) {
    struct Row {
        const char* name;
        std::vector<std::uint64_t> counts;
        double p50;
        double p95;
    };
    const Row rows[] = {
        {"nothing", {0, 0, 0, 0, 0}, 0, 0},
        {"all in the first", {10, 0, 0, 0, 0}, 50, 95},
        {"all in one", {0, 0, 10, 0, 0}, 300, 390},
        {"half and half", {10, 10, 0, 0, 0}, 100, 190},
        {"a tail", {90, 0, 0, 10, 0}, 100 * 50.0 / 90, 700},
        {"over the last bound", {0, 0, 0, 0, 3}, 1000, 1000},
        {"some over it", {18, 0, 0, 0, 2}, 100 * 10.0 / 18, 1000},
        {"one alone", {0, 1, 0, 0, 0}, 150, 195},
        {"too few counts", {1, 1, 1, 1}, 0, 0},
        {"no counts", {}, 0, 0},
    };
    for (const Row& row : rows) {
        const Percentiles found = percentiles_of(kBounds, row.counts);
        EXPECT_NEAR(found.p50, row.p50, 0.001) << row.name;
        EXPECT_NEAR(found.p95, row.p95, 0.001) << row.name;
    }
    EXPECT_EQ(percentiles_of({}, std::vector<std::uint64_t>{1}).p95, 0);
}

// An API "chat" with one entry, whose tries are observed.
class EntryTimesTest : public testing::Test {
protected:
    EntryTimesTest() {
        auto snapshot = std::make_shared<routing::Snapshot>();
        snapshot->backends.resize(1);
        snapshot->backends[0].state = std::make_shared<rotation::BackendState>();
        std::vector<routing::Entry> entries(1);
        entries[0].id = kEntry;
        snapshot->lists.push_back(
            {"rotation", "chat", routing::Environment::production, entries,
             rotation::Rotation(std::make_shared<rotation::Cursor>(std::vector<std::uint32_t>{1}),
                                {std::make_shared<rotation::EntryState>()}, {}),
             rotation::SuspendRules(), routing::ModelPlace(), nullptr});
        wiring_ = proxy::wire_up(std::move(snapshot), registry_);
        registry_.attach(&shard_);
    }
    ~EntryTimesTest() override { registry_.detach(&shard_); }

    const proxy::EntrySeries& series() const { return wiring_->entries[0][0]; }
    void took(std::chrono::nanoseconds time, int times = 1) {
        for (int i = 0; i < times; ++i) shard_.observe(series().upstream_duration, time);
    }
    void note(SteadyTime now) { times_.note(*wiring_, registry_, now); }
    EntryTimes::Times at(SteadyTime now) const {
        return times_.of(kEntry, registry_, series(), now);
    }

    static constexpr const char* kEntry = "chat/production/gpt@one";
    const SteadyTime begin_{1000s};
    metrics::Registry registry_;
    metrics::Shard shard_;
    std::shared_ptr<const proxy::Wiring> wiring_;
    EntryTimes times_;
};

TEST_F(EntryTimesTest, AreOfWhatCameSinceItWasNoted) {
    took(9ms, 100);
    EXPECT_EQ(at(begin_).whole.p95, 0) << "none has noted when that was";
    note(begin_);
    EXPECT_EQ(at(begin_).whole.p95, 0) << "all of it was before";
    took(90ms, 10);
    EXPECT_NEAR(at(begin_ + 1s).whole.p50, 75, 0.001) << "between 50 and 100 ms";
    EXPECT_EQ(at(begin_ + 1s).first_token.p95, 0) << "no stream began";
    shard_.observe(series().streams.first_token, 30ms);
    EXPECT_GT(at(begin_ + 1s).first_token.p50, 20);
    EXPECT_LT(at(begin_ + 1s).first_token.p95, 50);
    EXPECT_EQ(times_.of("another", registry_, series(), begin_).whole.p95, 0);
}

TEST_F(EntryTimesTest, WhatIsLongAgoCountsNoMore) {
    note(begin_);
    took(9ms, 100);
    note(begin_ + 60s);
    took(90ms, 100);
    EXPECT_LT(at(begin_ + 299s).whole.p50, 11) << "both are of the last five minutes";
    EXPECT_NEAR(at(begin_ + 360s).whole.p50, 75, 0.001) << "the first hundred were before";
    for (int i = 3; i < 30; ++i) note(begin_ + i * 30s);
    EXPECT_EQ(at(begin_ + 900s).whole.p95, 0) << "nothing came of late";
}

TEST_F(EntryTimesTest, AreNotedNoOftenerThanNeeded) {
    note(begin_);
    took(9ms);
    note(begin_ + 29s);
    EXPECT_GT(at(begin_ + 300s).whole.p95, 0) << "the second note was one too many";
    note(begin_ + 30s);
    EXPECT_EQ(at(begin_ + 330s).whole.p95, 0);
}

TEST_F(EntryTimesTest, SeriesThatBeganAnewCountWhole) {
    took(9ms, 100);
    note(begin_);
    metrics::Registry registry;
    metrics::Shard shard;
    const auto wiring = proxy::wire_up(wiring_->snapshot, registry);
    registry.attach(&shard);
    const proxy::EntrySeries& anew = wiring->entries[0][0];
    shard.observe(anew.upstream_duration, 90ms);
    EXPECT_NEAR(times_.of(kEntry, registry, anew, begin_ + 1s).whole.p50, 75, 0.001);
    registry.detach(&shard);
}

TEST_F(EntryTimesTest, EntriesThatAreGoneAreForgotten) {
    note(begin_);
    took(9ms);
    proxy::Wiring empty;
    empty.snapshot = std::make_shared<routing::Snapshot>();
    times_.note(empty, registry_, begin_ + 60s);
    EXPECT_EQ(at(begin_ + 60s).whole.p95, 0);
}

}  // namespace

}  // namespace rotary::admin
