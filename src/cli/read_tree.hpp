#pragma once

#include <rotary/cli/command_tree.hpp>

namespace CLI {
class App;
}

namespace rotary::cli {

// What CLI11 knows of a command and all below it.
CommandNode read_tree(const CLI::App& app);

}  // namespace rotary::cli
