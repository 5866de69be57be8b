// The demo's own configuration, as its gateway would load it.
#include "demo/config.hpp"

#include "demo/stage.hpp"

#include <rotary/config/load.hpp>

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rotary::demo {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class DemoConfigTest : public testing::Test {
protected:
    DemoConfigTest() {
        tools::make_dev_certificates(folder_.path().string());
        folder_.write("rotary.yaml", process_yaml(9195));
        folder_.write("resources.yaml",
                      resources_yaml({9001, 9002}, {"Bearer sk-one", "Bearer sk-two"}));
        folder_.write("prices.yaml", prices_yaml());
        folder_.write("team.yaml", team_yaml("sha256:" + std::string(64, 'a')));
        loaded_ = config::load(folder_ / "rotary.yaml", {});
    }

    const test::TempDir folder_;
    config::Loaded loaded_;
};

TEST_F(DemoConfigTest, HasNoErrors) {
    EXPECT_TRUE(loaded_.ok()) << config::to_text(loaded_.findings);
}

TEST_F(DemoConfigTest, ListensWhereItIsTold) {
    ASSERT_THAT(loaded_.config.listeners, SizeIs(1));
    EXPECT_EQ(loaded_.config.listeners[0].port, 9195);
    EXPECT_EQ(loaded_.config.listeners[0].address, "127.0.0.1");
}

TEST_F(DemoConfigTest, NamesTheProvidersPortsAndKeys) {
    const std::string text = resources_yaml({9001, 9002}, {"Bearer sk-one", "Bearer sk-two"});
    EXPECT_THAT(text, HasSubstr("{host: 127.0.0.1, port: 9001}"));
    EXPECT_THAT(text, HasSubstr("{host: 127.0.0.1, port: 9002}"));
    EXPECT_THAT(text, HasSubstr("provider-1: \"Bearer sk-one\""));
    EXPECT_THAT(text, HasSubstr("provider-2: \"Bearer sk-two\""));
    ASSERT_THAT(loaded_.resources.backends, SizeIs(2));
}

TEST_F(DemoConfigTest, ListsTheModelsForBothEnvironments) {
    const std::string text = resources_yaml({1, 2}, {"a", "b"});
    for (const char* model : kModels) {
        std::size_t count = 0;
        const std::string line = "        - model: " + std::string(model) + "\n";
        for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) {
            ++count;
        }
        EXPECT_EQ(count, 2U) << model;
    }
    EXPECT_THAT(
        text,
        HasSubstr("onQuotaExceedSuspendDuration: " + std::to_string(kQuotaWindow.count()) + "\n"));
    EXPECT_THAT(text, HasSubstr("hostnames: [" + std::string(kProductionHost) + "]"));
    EXPECT_THAT(text, HasSubstr("hostnames: [" + std::string(kSandboxHost) + "]"));
}

}  // namespace
}  // namespace rotary::demo
