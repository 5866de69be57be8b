#include <rotary/control/config_watch.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace rotary::control {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                  IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::uint32_t kOfTheFolderItself = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT;
constexpr int kMostSymlinks = 40;   // as the kernel follows
constexpr int kLongestSettle = 10;  // times `settle`: changes that never end are looked at too

// What matters in a watched folder.
struct Interest {
    bool everything = false;
    std::set<std::string> names;

    void add(const Interest& other) {
        everything = everything || other.everything;
        names.insert(other.names.begin(), other.names.end());
    }
};
using Interests = std::map<std::string, Interest>;  // by folder

// One name in its folder, or, where that is not there either, what is missing on the way to it.
void add_name(Interests& interests, const fs::path& path) {
    std::error_code ignored;
    fs::path folder = path.parent_path();
    fs::path name = path.filename();
    while (!folder.empty() && folder != folder.root_path() && !fs::is_directory(folder, ignored)) {
        name = folder.filename();
        folder = folder.parent_path();
    }
    interests[folder.string()].names.insert(name.string());
}

// Every symlink on the way, and where they lead: a folder with all that is in it, or a file's name;
// and the folder's own name above it. What is not there is looked for as far as the way goes.
void add_place(Interests& interests, const fs::path& place, int symlinks_left) {
    std::error_code error;
    fs::path way;
    for (auto step = place.begin(); step != place.end(); ++step) {
        way /= *step;
        if (!fs::is_symlink(way, error)) continue;
        add_name(interests, way);
        const fs::path target = fs::read_symlink(way, error);
        if (error || symlinks_left == 0) return;
        fs::path led = way.parent_path() / target;
        for (auto rest = std::next(step); rest != place.end(); ++rest) led /= *rest;
        add_place(interests, led.lexically_normal(), symlinks_left - 1);
        return;
    }
    const bool is_folder = fs::is_directory(way, error);
    if (is_folder) interests[way.string()].everything = true;
    if (!way.has_relative_path()) return;
    add_name(interests, way);
    if (!is_folder && way.parent_path().has_relative_path()) {
        add_name(interests, way.parent_path());
    }
}

Interests interests_of(const std::vector<std::string>& paths) {
    Interests interests;
    std::error_code ignored;
    for (const std::string& path : paths) {
        fs::path whole = fs::absolute(path, ignored).lexically_normal();
        if (!whole.has_filename()) whole = whole.parent_path();  // it was written as a/b/
        add_place(interests, whole, kMostSymlinks);
    }
    return interests;
}

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
    std::optional<std::chrono::steady_clock::time_point> latest;  // of a pending call
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
    latest.reset();
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
    if ((event.mask & kOfTheFolderItself) != 0 || place->second.everything) return true;
    return event.len > 0 && place->second.names.contains(event.name);
}

// Waits until it has been quiet for a while: an editor or a rollout makes many changes of one.
void ConfigWatch::State::changed() {
    const auto now = std::chrono::steady_clock::now();
    if (!latest) latest = now + kLongestSettle * settle;
    timer.expires_at(std::min(now + settle, *latest));
    timer.async_wait([this, still = alive](const boost::system::error_code& error) {
        if (error || !*still || !latest) return;
        latest.reset();
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
