#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <rotary/base/clock.hpp>
#include <rotary/config/kinds/resources.hpp>

namespace rotary::cli {
class Command;
}

// `rotary key`: API keys of consumers, made and looked up.
namespace rotary::tools {

struct NewKeyOptions {
    std::string consumer;
    std::string not_before;  // as notBefore of a ConsumerKey; empty: always
    std::string not_after;
};

// Prints a new key alone and a newline on `out`, and the ConsumerKey with its hash on `err`: the
// key is shown this once. Gives the exit code: 0, 2 for options that make no sense.
int make_key(const NewKeyOptions& options, std::ostream& out, std::ostream& err);

// Prints whose key it is and what it is good for, and whether it is valid now; never the key. Gives
// the exit code: 0, 1 for one that lets nothing in.
int check_key(const config::Resources& resources, std::string_view key, WallTime now,
              std::ostream& out);

// Adds `rotary key`.
void add_key_command(cli::Command& root);

}  // namespace rotary::tools
