#include "server/reload_record.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <support/sampled.hpp>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""s;
using Step = ReloadRecord::Step;

constexpr WallTime kStart{1000s};

config::Loaded loaded(const std::string& fingerprint) {
    config::Loaded loaded;
    loaded.fingerprint = fingerprint;
    return loaded;
}

config::Loaded with_error(config::Loaded loaded) {
    loaded.findings.push_back(config::error_at({"rotary.yaml", 1, 1, ""}, "wrong"));
    return loaded;
}

config::Loaded with_warning(config::Loaded loaded) {
    loaded.findings.push_back(config::warning_at({"rotary.yaml", 1, 1, ""}, "odd"));
    return loaded;
}

class ReloadRecordTest : public testing::Test {
protected:
    ReloadRecordTest() { record_.started("one", kStart); }
    ReloadRecord record_;
};

TEST_F(ReloadRecordTest, DecidesWhatBecomesOfWhatWasLoaded) {
    struct Row {
        const char* name;
        config::Loaded loaded;
        Step step;
    };
    const Row rows[] = {
        {"another", loaded("two"), Step::replace},
        {"another with a warning", with_warning(loaded("two")), Step::replace},
        {"another with an error", with_error(loaded("two")), Step::refuse},
        {"the same", loaded("one"), Step::keep},
        {"the same with a warning", with_warning(loaded("one")), Step::keep},
        {"the same, that is wrong now", with_error(loaded("one")), Step::refuse},
    };
    for (const Row& row : rows) EXPECT_EQ(record_.step(row.loaded), row.step) << row.name;
}

TEST_F(ReloadRecordTest, WhatWasReplacedIsComparedWithFromThenOn) {
    record_.replaced("two", kStart + 5s);
    EXPECT_EQ(record_.step(loaded("two")), Step::keep);
    EXPECT_EQ(record_.step(loaded("one")), Step::replace);
}

TEST_F(ReloadRecordTest, ARefusedOneLeavesWhatIsInForce) {
    record_.refused("line 3: wrong");
    EXPECT_EQ(record_.step(loaded("one")), Step::keep);
    EXPECT_EQ(record_.generation(), 1U);
    EXPECT_EQ(record_.last(), "failed: line 3: wrong");
}

TEST_F(ReloadRecordTest, OnlyAReplacementIsANewGeneration) {
    EXPECT_EQ(record_.generation(), 1U);
    EXPECT_EQ(record_.last(), "none");
    record_.kept();
    EXPECT_EQ(record_.generation(), 1U);
    EXPECT_EQ(record_.last(), "ok, nothing has changed");
    record_.replaced("two", kStart);
    record_.replaced("three", kStart);
    EXPECT_EQ(record_.generation(), 3U);
    EXPECT_EQ(record_.last(), "ok");
}

TEST_F(ReloadRecordTest, AScrapeSaysWhetherTheLastSucceededAndWhenOneDid) {
    const auto at = [this] {
        test::Sampled sampled;
        record_.sample(sampled);
        return std::pair(sampled.value("rotary_config_last_reload_successful"),
                         sampled.value("rotary_config_last_reload_success_timestamp_seconds"));
    };
    EXPECT_EQ(at(), std::pair(1.0, 1000.0)) << "the start counts";
    record_.replaced("two", kStart + 60s);
    EXPECT_EQ(at(), std::pair(1.0, 1060.0));
    record_.refused("wrong");
    EXPECT_EQ(at(), std::pair(0.0, 1060.0));
    record_.kept();
    EXPECT_EQ(at(), std::pair(1.0, 1060.0)) << "nothing was taken into force";
}

TEST_F(ReloadRecordTest, ReloadsAreCountedByTheirOutcome) {
    record_.refused("wrong");
    record_.refused("still wrong");
    record_.kept();
    for (const char* next : {"two", "three", "four"}) record_.replaced(next, kStart);
    test::Sampled sampled;
    record_.sample(sampled);
    EXPECT_EQ(sampled.value("rotary_config_reloads_total{outcome=refused}"), 2);
    EXPECT_EQ(sampled.value("rotary_config_reloads_total{outcome=unchanged}"), 1);
    EXPECT_EQ(sampled.value("rotary_config_reloads_total{outcome=replaced}"), 3);
}

}  // namespace
}  // namespace rotary::server
