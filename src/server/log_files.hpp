#pragma once

#include <rotary/base/log.hpp>

#include <string>
#include <utility>
#include <vector>

namespace rotary::server {

// To append, made where it is not there; -1: errno says why.
int open_log_file(const std::string& path) noexcept;

// The files that standard output and standard error were sent to when the process was started,
// by the names that they had then: so that log rotation can move them away and have them opened
// anew. What is a pipe, a terminal or a deleted file is left as it is.
class LogFiles {
public:
    explicit LogFiles(const std::vector<int>& outputs = {1, 2});  // descriptors
    // One that was opened by its name.
    void add(int fd, std::string path) { files_.push_back({fd, std::move(path)}); }
    // Opens each again, to append, in place of what its descriptor leads to; a write that is under
    // way ends in the old one. One that can't be opened stays, and that is logged.
    void reopen(Logger& log) const;

private:
    struct File {
        int fd;
        std::string path;
    };
    std::vector<File> files_;
};

}  // namespace rotary::server
