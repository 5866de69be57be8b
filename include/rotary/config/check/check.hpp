#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// The rules between objects, and what files must hold that are named. Each finding stands at the
// reference that is broken. A file that is not among `files` was reported when it could not be
// read. load() has called it already.
void check(const Config& config, const Resources& resources, const NamedFiles& files,
           std::vector<Finding>& findings);

}  // namespace rotary::config
