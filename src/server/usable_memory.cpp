#include "server/usable_memory.hpp"

#include <rotary/base/text.hpp>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

namespace rotary::server {

namespace {

std::size_t physical_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return SIZE_MAX;
    return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
}

// "max", nonsense and a file that is not there are no limit.
std::size_t limit_in(const std::string& path) {
    std::ifstream file(path);
    std::string text;
    file >> text;
    return text::parse_unsigned(text).value_or(SIZE_MAX);
}

// Of a group and all above it, up to the hierarchy's root. What a container sees as its root may be
// named differently in /proc, where its own limit then stands at the top.
std::size_t least_of(const std::string& hierarchy, std::string group, const char* file) {
    std::size_t least = limit_in(hierarchy + "/" + file);
    while (group.size() > 1) {
        least = std::min(least, limit_in(hierarchy + group + "/" + file));
        group.resize(group.rfind('/'));
    }
    return least;
}

}  // namespace

std::size_t usable_memory(const std::string& root) {
    std::size_t least = physical_memory();
    std::ifstream groups(root + "/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {  // ID:CONTROLLERS:PATH
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == line.npos || second == line.npos || line.substr(second + 1, 1) != "/")
            continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const std::string group = line.substr(second + 1);
        if (controllers == ",,") {
            least = std::min(least, least_of(root + "/sys/fs/cgroup", group, "memory.max"));
        } else if (controllers.find(",memory,") != controllers.npos) {
            least = std::min(
                least, least_of(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
        }
    }
    return least;
}

}  // namespace rotary::server
