#pragma once

#include <rotary/cli/command.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::cli {

// What is typed on a command line, read by CLI11, which no other room includes: its templates cost
// each source that does ten seconds of a sanitizer's build. Single-threaded.
class Program {
public:
    Program(const std::string& name, const std::string& about);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    Command root();
    void version(std::function<std::string()> text);  // what --version prints

    // Reads the words behind the program's name and runs the command they name. Gives the process's
    // exit code: the command's own, 0 where help or version was asked for, 2 for what can't be
    // read.
    int run(std::vector<std::string> words);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rotary::cli
