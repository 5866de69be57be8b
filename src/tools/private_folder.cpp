#include <rotary/tools/private_folder.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace rotary::tools {

void write_private_file(const std::string& path, std::string_view content) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool fine = fd >= 0;
    while (fine && !content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        fine = written > 0;
        if (fine) content.remove_prefix(static_cast<std::size_t>(written));
    }
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!fine) {
        throw std::runtime_error("can't write " + path + ": " +
                                 std::generic_category().message(error));
    }
}

PrivateFolder::PrivateFolder() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    if (error) throw std::runtime_error("no folder for temporary files: " + error.message());
    path_ = (parent / "rotary-demo-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) {
        throw std::runtime_error("can't make a folder in " + parent.string() + ": " +
                                 std::generic_category().message(errno));
    }
}

PrivateFolder::~PrivateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string PrivateFolder::write(std::string_view name, std::string_view content) const {
    std::string path = path_ + "/" + std::string(name);
    write_private_file(path, content);
    return path;
}

}  // namespace rotary::tools
