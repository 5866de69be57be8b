#include "tools/top.hpp"

#include "tools/top_screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rotary::tools {

namespace {

volatile std::sig_atomic_t ended_by = 0;

void note_signal(int number) { ended_by = number; }

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written <= 0) return;  // a terminal that has gone wants nothing
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

// The alternate screen, without echo; as it was before when this goes.
class Screen {
public:
    Screen() {
        ::tcgetattr(STDIN_FILENO, &before_);
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        write_all("\x1b[?1049h\x1b[?25l");
    }
    ~Screen() {
        write_all("\x1b[?25h\x1b[?1049l");
        ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

private:
    termios before_{};
};

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = note_signal;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        ::sigaction(number, &action, nullptr);
    }
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    ::sigaction(SIGTSTP, &ignored, nullptr);  // a stopped one would leave its screen there
}

void measure(TopView& view) {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return;
    view.width = size.ws_col;
    view.height = std::max<std::size_t>(size.ws_row, 4);
}

// Not ok: the reply that is to blame.
AdminReply look(const AdminPlace& place, TopSnapshot& snapshot) {
    const std::pair<const char*, std::string*> parts[] = {
        {"/api/v1/status", &snapshot.status},
        {"/api/v1/models", &snapshot.models},
        {"/api/v1/requests?limit=200", &snapshot.requests},
    };
    AdminReply reply;
    for (const auto& [path, text] : parts) {
        reply = ask_admin(place, "GET", path);
        if (!reply.ok()) return reply;
        *text = reply.body;
    }
    return reply;
}

constexpr std::string_view kKeys =
    "q quit  p pause  s sort  e errors only  up/down choose  S suspend  r resume";

void change(const AdminPlace& place, const TopSnapshot& snapshot, TopView& view, bool suspends) {
    const auto ids = top_ids(snapshot, view.order);
    if (view.chosen >= ids.size()) return;
    const std::string& id = ids[view.chosen];
    const AdminReply reply = ask_admin(
        place, "POST", "/api/v1/models/" + path_segment(id) + (suspends ? "/suspend" : "/resume"));
    view.note =
        reply.ok() ? id + (suspends ? " is suspended" : " is back") : id + ": " + message_of(reply);
}

// False: it is the end.
bool press(std::string_view key, const AdminPlace& place, const TopSnapshot& snapshot,
           TopView& view) {
    const std::size_t rows = top_ids(snapshot, view.order).size();
    if (key == "q") return false;
    if (key == "p") view.paused = !view.paused;
    if (key == "e") view.only_errors = !view.only_errors;
    if (key == "s") view.order = static_cast<TopOrder>((static_cast<int>(view.order) + 1) % 3);
    if ((key == "j" || key == "\x1b[B") && view.chosen + 1 < rows) ++view.chosen;
    if ((key == "k" || key == "\x1b[A") && view.chosen > 0) --view.chosen;
    if (key == "S" || key == "r") change(place, snapshot, view, key == "S");
    return true;
}

void draw(const TopSnapshot& snapshot, TopView& view) {
    measure(view);
    std::string out = "\x1b[H";
    const auto lines = top_lines(snapshot, view, style_for(STDOUT_FILENO));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out.append(i == 0 ? "" : "\r\n").append(lines[i]).append("\x1b[K");
    }
    write_all(out.append("\x1b[J"));
}

// Keys until it is time to look again. False: it is the end.
bool await_keys(std::chrono::steady_clock::time_point until, const AdminPlace& place,
                const TopSnapshot& snapshot, TopView& view) {
    while (ended_by == 0) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd keyboard{STDIN_FILENO, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&keyboard, 1, static_cast<int>(left.count())) == 0) {
            return true;
        }
        if ((keyboard.revents & POLLIN) == 0) {
            if ((keyboard.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return false;
            continue;
        }
        char typed[16];
        const ssize_t size = ::read(STDIN_FILENO, typed, sizeof typed);
        if (size <= 0) return false;
        std::string_view rest(typed, static_cast<std::size_t>(size));
        while (!rest.empty()) {
            if (!press(take_key(rest), place, snapshot, view)) return false;
        }
        draw(snapshot, view);
    }
    return false;
}

void show_until_the_end(const AdminPlace& place, TopSnapshot snapshot) {
    const Screen screen;
    TopView view;
    view.shows_choice = true;
    view.note = kKeys;
    bool goes_on = true;
    while (goes_on) {
        draw(snapshot, view);
        const auto next = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        goes_on = await_keys(next, place, snapshot, view);
        if (!goes_on || view.paused) continue;
        TopSnapshot fresh;
        const AdminReply reply = look(place, fresh);
        if (reply.ok()) {
            snapshot = std::move(fresh);
        } else {
            view.note = message_of(reply);
        }
    }
}

int failed(const AdminReply& reply) {
    std::fprintf(stderr, "rotary top: %s\n", message_of(reply).c_str());
    return reply.status == 0 ? 3 : 1;
}

}  // namespace

int run_top(const AdminPlace& place) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
        std::fputs("rotary top: this is no terminal; --once prints it once\n", stderr);
        return 2;
    }
    TopSnapshot first;
    const AdminReply reply = look(place, first);
    if (!reply.ok()) return failed(reply);
    catch_signals();
    show_until_the_end(place, std::move(first));
    if (ended_by != 0) {
        std::signal(ended_by, SIG_DFL);
        std::raise(ended_by);
    }
    return 0;
}

void print_page(const TopSnapshot& snapshot) {
    TopView view;
    view.width = 170;  // room for the longest reason of a suspension
    for (const std::string& line : top_lines(snapshot, view, style_for(STDOUT_FILENO))) {
        std::printf("%s\n", line.c_str());
    }
}

int print_top(const AdminPlace& place, bool as_json) {
    TopSnapshot snapshot;
    const AdminReply reply = look(place, snapshot);
    if (!reply.ok()) return failed(reply);
    if (as_json) {
        std::fputs(top_json(snapshot).c_str(), stdout);
        return 0;
    }
    print_page(snapshot);
    return 0;
}

}  // namespace rotary::tools
