#include <rotary/fleet/asio_timers.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <utility>

namespace rotary::fleet {

void AsioTimers::after(std::chrono::milliseconds wait, std::function<void()> work) {
    auto timer = std::make_shared<boost::asio::steady_timer>(control_, wait);
    timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& error) {
        if (!error) work();
    });
}

void AsioTimers::post(std::function<void()> work) { boost::asio::post(control_, std::move(work)); }

}  // namespace rotary::fleet
