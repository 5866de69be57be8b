#pragma once

#include <string>
#include <string_view>

namespace rotary::tools {

// Writes a file that its owner alone may read. Throws std::runtime_error naming it.
void write_private_file(const std::string& path, std::string_view content);

// A new folder among the system's temporary ones, for its owner alone (mode 700). It goes with
// everything in it when this does.
class PrivateFolder {
public:
    PrivateFolder();  // throws std::runtime_error
    ~PrivateFolder();
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    const std::string& path() const { return path_; }
    // Writes a private file in it and returns its path.
    std::string write(std::string_view name, std::string_view content) const;

private:
    std::string path_;
};

}  // namespace rotary::tools
