#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <rotary/config/finding.hpp>
#include <rotary/config/model.hpp>
#include <rotary/config/resources.hpp>

namespace rotary::config {

inline constexpr std::size_t kMaxEntries = 64;  // of one list of a rotation

// The rules between objects, and those of the process configuration that need the file system.
// Each finding stands at the reference that is broken. load() has called it already.
void check(const Config& config, const Resources& resources, std::vector<Finding>& findings);

}  // namespace rotary::config
