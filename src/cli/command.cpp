#include <rotary/cli/command.hpp>

#include "cli/read_tree.hpp"

#include <CLI/CLI.hpp>

#include <utility>

namespace rotary::cli {

Command Command::command(const std::string& name, const std::string& about) {
    return {*app_->add_subcommand(name, about), *exit_code_};
}

void Command::needs_command() { app_->require_subcommand(1); }

void Command::notes(const std::string& text) { app_->footer(text); }

void Command::runs(std::function<int()> run) {
    app_->callback([run = std::move(run), code = exit_code_] {
        try {
            *code = run();
        } catch (const Misuse& misuse) {
            throw CLI::ValidationError(misuse.what());
        }
    });
}

Option Command::option(const std::string& names, std::string& value, const std::string& about) {
    return Option(*app_->add_option(names, value, about));
}

Option Command::option(const std::string& names, unsigned& value, const std::string& about) {
    return Option(*app_->add_option(names, value, about));
}

Option Command::option(const std::string& names, std::uint16_t& value, const std::string& about) {
    return Option(*app_->add_option(names, value, about));
}

Option Command::option(const std::string& names, std::vector<std::string>& values,
                       const std::string& about) {
    return Option(*app_->add_option(names, values, about));
}

Option Command::flag(const std::string& name, bool& value, const std::string& about) {
    return Option(*app_->add_flag(name, value, about));
}

bool Command::is_bare() const { return app_->count_all() <= 1; }

CommandNode Command::tree() const { return read_tree(*app_); }

}  // namespace rotary::cli
