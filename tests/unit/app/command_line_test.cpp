// What is typed behind `rotary`: exit codes, and what goes to which output.
#include "app/command_line.hpp"

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct Outcome {
    int code;
    std::string output;
    std::string errors;
};

Outcome run(const std::vector<std::string>& words) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_command_line(words);
    Outcome outcome{code, testing::internal::GetCapturedStdout(), ""};
    outcome.errors = testing::internal::GetCapturedStderr();
    return outcome;
}

TEST(CommandLine, HelpIsThereForEachCommand) {
    const std::vector<std::string> commands = {"serve", "check", "routes", "explain",
                                               "token", "mock",  "demo",   "version"};
    const Outcome all = run({"--help"});
    EXPECT_EQ(all.code, 0);
    for (const std::string& command : commands) {
        SCOPED_TRACE(command);
        EXPECT_THAT(all.output, HasSubstr("\n  " + command + " "));
        const Outcome one = run({command, "--help"});
        EXPECT_EQ(one.code, 0);
        EXPECT_THAT(one.output, HasSubstr("rotary " + command));
        EXPECT_THAT(one.errors, IsEmpty());
    }
}

TEST(CommandLine, BadUsageIsTwoAndSaysWhy) {
    struct Row {
        const char* name;
        std::vector<std::string> words;
        const char* says;
    };
    const Row rows[] = {
        {"nothing", {}, "subcommand is required"},
        {"a command misspelt", {"chekc"}, "there is no command \"chekc\"; did you mean \"check\"?"},
        {"a command in capitals", {"Serve"}, "did you mean \"serve\"?"},
        {"no command at all",
         {"frobnicate"},
         "there is no command \"frobnicate\"; the commands are init, serve, check, routes, "
         "explain, config, token, key, usage, status, top, suspend, resume, reload, drain, "
         "healthcheck, mock, demo, schema, completion, version"},
        {"an empty word", {""}, "there is no command \"\""},
        {"an option alone", {"--verbose"}, "A subcommand is required"},
        {"no configuration", {"check"}, "--config is required"},
        {"no file behind -c", {"check", "-c"}, "--config"},
        {"the same by nginx's name", {"-t"}, "--config is required"},
        {"an output that is none", {"check", "-c", "x", "-o", "xml"}, "--output"},
        {"what can't be accepted",
         {"serve", "-c", "x", "--accept-unserved", "nonsense"},
         "--accept-unserved"},
        {"a command too many", {"version", "version"}, "version"},
        {"-t in another place", {"-c", "x", "-t"}, "A subcommand is required"},
        {"a token without a key", {"token", "--issuer", "x"}, "--key is required"},
        {"a token that makes no sense",
         {"token", "--key", "/dev/null", "--issuer", "", "--ttl", "x"},
         "--issuer"},
        {"a mock's place to listen", {"mock", "--listen", "here"}, "'here' is no ADDR:PORT"},
        {"a demo's port", {"demo", "--port", "70000"}, "--port"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Outcome outcome = run(row.words);
        EXPECT_EQ(outcome.code, 2);
        EXPECT_THAT(outcome.output, IsEmpty());
        EXPECT_THAT(outcome.errors, HasSubstr(row.says));
    }
}

TEST(CommandLine, AMisspeltCommandIsToldOfHelp) {
    EXPECT_EQ(run({"tokn"}).errors,
              "rotary: there is no command \"tokn\"; did you mean \"token\"?\n"
              "Run 'rotary --help' for what each does.\n");
}

class CheckCommandTest : public testing::Test {
protected:
    std::string file(const std::string& text) const { return folder_.write("rotary.yaml", text); }

    const test::TempDir folder_;
};

constexpr const char* kBroken = "listeners:\n  - {address: 127.0.0.1, port: 99999}\nworkrs: 2\n";

TEST_F(CheckCommandTest, TellsErrorsOnItsOutputAndTheSumBesideIt) {
    const std::string path = file(kBroken);
    const Outcome outcome = run({"check", "-c", path});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr(path + ":2:"), HasSubstr("error: listeners[0].port"),
                      HasSubstr(path + ":3:"), HasSubstr("\"workers\"")));
    EXPECT_EQ(outcome.errors, path + ": has errors\n");
}

TEST_F(CheckCommandTest, SaysTheSameByNginxsName) {
    const std::string path = file(kBroken);
    const Outcome one = run({"check", "-c", path});
    const Outcome other = run({"-t", "-c", path});
    EXPECT_EQ(other.code, one.code);
    EXPECT_EQ(other.output, one.output);
    EXPECT_EQ(other.errors, one.errors);
}

TEST_F(CheckCommandTest, ForMachinesIsJsonAlone) {
    const Outcome outcome = run({"check", "--config", file(kBroken), "-o", "json"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.output, AllOf(StartsWith("[\n  {"), HasSubstr("\"line\": 3")));
    EXPECT_THAT(outcome.errors, IsEmpty());
}

TEST_F(CheckCommandTest, AMissingFileIsAnError) {
    const Outcome outcome = run({"check", "-c", folder_ / "none.yaml"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.output, HasSubstr("none.yaml"));
}

TEST_F(CheckCommandTest, ServeDoesNotStartWithErrors) {
    const std::string path = file(kBroken);
    const Outcome outcome = run({"serve", "-c", path});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors,
                AllOf(HasSubstr("listeners[0].port"), HasSubstr("rotary: not started: the "
                                                                "configuration has errors\n")));
}

TEST(TokenCommand, AKeyThatCannotBeReadIsOne) {
    const Outcome outcome = run({"token", "--key", "/no/such/key", "--issuer", "x"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.errors, HasSubstr("/no/such/key: can't be read"));
}

TEST(MockCommand, WhatFailsAtRunTimeIsThree) {
    const Outcome outcome = run({"mock", "--listen", "192.0.2.1:0"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.errors, StartsWith("rotary mock: can't listen on 192.0.2.1:0: "));
    EXPECT_THAT(outcome.errors, Not(HasSubstr("listening")));
}

}  // namespace
}  // namespace rotary::app
