#include <rotary/fleet/doorbell.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace rotary::fleet {

namespace {

int make_eventfd() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::system_category(), "eventfd");
    return fd;
}

}  // namespace

Doorbell::Doorbell(boost::asio::io_context& control, std::function<void()> rung)
    : event_(control, make_eventfd()), rung_(std::move(rung)) {
    wait();
}

// It fails only when the counter is full, and then it has rung.
void Doorbell::ring() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_.native_handle(), &one, sizeof one);
}

void Doorbell::stop() { event_.cancel(); }

void Doorbell::wait() {
    event_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                          if (error) return;
                          std::uint64_t count = 0;
                          [[maybe_unused]] const auto taken =
                              ::read(event_.native_handle(), &count, sizeof count);
                          rung_();
                          wait();
                      });
}

}  // namespace rotary::fleet
