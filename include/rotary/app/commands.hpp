#pragma once

namespace CLI {
class App;
}

// The commands of `rotary` that have no room of their own, each in a source of its own. add_…()
// declares one with its help; when the parse chose it, it runs and leaves the process's exit code
// in `exit_code`, which must outlive the parse. Exit codes: 0 done, 1 the configuration or the
// story has an error, 2 bad usage, 3 a failure at run time.
namespace rotary::app {

void add_serve_command(CLI::App& app, int& exit_code);
void add_check_command(CLI::App& app, int& exit_code);
void add_routes_command(CLI::App& app, int& exit_code);
void add_explain_command(CLI::App& app, int& exit_code);
void add_config_command(CLI::App& app, int& exit_code);
void add_schema_command(CLI::App& app, int& exit_code);
// Of all commands that are there when it runs.
void add_completion_command(CLI::App& app, int& exit_code);
void add_version_command(CLI::App& app, int& exit_code);

}  // namespace rotary::app
