#pragma once

#include <rotary/config/load.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What sd_notify(3) and sd_watchdog_enabled(3) say, as plain decisions: where a service's manager
// listens, how often it wants to hear that the service lives, and the words for it.
namespace rotary::server {

struct NoticeAddress {
    sockaddr_un socket{};
    socklen_t length = 0;
};

// Of $NOTIFY_SOCKET: an absolute path, or a name of the abstract kind behind '@'. Nothing: neither,
// or longer than such a name can be.
std::optional<NoticeAddress> notice_address(std::string_view notify_socket);

struct Watchdog {
    std::chrono::microseconds each{0};  // half of what the manager waits for; 0: it does not
    bool readable = true;               // false: its variables are not what they should be
};

// Of $WATCHDOG_USEC, where $WATCHDOG_PID is `self` or is not there.
Watchdog watchdog_of(const config::Environment& environment, pid_t self);

struct ServingState {
    std::size_t listeners = 0;
    std::size_t workers = 0;
    std::uint64_t generation = 0;
    bool last_reload_ok = true;
};

std::string ready_notice(const ServingState& state);
std::string reloading_notice(std::chrono::microseconds monotonic);
std::string stopping_notice();
// A new message comes within `time`, or the process has ended by then.
std::string extension_notice(std::chrono::microseconds time);
std::string silent_worker_notice(std::size_t worker);
inline constexpr std::string_view kAliveNotice = "WATCHDOG=1";

}  // namespace rotary::server
