// `rotary config dump --all`: what is said, and the defaults of the rest.
#include <gtest/gtest.h>

#include <unistd.h>

#include <rotary/config/settings/setting_keys.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

class DumpOfAll : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() /
                  ("rotary-dump-" + std::to_string(getpid()) + "-" +
                   testing::UnitTest::GetInstance()->current_test_info()->name());
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }
    fs::path folder_;
};

constexpr const char* kSaid =
    "listeners: [{port: 1, plaintext: true}]\n"
    "timeouts: {connect: 1234ms}\n"
    "routing: {max_attempts: 7, forward_headers: [x-a]}\n"
    "limits:\n"
    "log: {level: \"${LEVEL:-warning}\"}\n";

TEST_F(DumpOfAll, HoldsEveryKey) {
    const std::string text =
        dump(write("rotary.yaml", kSaid), variables(), {.all = true}).documents;
    for (const LimitKey& key : limit_keys()) {
        EXPECT_NE(text.find("\n  " + std::string(key.name) + ": "), text.npos) << key.name;
    }
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_NE(text.find("\n  " + std::string(key.name) + ": "), text.npos) << key.name;
    }
    // What is said stays as it was written; a list is not added to.
    for (const char* line : {"  connect: \"1234ms\"\n", "  max_attempts: \"7\"\n",
                             "${LEVEL:-warning}", "on_all_suspended: reject\n"}) {
        EXPECT_NE(text.find(line), text.npos) << line << text;
    }
    EXPECT_EQ(text.find("certificate"), text.npos) << "of an example: " << text;
    EXPECT_EQ(text.find("tracing"), text.npos);
    EXPECT_EQ(text.find("resources"), text.npos);
}

TEST_F(DumpOfAll, LoadedAgainIsTheSameConfiguration) {
    const Dump made = dump(write("rotary.yaml", kSaid), variables(), {.all = true});
    ASSERT_TRUE(made.loaded.ok()) << to_text(made.loaded.findings);
    const Loaded again = load(write("all.yaml", made.documents), variables());
    EXPECT_TRUE(again.ok()) << to_text(again.findings);
    const Config& config = again.config;
    for (const LimitKey& key : limit_keys()) {
        EXPECT_EQ(config.limits.*key.member, made.loaded.config.limits.*key.member) << key.name;
    }
    for (const TimeoutKey& key : timeout_keys()) {
        EXPECT_EQ(config.timeouts.*key.member, made.loaded.config.timeouts.*key.member) << key.name;
    }
    EXPECT_EQ(config.timeouts.connect.count(), 1234);
    EXPECT_EQ(config.routing.max_attempts, 7U);
    EXPECT_EQ(config.routing.forward_headers, std::vector<std::string>{"x-a"});
    EXPECT_EQ(config.routing.withheld_query, made.loaded.config.routing.withheld_query);
    EXPECT_EQ(config.admin.port, made.loaded.config.admin.port);
}

TEST_F(DumpOfAll, IsAskedFor) {
    const Dump made = dump(write("rotary.yaml", kSaid), variables(), {});
    EXPECT_EQ(made.documents.find("on_all_suspended"), std::string::npos) << made.documents;
}

}  // namespace
}  // namespace rotary::config
