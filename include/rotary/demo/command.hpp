#pragma once

namespace CLI {
class App;
}

namespace rotary::demo {

// Adds `rotary demo`. When the parse chose it, the exit code of the process is in `exit_code`,
// which must outlive the parse.
void add_demo_command(CLI::App& app, int& exit_code);

}  // namespace rotary::demo
