#pragma once

#include <string>

namespace rotary::server {

// Where the access log goes: a file of its own, opened to append and made where it is not there, or
// a descriptor of the process's. Owned by the Server, which outlives the log's writer.
class AccessFile {
public:
    // `path` empty: `otherwise`, which stays its owner's. Throws std::runtime_error with the file
    // and the reason.
    AccessFile(std::string path, int otherwise);
    ~AccessFile();
    AccessFile(const AccessFile&) = delete;
    AccessFile& operator=(const AccessFile&) = delete;

    int fd() const noexcept { return fd_; }
    const std::string& path() const noexcept { return path_; }  // empty: it is no file of its own

private:
    const std::string path_;
    const int fd_;
};

}  // namespace rotary::server
