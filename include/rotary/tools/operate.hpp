#pragma once

namespace CLI {
class App;
}

// `rotary status`, `top`, `suspend`, `resume`, `reload`, `drain`, `healthcheck`: what operators do
// with a gateway that runs, by its admin listener.
namespace rotary::tools {

void add_operate_commands(CLI::App& app, int& exit_code);

}  // namespace rotary::tools
