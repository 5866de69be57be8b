#include <CLI/CLI.hpp>

#include "rotary/app/commands.hpp"

namespace rotary::app {

void add_demo_command(CLI::App& app, int& exit_code) {
    CLI::App* demo = app.add_subcommand("demo", "Show the whole story on the loopback interface");
    demo->callback([&exit_code] { exit_code = 3; });
}

}  // namespace rotary::app
