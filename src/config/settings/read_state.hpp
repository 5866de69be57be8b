#pragma once

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/settings/state.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

void read_state(Fields& fields, State& state);

// Adds what the files hold that are named: `password_file` a password, whose line may have an end;
// `ca` certificates.
void add_state_files(const NamedFiles& files, State& state, std::vector<Finding>& findings);

}  // namespace rotary::config
