#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>

namespace rotary::fleet {

// Has work done on the control thread's loop at the wish of threads that may neither wait nor
// allocate. Wishes that come together are one.
class Doorbell {
public:
    // Throws std::system_error when the process is out of descriptors.
    Doorbell(boost::asio::io_context& control, std::function<void()> rung);
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    void ring() noexcept;  // from any thread, for as long as this lives
    void stop();           // none is heard any more. Control thread

private:
    void wait();

    boost::asio::posix::stream_descriptor event_;
    std::function<void()> rung_;
};

}  // namespace rotary::fleet
