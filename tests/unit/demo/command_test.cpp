// What is typed behind `rotary demo` and refused: nothing is shown then.
#include <rotary/demo/command.hpp>

#include <CLI/CLI.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::demo {
namespace {

class DemoCommandTest : public testing::Test {
protected:
    DemoCommandTest() {
        add_demo_command(app_, exit_code_);
        command_ = app_.get_subcommand("demo");
    }
    // Whether the words behind `demo` are taken.
    bool takes(std::vector<std::string> words) {
        words.insert(words.begin(), "demo");
        try {
            app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        } catch (const CLI::ParseError&) {
            return false;
        }
        return true;
    }

    CLI::App* command_ = nullptr;

private:
    CLI::App app_;
    int exit_code_ = 0;
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
    for (const Row& row : rows) EXPECT_FALSE(takes(row.words)) << row.name;
}

TEST_F(DemoCommandTest, ListensOnAPortOfItsOwnUnlessTold) {
    EXPECT_EQ(command_->get_option("--port")->get_default_str(), "9095");
}

}  // namespace
}  // namespace rotary::demo
