#pragma once

namespace rotary::cli {
class Command;
}

namespace rotary::demo {

// Adds `rotary demo`.
void add_demo_command(cli::Command& root);

}  // namespace rotary::demo
