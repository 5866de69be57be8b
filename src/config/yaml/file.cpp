#include <rotary/config/yaml/file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace rotary::config {
namespace {

std::string words(int error) { return std::generic_category().message(error); }

std::string refused(const std::string& path, int error, const struct stat& status) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", status.st_mode & 07777U);
    return path + " can't be read by the user " + std::to_string(::geteuid()) + ": " +
           words(error) + " (it belongs to the user " + std::to_string(status.st_uid) +
           " and the group " + std::to_string(status.st_gid) + ", mode " + mode.data() + ")";
}

}  // namespace

FileText read_whole_file(const std::string& path, std::size_t most) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        return {"", absent ? "there is no file " + path
                           : path + " can't be read by the user " + std::to_string(::geteuid()) +
                                 ": " + words(errno)};
    }
    if (!S_ISREG(status.st_mode)) {
        return {"", path + " is not a file"};
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {"", refused(path, errno, status)};
    }
    FileText read;
    std::array<char, 65536> piece;
    while (read.text.size() <= most) {
        const ssize_t got = ::read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            read.error = path + " can't be read: " + words(errno);
        }
        if (got <= 0) {
            break;
        }
        read.text.append(piece.data(), static_cast<std::size_t>(got));
    }
    ::close(fd);
    if (read.text.size() > most) {
        read.text.resize(most + 1);
    }
    return read;
}

}  // namespace rotary::config
