#include "server/supervision.hpp"

#include <unistd.h>

#include <utility>

namespace rotary::server {

namespace {

// How soon a worker that has yet to answer is looked at again, as a part of the usual time: so one
// that was only late costs the manager no more than that.
constexpr int kSooner = 8;

std::chrono::microseconds monotonic_now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

Supervision::Supervision(boost::asio::io_context& control, Process process, Logger& log)
    : process_(std::move(process)),
      log_(log),
      manager_(process_.environment, log),
      timer_(control),
      pulse_(process_.workers) {
    if (!manager_.is_open()) return;
    const Watchdog watchdog = watchdog_of(process_.environment, ::getpid());
    if (!watchdog.readable) {
        log_.warn("WATCHDOG_USEC and WATCHDOG_PID are not numbers: no watchdog is told");
    }
    each_ = watchdog.each;
}

void Supervision::ready() {
    if (!manager_.is_open()) return;
    said_ = ready_notice(process_.state());
    manager_.tell(said_);
    if (each_.count() == 0) return;
    log_.info("the service's watchdog is told", {{"each_milliseconds", each_.count() / 1000}});
    pulse_.ask(process_.post);
    look_again(each_);
}

void Supervision::reloading() {
    if (manager_.is_open()) manager_.tell(reloading_notice(monotonic_now()));
}

void Supervision::reloaded() {
    if (!manager_.is_open()) return;
    said_ = ready_notice(process_.state());
    manager_.tell(said_);
}

void Supervision::stopping(std::chrono::milliseconds longest) {
    if (!manager_.is_open()) return;
    said_ = stopping_notice();
    manager_.tell(said_);
    manager_.tell(extension_notice(longest));
}

void Supervision::look_again(std::chrono::microseconds wait) {
    timer_.expires_after(wait);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) look_at_workers();
    });
}

void Supervision::look_at_workers() {
    const auto silent = pulse_.silent();
    if (silent && silent != silent_) {
        log_.warn("a worker does not answer: the watchdog is not told", {{"worker", *silent}});
        manager_.tell(silent_worker_notice(*silent));
    } else if (!silent) {
        if (silent_) manager_.tell(said_);
        manager_.tell(kAliveNotice);
        pulse_.ask(process_.post);
    }
    silent_ = silent;
    look_again(silent ? each_ / kSooner : each_);
}

}  // namespace rotary::server
