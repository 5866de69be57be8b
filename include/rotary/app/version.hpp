#pragma once

#include <string>

namespace rotary::app {

// Version, revision, compiler and libraries, a line each.
std::string version_text();

}  // namespace rotary::app
