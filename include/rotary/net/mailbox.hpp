#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace rotary::net {

// Work that other threads leave for a loop. Its descriptor becomes readable, edge-triggered, when
// the first piece arrives in an empty box, and need not be read.
class Mailbox {
public:
    using Work = std::function<void()>;

    Mailbox();  // throws std::system_error when the process is out of descriptors
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    int fd() const noexcept { return fd_; }
    void put(Work work);        // from any thread
    std::vector<Work> empty();  // all of it, in the order it came

private:
    const int fd_;
    std::mutex mutex_;
    std::vector<Work> work_;
};

}  // namespace rotary::net
