#pragma once

#include <rotary/routing/snapshot.hpp>

#include <set>
#include <string>
#include <vector>

namespace rotary::server {

// What a reload has to tell its operator beside the findings.

// API and environment of those that had a list of models and have routes without one now.
std::set<std::string> rotations_lost(const routing::Snapshot& then, const routing::Snapshot& now);

std::string joined(const std::vector<std::string>& names);  // by ", "

// A line on the settings that wait for a restart; empty without any.
std::string restart_advice(const std::vector<std::string>& waiting);

}  // namespace rotary::server
