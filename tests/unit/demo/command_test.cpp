// What is typed behind `rotary demo`. The callback is taken off: nothing is shown.
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
        command_->callback({});
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

TEST_F(DemoCommandTest, KnowsItsOptions) {
    struct Row {
        const char* name;
        std::vector<std::string> words;
        bool taken;
    };
    const Row rows[] = {
        {"none", {}, true},
        {"all", {"--once", "--port", "0", "--verbose"}, true},
        {"the highest port", {"--port", "65535"}, true},
        {"a port beyond", {"--port", "65536"}, false},
        {"a negative port", {"--port", "-1"}, false},
        {"a port that is none", {"--port", "http"}, false},
        {"no port", {"--port"}, false},
        {"a word", {"once"}, false},
        {"another option", {"--twice"}, false},
    };
    for (const Row& row : rows) EXPECT_EQ(takes(row.words), row.taken) << row.name;
}

TEST_F(DemoCommandTest, ListensOnAPortOfItsOwnUnlessTold) {
    EXPECT_EQ(command_->get_option("--port")->get_default_str(), "9095");
}

}  // namespace
}  // namespace rotary::demo
