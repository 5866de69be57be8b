#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace rotary::app {

struct OptionNode {
    std::vector<std::string> names;  // "-c", "--config"; of a place on the line its name
    std::string about;
    std::string value;  // what it takes, as a person reads it
    bool takes_value = false;
    std::vector<std::string> choices;  // of values
};

// One command, as CLI11 has it.
struct CommandNode {
    std::string name;
    std::string about;
    std::string notes;  // at the end of its help
    std::vector<OptionNode> options;
    std::vector<CommandNode> commands;
};

CommandNode command_tree(const CLI::App& app);

}  // namespace rotary::app
