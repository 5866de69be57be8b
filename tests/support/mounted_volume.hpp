#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

namespace rotary::test {

// A ConfigMap or Secret as the kubelet mounts it: files are symlinks through ..data, which is one
// to a folder that is never written again; an update is one rename. (The kubelet removes the old
// folder then; here that stays, so that nothing else tells of the update.)
class MountedVolume {
public:
    explicit MountedVolume(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::string operator/(const std::string& name) const { return (folder_ / name).string(); }

    void publish(const std::map<std::string, std::string>& files) {
        namespace fs = std::filesystem;
        const std::string fresh = "..2026_" + std::to_string(++number_);
        fs::create_directories(folder_ / fresh);
        for (const auto& [name, text] : files) std::ofstream(folder_ / fresh / name) << text;
        fs::create_directory_symlink(fresh, folder_ / "..data_tmp");
        fs::rename(folder_ / "..data_tmp", folder_ / "..data");
        for (const auto& [name, text] : files) {
            if (fs::is_symlink(folder_ / name)) continue;
            fs::remove(folder_ / name);
            fs::create_symlink(fs::path("..data") / name, folder_ / name);
        }
    }

private:
    std::filesystem::path folder_;
    int number_ = 0;
};

}  // namespace rotary::test
