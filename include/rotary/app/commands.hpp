#pragma once

namespace rotary::cli {
class Command;
}

// The commands of `rotary` that have no room of their own, each in a source of its own, declared
// with its help.
namespace rotary::app {

void add_serve_command(cli::Command& root);
void add_check_command(cli::Command& root);
void add_routes_command(cli::Command& root);
void add_explain_command(cli::Command& root);
void add_config_command(cli::Command& root);
void add_schema_command(cli::Command& root);
// Of all commands that are there when it runs.
void add_completion_command(cli::Command& root);
void add_version_command(cli::Command& root);

}  // namespace rotary::app
