#include "control/config_watch.hpp"

#include "control/settling.hpp"
#include "control/watched_folders.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>
#include <utility>

namespace rotary::control {

namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

struct ConfigWatch::State {
    State(boost::asio::io_context& control, Logger& with, std::function<void()> callback)
        : log(with), on_change(std::move(callback)), inotify(control), timer(control) {}

    bool open();
    void await_events();
    void read_events();
    bool matters(const inotify_event& event);
    void changed();
    void warn(const std::string& what, int error);
    void close() noexcept;

    Logger& log;
    std::function<void()> on_change;
    boost::asio::posix::stream_descriptor inotify;
    boost::asio::steady_timer timer;
    std::map<int, Interest> watched;  // by watch descriptor
    milliseconds settle{0};
    Settling settling;
    bool warned = false;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

bool ConfigWatch::State::open() {
    if (inotify.is_open()) return true;
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        warn("inotify", errno);
        return false;
    }
    inotify.assign(fd);
    await_events();
    return true;
}

void ConfigWatch::State::close() noexcept {
    boost::system::error_code ignored;
    inotify.close(ignored);
    watched.clear();
    settling.told();
    try {
        timer.cancel();
    } catch (...) {
        // Its handler finds nothing pending.
    }
}

void ConfigWatch::State::warn(const std::string& what, int error) {
    if (std::exchange(warned, true)) return;
    log.warn("the configuration is not watched everywhere: reload by SIGHUP",
             {{"what", what}, {"error", std::generic_category().message(error)}});
}

void ConfigWatch::State::await_events() {
    inotify.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this, still = alive](const boost::system::error_code& error) {
                           if (error || !*still) return;
                           read_events();
                           await_events();
                       });
}

void ConfigWatch::State::read_events() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t got = ::read(inotify.native_handle(), buffer.data(), buffer.size());
        if (got <= 0) return;
        const auto size = static_cast<std::size_t>(got);
        for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            if (matters(*event)) changed();
            at += sizeof *event + event->len;
        }
    }
}

bool ConfigWatch::State::matters(const inotify_event& event) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
    const auto place = watched.find(event.wd);
    if (place == watched.end()) return false;
    if ((event.mask & IN_IGNORED) != 0) {
        watched.erase(place);
        return true;
    }
    return place->second.concerned_by(event.mask, event.len > 0 ? event.name : "");
}

void ConfigWatch::State::changed() {
    timer.expires_at(settling.changed(std::chrono::steady_clock::now(), settle));
    timer.async_wait([this, still = alive](const boost::system::error_code& error) {
        if (error || !*still || !settling.pending()) return;
        settling.told();
        on_change();
    });
}

ConfigWatch::ConfigWatch(boost::asio::io_context& control, Logger& log,
                         std::function<void()> on_change)
    : state_(std::make_unique<State>(control, log, std::move(on_change))) {}

ConfigWatch::~ConfigWatch() {
    *state_->alive = false;
    stop();
}

void ConfigWatch::stop() noexcept { state_->close(); }

void ConfigWatch::watch(const std::vector<std::string>& paths, milliseconds settle) {
    State& state = *state_;
    state.settle = settle;
    if (!state.open()) return;
    std::map<int, Interest> next;
    for (const auto& [folder, interest] : interests_of(paths)) {
        const int wd = ::inotify_add_watch(state.inotify.native_handle(), folder.c_str(), kEvents);
        if (wd >= 0) {
            next[wd].add(interest);
        } else if (errno != ENOENT && errno != ENOTDIR) {
            state.warn(folder, errno);
        }
    }
    bool is_new = false;
    for (const auto& [wd, interest] : next) is_new = is_new || !state.watched.contains(wd);
    for (const auto& [wd, interest] : state.watched) {
        if (!next.contains(wd)) ::inotify_rm_watch(state.inotify.native_handle(), wd);
    }
    state.watched = std::move(next);
    if (is_new) state.changed();
}

}  // namespace rotary::control
