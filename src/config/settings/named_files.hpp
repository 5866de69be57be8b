#pragma once

#include <string>
#include <vector>

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/settings/settings.hpp>

namespace rotary::config {

struct NamedFile {
    std::string path;  // empty: none is named
    Mark mark;
};

// The files that rotary.yaml names for what they hold, in the order in which they are read.
std::vector<NamedFile> files_of(const Config& config);

// Adds what they hold to the settings that name them.
void add_files(const NamedFiles& files, Config& config, std::vector<Finding>& findings);

}  // namespace rotary::config
