#pragma once

#include <string>

#include <rotary/config/load.hpp>

namespace rotary::app {

// Whether a terminal's colours are wanted: NO_COLOR and TERM=dumb say no, CLICOLOR_FORCE says yes
// whatever the output is, else it depends on whether it is a terminal.
bool wants_colour(bool is_terminal, const config::Environment& environment);

// What is about to be served, for who starts it: listeners, routes, models with their shares,
// providers and where their keys come from (never the keys), and a line to paste. Of a
// configuration without errors.
std::string start_summary(const config::Loaded& loaded, bool coloured);

// The same in one line of counts.
std::string short_summary(const config::Loaded& loaded);

}  // namespace rotary::app
