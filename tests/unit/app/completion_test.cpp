// Completion and the manual page, as they come from the tree of commands.
#include "app/command_line.hpp"

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace rotary::app {
namespace {

using testing::HasSubstr;

std::string printed(const std::string& shell) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_command_line({"completion", shell}), 0);
    return testing::internal::GetCapturedStdout();
}

// What bash offers behind these words, the last of which is being typed.
std::string completed(const std::string& words, int current) {
    const test::TempDir folder;
    const std::string script = folder.write("rotary.bash", printed("bash"));
    const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(current) +
                                "; _rotary; echo -n \"${COMPREPLY[*]}\"'";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::popen(command.c_str(), "r"),
                                                              &::pclose);
    std::array<char, 4096> text{};
    const std::size_t size = std::fread(text.data(), 1, text.size(), out.get());
    return {text.data(), size};
}

TEST(Completion, OffersCommandsOptionsAndValues) {
    EXPECT_EQ(completed("rotary sche", 1), "schema");
    EXPECT_EQ(completed("rotary check -o \"\"", 3), "text json");
    EXPECT_EQ(completed("rotary check --out", 2), "--output");
    EXPECT_EQ(completed("rotary key n", 2), "new");
    EXPECT_EQ(completed("rotary key new --cons", 3), "--consumer");
    EXPECT_EQ(completed("rotary frob", 1), "");
}

TEST(Completion, IsThereForOtherShells) {
    EXPECT_THAT(printed("zsh"), testing::StartsWith("#compdef rotary\n"));
    EXPECT_THAT(printed("fish"),
                HasSubstr("complete -c rotary -n '__fish_seen_subcommand_from check' -s o "
                          "-l output -r -f -a 'text json'"));
}

TEST(ManualPage, HasEveryCommandWithItsOptions) {
    const std::string page = printed("man");
    EXPECT_THAT(page, testing::StartsWith(".TH ROTARY 1"));
    for (const char* part : {".SS rotary check\n", ".SS rotary key new\n",
                             "\\fB\\-c\\fR, \\fB\\-\\-config\\fR", ".SH EXIT STATUS"}) {
        EXPECT_THAT(page, HasSubstr(part));
    }
}

}  // namespace
}  // namespace rotary::app
