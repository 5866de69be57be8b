#pragma once

namespace rotary::cli {
class Command;
}

// `rotary status`, `top`, `suspend`, `resume`, `reload`, `drain`, `healthcheck`: what operators do
// with a gateway that runs, by its admin listener.
namespace rotary::tools {

void add_operate_commands(cli::Command& root);

}  // namespace rotary::tools
