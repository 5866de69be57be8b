#include <rotary/app/version.hpp>

#include "app/command_line.hpp"

#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace rotary::app {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string printed(const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_command_line(words), 0);
    return testing::internal::GetCapturedStdout();
}

TEST(Version, IsALineForEachPart) {
    EXPECT_THAT(
        lines_of(version_text()),
        ElementsAre(MatchesRegex(R"(rotary [0-9]+\.[0-9]+\.[0-9]+ \(.+\))"),
                    MatchesRegex("compiler: .+ [0-9].*"), MatchesRegex(R"(boost: 1\.[0-9]+)"),
                    MatchesRegex("openssl: 3.+"), MatchesRegex("yaml-cpp: [0-9].*")));
}

TEST(Version, IsTheSameByCommandAndByOption) {
    EXPECT_EQ(printed({"version"}), version_text());
    EXPECT_EQ(printed({"--version"}), version_text());
}

TEST(Version, AsJsonHasTheSameParts) {
    const std::string text = printed({"version", "--json"});
    const auto document = wire::JsonDocument::parse(text);
    ASSERT_TRUE(document) << text;
    const wire::JsonValue root = document->root();
    EXPECT_EQ(root.size(), 6U);
    for (const char* name : {"compiler", "boost", "openssl", "yaml-cpp"}) {
        const auto value = root.find(name);
        ASSERT_TRUE(value && value->string()) << name;
        const std::string line = std::string(name) + ": " + std::string(*value->string()) + "\n";
        EXPECT_NE(version_text().find(line), std::string::npos) << line;
    }
    const std::string first = "rotary " + std::string(*root.find("version")->string()) + " (" +
                              std::string(*root.find("revision")->string()) + ")";
    EXPECT_EQ(lines_of(version_text()).front(), first);
}

}  // namespace
}  // namespace rotary::app
