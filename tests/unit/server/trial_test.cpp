#include "server/trial.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::server {
namespace {

// The number of workers tells which one a snapshot was made of.
config::Loaded loaded(const std::string& fingerprint, unsigned workers) {
    config::Loaded loaded;
    loaded.fingerprint = fingerprint;
    loaded.config.workers = workers;
    return loaded;
}

// A header that can't go on is what only compiling finds.
config::Loaded wrong(config::Loaded loaded) {
    loaded.config.routing.forward_headers = {"authorization"};
    return loaded;
}

class TrialTest : public testing::Test {
protected:
    unsigned compiled(const config::Loaded& loaded) {
        findings_.clear();
        const auto snapshot = trial_.compile(loaded, findings_);
        return snapshot ? snapshot->config.workers : 0;
    }

    routing::SharedState shared_;
    Trial trial_{shared_};
    std::vector<config::Finding> findings_;
};

TEST_F(TrialTest, WhatWasJudgedIsTakenOverOnce) {
    EXPECT_TRUE(trial_.judge(loaded("one", 1)).empty());
    EXPECT_EQ(compiled(loaded("one", 2)), 1U);
    EXPECT_EQ(compiled(loaded("one", 2)), 2U);
}

TEST_F(TrialTest, WhatReadsOtherwiseIsCompiled) {
    trial_.judge(loaded("one", 1));
    EXPECT_EQ(compiled(loaded("two", 2)), 2U);
    EXPECT_EQ(compiled(loaded("one", 3)), 3U) << "what was judged is gone";
}

TEST_F(TrialTest, WhatWasWrongIsFoundAgain) {
    const std::vector<config::Finding> findings = trial_.judge(wrong(loaded("one", 1)));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(compiled(wrong(loaded("one", 1))), 0U);
    ASSERT_EQ(findings_.size(), 1U);
    EXPECT_EQ(findings_[0].message, findings[0].message);
}

TEST_F(TrialTest, WhatDidNotTakeForceIsForgotten) {
    trial_.judge(loaded("one", 1));
    trial_.forget();
    EXPECT_EQ(compiled(loaded("one", 2)), 2U);
}

}  // namespace
}  // namespace rotary::server
