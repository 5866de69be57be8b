#include "server/log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace rotary::server {

namespace {
constexpr mode_t kMode = 0640;
}  // namespace

int open_log_file(const std::string& path) noexcept {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
}

LogFiles::LogFiles(const std::vector<int>& outputs) {
    for (const int fd : outputs) {
        struct stat status {};
        if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink == 0) continue;
        std::error_code error;
        const auto path =
            std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
        if (!error) files_.push_back({fd, path.string()});
    }
}

void LogFiles::reopen(Logger& log) const {
    for (const File& file : files_) {
        const int fresh = open_log_file(file.path);
        const bool done = fresh >= 0 && ::dup2(fresh, file.fd) >= 0;
        const int error = errno;
        if (fresh >= 0) ::close(fresh);
        if (done) {
            log.info("log file reopened", {{"file", file.path}});
        } else {
            log.error("log file can't be reopened",
                      {{"file", file.path}, {"error", std::generic_category().message(error)}});
        }
    }
}

}  // namespace rotary::server
