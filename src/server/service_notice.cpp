#include "server/service_notice.hpp"

#include <rotary/base/text.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rotary::server {

namespace {

// A manager that asks for less is told this often; one that waits for longer than a day is told
// once a day, which no clock overflows at.
constexpr std::chrono::milliseconds kShortest{1};
constexpr std::chrono::hours kLongest{24};

std::string counted(std::size_t count, std::string_view what) {
    std::string text = std::to_string(count);
    text += ' ';
    text += what;
    if (count != 1) text += 's';
    return text;
}

}  // namespace

std::optional<NoticeAddress> notice_address(std::string_view notify_socket) {
    NoticeAddress address;
    const bool is_path = notify_socket.starts_with('/');
    const bool is_abstract = notify_socket.starts_with('@');
    // A path keeps its last NUL, a name of the abstract kind has its length alone.
    const std::size_t most = sizeof(address.socket.sun_path) - (is_path ? 1 : 0);
    if (!(is_path || is_abstract) || notify_socket.size() < 2 || notify_socket.size() > most) {
        return std::nullopt;
    }
    address.socket.sun_family = AF_UNIX;
    std::copy(notify_socket.begin(), notify_socket.end(), std::begin(address.socket.sun_path));
    if (is_abstract) address.socket.sun_path[0] = '\0';
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket.size() +
                                            (is_path ? 1 : 0));
    return address;
}

Watchdog watchdog_of(const config::Environment& environment, pid_t self) {
    Watchdog watchdog;
    const auto wanted = environment("WATCHDOG_USEC");
    if (!wanted) return watchdog;
    if (const auto process = environment("WATCHDOG_PID")) {
        const auto id = text::parse_unsigned(*process);
        watchdog.readable = id.has_value() && *id > 0;
        if (!id || std::cmp_not_equal(*id, self)) return watchdog;
    }
    const auto microseconds = text::parse_unsigned(*wanted);
    watchdog.readable = microseconds.has_value() && *microseconds > 0;
    if (!watchdog.readable) return watchdog;
    const std::uint64_t longest = std::chrono::microseconds(kLongest).count();
    watchdog.each = std::chrono::microseconds(std::min(*microseconds / 2, longest));
    watchdog.each = std::max<std::chrono::microseconds>(watchdog.each, kShortest);
    return watchdog;
}

std::string ready_notice(const ServingState& state) {
    std::string text = "READY=1\nSTATUS=Serving: ";
    text += counted(state.listeners, "listener");
    text += ", ";
    text += counted(state.workers, "worker");
    text += ", configuration ";
    text += std::to_string(state.generation);
    if (!state.last_reload_ok) text += "; the last reload was refused, the log says why";
    return text;
}

std::string reloading_notice(std::chrono::microseconds monotonic) {
    std::string text = "RELOADING=1\nMONOTONIC_USEC=";
    text += std::to_string(monotonic.count());
    text += "\nSTATUS=Reading the configuration";
    return text;
}

std::string stopping_notice() {
    return "STOPPING=1\nSTATUS=Draining: requests under way are finished";
}

std::string extension_notice(std::chrono::microseconds time) {
    return "EXTEND_TIMEOUT_USEC=" + std::to_string(time.count());
}

std::string silent_worker_notice(std::size_t worker) {
    std::string text = "STATUS=Worker ";
    text += std::to_string(worker);
    text += " does not answer: the watchdog is not told";
    return text;
}

}  // namespace rotary::server
