// What is typed behind `rotary demo` and refused: nothing is shown then.
#include <rotary/cli/program.hpp>
#include <rotary/demo/command.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rotary::demo {
namespace {

class DemoCommandTest : public testing::Test {
protected:
    DemoCommandTest() {
        cli::Command root = program_.root();
        add_demo_command(root);
    }
    // The exit code for the words behind `demo`.
    int run(std::vector<std::string> words) {
        words.insert(words.begin(), "demo");
        return program_.run(std::move(words));
    }

private:
    cli::Program program_{"rotary", ""};
};

TEST_F(DemoCommandTest, RefusesWhatItDoesNotKnow) {
    struct Row {
        const char* name;
        std::vector<std::string> words;
    };
    const Row rows[] = {
        {"a good port and a word", {"--port", "65535", "now"}},
        {"a port beyond", {"--port", "65536"}},
        {"a negative port", {"--port", "-1"}},
        {"a port that is none", {"--port", "http"}},
        {"no port", {"--port"}},
        {"a word", {"once"}},
        {"another option", {"--twice"}},
    };
    for (const Row& row : rows) EXPECT_EQ(run(row.words), 2) << row.name;
}

TEST_F(DemoCommandTest, ListensOnAPortOfItsOwnUnlessTold) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("--port UINT=9095"));
}

}  // namespace
}  // namespace rotary::demo
