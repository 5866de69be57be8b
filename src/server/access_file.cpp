#include "server/access_file.hpp"

#include "server/log_files.hpp"

#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rotary::server {

namespace {

int opened(const std::string& path, int otherwise) {
    if (path.empty()) return otherwise;
    const int fd = open_log_file(path);
    if (fd >= 0) return fd;
    throw std::runtime_error("log.access_file: " + path +
                             " can't be opened: " + std::generic_category().message(errno));
}

}  // namespace

AccessFile::AccessFile(std::string path, int otherwise)
    : path_(std::move(path)), fd_(opened(path_, otherwise)) {}

AccessFile::~AccessFile() {
    if (!path_.empty()) ::close(fd_);
}

}  // namespace rotary::server
