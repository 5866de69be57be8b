#include <demo/print.hpp>

#include <rotary/base/log.hpp>

#include <unistd.h>

#include <cstdio>

namespace rotary::demo {

namespace {
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kFaint = "\x1b[2m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";
}  // namespace

Printer::Printer() : colours_(detect_log_format(STDOUT_FILENO) == LogFormat::colour) {}

std::string Printer::painted(std::string_view colour, std::string_view text) const {
    if (!colours_) return std::string(text);
    return std::string(colour) + std::string(text) + std::string(kPlain);
}

void Printer::line(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

void Printer::step(std::string_view title) {
    line("");
    line(painted(kBold, std::to_string(++steps_) + "  " + std::string(title)));
}

void Printer::row(std::string_view text) { line("     " + std::string(text)); }

void Printer::quiet_row(std::string_view text) { row(painted(kFaint, text)); }

void Printer::verdict(const Check& check) {
    if (check.held) {
        line("  " + painted(kGreen, "ok") + " " + check.claim);
        return;
    }
    ++failed_;
    line("  " + painted(kRed, "FAILED") + " " + check.claim);
    row("  expected: " + check.expected);
    row("  came:     " + check.came);
}

}  // namespace rotary::demo
