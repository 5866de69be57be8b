#pragma once

#include <rotary/cli/command_tree.hpp>
#include <rotary/cli/option.hpp>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace rotary::cli {

// What was typed makes no sense: thrown by a command that runs. The process tells it and ends as
// with every other misuse.
class Misuse : public std::runtime_error {
public:
    Misuse(const std::string& option, const std::string& why)  // "--listen" and "'x' is no ..."
        : std::runtime_error(option + ": " + why) {}
};

// A command of a program, or its root: declared once, before the words are read. The variables that
// options fill must outlive that. A handle, good for as long as its Program.
class Command {
public:
    Command(CLI::App& app, int& exit_code) noexcept : app_(&app), exit_code_(&exit_code) {}

    Command command(const std::string& name, const std::string& about);
    void needs_command();                 // one of its own must be typed
    void notes(const std::string& text);  // at the end of its help
    // What it does, with its exit code: 0 done, 1 the configuration or the story has an error, 2
    // bad usage, 3 a failure at run time.
    void runs(std::function<int()> run);

    // "-c,--config", or a name without dashes for a word in a place of its own.
    Option option(const std::string& names, std::string& value, const std::string& about);
    Option option(const std::string& names, unsigned& value, const std::string& about);
    Option option(const std::string& names, std::uint16_t& value, const std::string& about);
    Option option(const std::string& names, std::vector<std::string>& values,
                  const std::string& about);
    Option flag(const std::string& name, bool& value, const std::string& about);

    // Whether nothing was typed behind its name.
    bool is_bare() const;
    CommandNode tree() const;

private:
    CLI::App* app_;
    int* exit_code_;
};

}  // namespace rotary::cli
