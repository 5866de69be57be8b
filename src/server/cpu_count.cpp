#include "server/cpu_count.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace rotary::server {

namespace {

constexpr std::size_t kMostCpus = 1U << 20U;  // a kernel that asks for a larger mask is none

using Count = std::optional<std::size_t>;

std::string file_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

bool has(const std::vector<std::string_view>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// "-1", "max" and nonsense are no number.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size() || *end == '\n';
    return error == std::errc() && whole ? std::optional(value) : std::nullopt;
}

Count whole_cpus(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
    if (!quota || !period || *period == 0) return std::nullopt;
    return static_cast<std::size_t>(std::max<std::uint64_t>(1, *quota / *period));
}

Count least(Count one, Count other) {
    if (one && other) return std::min(*one, *other);
    return one ? one : other;
}

struct Hierarchy {
    bool is_v2 = false;
    std::string group;  // of this process, from the hierarchy's root
};

// Of one folder: cpu.max is "QUOTA PERIOD", version 1 has a file for each.
Count quota_at(const FileText& read, const std::string& folder, bool is_v2) {
    if (is_v2) {
        const std::string text = read(folder + "/cpu.max");
        const auto words = split(text, ' ');
        return words.size() == 2 ? whole_cpus(number(words[0]), number(words[1])) : std::nullopt;
    }
    return whole_cpus(number(read(folder + "/cpu.cfs_quota_us")),
                      number(read(folder + "/cpu.cfs_period_us")));
}

// The hierarchies of /proc/self/cgroup, ID:CONTROLLERS:PATH, that may hold a quota.
std::vector<Hierarchy> hierarchies(const std::string& text) {
    std::vector<Hierarchy> found;
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t first = std::min(line.find(':'), line.size());
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const bool is_v2 = controllers.empty();
        if (!is_v2 && !has(split(controllers, ','), "cpu")) continue;
        found.push_back({is_v2, std::string(line.substr(second + 1))});
    }
    return found;
}

// The group's path below a mount that shows the hierarchy from `root` on. One that lies elsewhere,
// as a container sees it whose group is not its namespace's, is taken for the mount's own.
std::string below(const std::string& group, std::string_view root) {
    if (root == "/") root = "";
    const bool inside = group.starts_with(root) &&
                        (group.size() == root.size() || group[root.size()] == '/') &&
                        group.find("/..") == std::string::npos;
    const std::string rest = inside ? group.substr(root.size()) : "";
    return rest == "/" ? "" : rest;
}

// From the group itself up to the mount.
Count quota_along(const FileText& read, const std::string& mount, std::string group, bool is_v2) {
    Count count;
    for (;;) {
        count = least(count, quota_at(read, mount + group, is_v2));
        if (group.empty()) return count;
        group.resize(group.rfind('/'));
    }
}

}  // namespace

std::optional<std::size_t> quota_cpus(const FileText& read) {
    Count count;
    const std::string mounts = read("/proc/self/mountinfo");
    for (const Hierarchy& hierarchy : hierarchies(read("/proc/self/cgroup"))) {
        for (const std::string_view line : split(mounts, '\n')) {
            // ID PARENT DEVICE ROOT MOUNT OPTIONS … - TYPE SOURCE OPTIONS
            const auto words = split(line, ' ');
            const auto dash = std::find(words.begin(), words.end(), "-");
            if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
            const bool is_it = hierarchy.is_v2
                                   ? dash[1] == "cgroup2"
                                   : dash[1] == "cgroup" && has(split(dash[3], ','), "cpu");
            if (!is_it) continue;
            count = least(count, quota_along(read, std::string(words[4]),
                                             below(hierarchy.group, words[3]), hierarchy.is_v2));
        }
    }
    return count;
}

std::size_t usable_cpus() {
    std::size_t allowed = 1;
    for (std::size_t cpus = CPU_SETSIZE; cpus <= kMostCpus; cpus *= 2) {
        cpu_set_t* const set = CPU_ALLOC(cpus);
        if (set == nullptr) break;
        const std::size_t size = CPU_ALLOC_SIZE(cpus);
        const bool known = sched_getaffinity(0, size, set) == 0;
        if (known) allowed = static_cast<std::size_t>(CPU_COUNT_S(size, set));
        const bool too_small = !known && errno == EINVAL;
        CPU_FREE(set);
        if (!too_small) break;
    }
    return std::min(allowed, quota_cpus(file_text).value_or(allowed));
}

}  // namespace rotary::server
