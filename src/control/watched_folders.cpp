#include "control/watched_folders.hpp"

#include <sys/inotify.h>

#include <filesystem>
#include <system_error>

namespace rotary::control {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kOfTheFolderItself = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT;
constexpr int kMostSymlinks = 40;  // as the kernel follows

// One name in its folder, or, where that is not there either, what is missing on the way to it.
void add_name(Interests& interests, const fs::path& path) {
    std::error_code ignored;
    fs::path folder = path.parent_path();
    fs::path name = path.filename();
    while (!folder.empty() && folder != folder.root_path() && !fs::is_directory(folder, ignored)) {
        name = folder.filename();
        folder = folder.parent_path();
    }
    interests[folder.string()].names.insert(name.string());
}

// Every symlink on the way, and where they lead: a folder with all that is in it, or a file's name;
// and the folder's own name above it. What is not there is looked for as far as the way goes.
void add_place(Interests& interests, const fs::path& place, int symlinks_left) {
    std::error_code error;
    fs::path way;
    for (auto step = place.begin(); step != place.end(); ++step) {
        way /= *step;
        if (!fs::is_symlink(way, error)) continue;
        add_name(interests, way);
        const fs::path target = fs::read_symlink(way, error);
        if (error || symlinks_left == 0) return;
        fs::path led = way.parent_path() / target;
        for (auto rest = std::next(step); rest != place.end(); ++rest) led /= *rest;
        add_place(interests, led.lexically_normal(), symlinks_left - 1);
        return;
    }
    const bool is_folder = fs::is_directory(way, error);
    if (is_folder) interests[way.string()].everything = true;
    if (!way.has_relative_path()) return;
    add_name(interests, way);
    if (!is_folder && way.parent_path().has_relative_path()) {
        add_name(interests, way.parent_path());
    }
}

}  // namespace

Interests interests_of(const std::vector<std::string>& paths) {
    Interests interests;
    std::error_code ignored;
    for (const std::string& path : paths) {
        fs::path whole = fs::absolute(path, ignored).lexically_normal();
        if (!whole.has_filename()) whole = whole.parent_path();  // it was written as a/b/
        add_place(interests, whole, kMostSymlinks);
    }
    return interests;
}

void Interest::add(const Interest& other) {
    everything = everything || other.everything;
    names.insert(other.names.begin(), other.names.end());
}

bool Interest::concerned_by(std::uint32_t mask, std::string_view name) const {
    constexpr std::uint32_t always = kOfTheFolderItself | IN_IGNORED | IN_Q_OVERFLOW;
    if ((mask & always) != 0 || everything) return true;
    return !name.empty() && names.contains(std::string(name));
}

}  // namespace rotary::control
