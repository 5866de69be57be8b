#pragma once

#include <demo/check.hpp>

#include <string>
#include <string_view>

// What the demo says, to standard output, a line as soon as it is known.
namespace rotary::demo {

class Printer {
public:
    // Colours on a terminal, unless NO_COLOR is set or TERM is dumb.
    Printer();

    void line(std::string_view text);
    void step(std::string_view title);  // numbered
    void row(std::string_view text);
    void quiet_row(std::string_view text);  // of less weight
    void verdict(const Check& check);
    bool all_held() const { return failed_ == 0; }
    int steps() const { return steps_; }

private:
    std::string painted(std::string_view colour, std::string_view text) const;

    bool colours_;
    int steps_ = 0;
    int failed_ = 0;
};

}  // namespace rotary::demo
