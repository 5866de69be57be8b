#include <rotary/cli/program.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

namespace rotary::cli {

struct Program::State {
    State(const std::string& name, const std::string& about) : app(about) { app.name(name); }
    CLI::App app;
    int exit_code = 0;
};

Program::Program(const std::string& name, const std::string& about)
    : state_(std::make_unique<State>(name, about)) {}
Program::~Program() = default;

Command Program::root() { return {state_->app, state_->exit_code}; }

void Program::version(std::function<std::string()> text) {
    state_->app.set_version_flag("--version", std::move(text));
}

int Program::run(std::vector<std::string> words) {
    try {
        std::reverse(words.begin(), words.end());  // CLI11 takes them last first
        state_->app.parse(words);
    } catch (const CLI::ParseError& error) {
        return state_->app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", state_->app.get_name().c_str(), error.what());
        return 3;
    }
    return state_->exit_code;
}

}  // namespace rotary::cli
