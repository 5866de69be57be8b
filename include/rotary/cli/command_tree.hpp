#pragma once

#include <string>
#include <vector>

namespace rotary::cli {

struct OptionNode {
    std::vector<std::string> names;  // "-c", "--config"; of a place on the line its name
    std::string about;
    std::string value;  // what it takes, as a person reads it
    bool takes_value = false;
    std::vector<std::string> choices;  // of values
};

// One command, as it was declared.
struct CommandNode {
    std::string name;
    std::string about;
    std::string notes;  // at the end of its help
    std::vector<OptionNode> options;
    std::vector<CommandNode> commands;
};

}  // namespace rotary::cli
