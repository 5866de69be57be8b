#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::control {

// What matters in a watched folder.
struct Interest {
    bool everything = false;
    std::set<std::string> names;

    void add(const Interest& other);
    // Whether an event of that folder (inotify(7): its mask, and the name it is about, "" for the
    // folder itself) may be a change of what is watched.
    bool concerned_by(std::uint32_t mask, std::string_view name) const;
};
using Interests = std::map<std::string, Interest>;  // by folder

// The folders to watch for changes of these files and folders: those that hold them, those on every
// symlink that leads there, and what stands above them, as it all is now. What is not there is
// looked for as far as the way goes.
Interests interests_of(const std::vector<std::string>& paths);

}  // namespace rotary::control
