#pragma once

#include <string>
#include <vector>

namespace rotary::app {

// Runs the command that is typed behind `rotary`, and gives the process's exit code (commands.hpp).
int run_command_line(std::vector<std::string> words);

}  // namespace rotary::app
