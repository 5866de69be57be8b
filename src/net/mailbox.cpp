#include <rotary/net/mailbox.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace rotary::net {

namespace {

int make_eventfd() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::system_category(), "eventfd");
    return fd;
}

}  // namespace

Mailbox::Mailbox() : fd_(make_eventfd()) {}

Mailbox::~Mailbox() { ::close(fd_); }

void Mailbox::put(Work work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    if (work_.size() > 1) return;
    // Each write is an edge. It fails only when the counter is full, which takes 2^64 of them.
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

std::vector<Mailbox::Work> Mailbox::empty() {
    const std::lock_guard lock(mutex_);
    return std::exchange(work_, {});
}

}  // namespace rotary::net
