// What the demo says on standard output; here that is no terminal, so nothing is painted.
#include "demo/print.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace rotary::demo {
namespace {

std::string printed(const std::function<void(Printer&)>& says) {
    testing::internal::CaptureStdout();
    Printer print;
    says(print);
    return testing::internal::GetCapturedStdout();
}

TEST(DemoPrinter, NumbersItsSteps) {
    const std::string text = printed([](Printer& print) {
        print.step("one");
        print.step("two");
        EXPECT_EQ(print.steps(), 2);
    });
    EXPECT_EQ(text, "\n1  one\n\n2  two\n");
}

TEST(DemoPrinter, IndentsRows) {
    EXPECT_EQ(printed([](Printer& print) {
                  print.line("line");
                  print.row("row");
                  print.quiet_row("quiet");
              }),
              "line\n     row\n     quiet\n");
}

TEST(DemoPrinter, TellsWhatHeldAndWhatDidNot) {
    const std::string text = printed([](Printer& print) {
        print.verdict({"it turns", true, "", ""});
        EXPECT_TRUE(print.all_held());
        print.verdict({"it stands", false, "200", "502"});
        EXPECT_FALSE(print.all_held());
        print.verdict({"it turns again", true, "", ""});
        EXPECT_FALSE(print.all_held()) << "one that held makes up for none that did not";
    });
    EXPECT_EQ(text,
              "  ok it turns\n"
              "  FAILED it stands\n"
              "       expected: 200\n"
              "       came:     502\n"
              "  ok it turns again\n");
}

}  // namespace
}  // namespace rotary::demo
