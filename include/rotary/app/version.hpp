#pragma once

#include <rotary/server/server.hpp>

#include <string>

namespace rotary::app {

// Version, revision, compiler and libraries, a line each.
std::string version_text();
server::Server::Build build();

}  // namespace rotary::app
