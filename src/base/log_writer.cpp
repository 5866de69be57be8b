#include <rotary/base/log_writer.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rotary {

namespace {

using namespace std::chrono_literals;

// How many written buffers are kept for reuse, and how big one of them may have grown.
constexpr std::size_t kSpareBuffers = 64;
constexpr std::size_t kSpareCapacity = 256u << 10;
constexpr std::size_t kAppendBytes = 64u << 10;  // lines that come one by one are put together

std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

enum class SinkKind { file, pipe, socket };

SinkKind kind_of(int fd) noexcept {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || S_ISREG(status.st_mode)) return SinkKind::file;
    return S_ISSOCK(status.st_mode) ? SinkKind::socket : SinkKind::pipe;  // or a terminal
}

}  // namespace

// Shared by the LogWriter and its thread, so that either may go first.
struct LogWriter::State {
    explicit State(const LogWriterOptions& given)
        : options(given), sink(kind_of(given.fd)), max_pending_bytes(given.max_pending_bytes) {}

    const LogWriterOptions options;
    const SinkKind sink;
    std::atomic<std::size_t> max_pending_bytes;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> written_bytes{0};
    std::atomic<std::uint64_t> dropped_lines{0};

    std::mutex mutex;
    std::condition_variable work;
    std::condition_variable progress;
    // Guarded by the mutex.
    std::vector<std::string> pending;
    std::vector<std::string> spare;
    std::size_t pending_bytes = 0;  // with those the thread has taken and not finished
    std::uint64_t submitted = 0;    // bytes handed over, ever
    std::uint64_t finished = 0;     // of those, written or dropped
    bool exited = false;

    void run();
    void finish(std::string& buffer);
    bool write_all(std::string_view text);
    void tell_of_losses();
    bool has_room(std::size_t bytes) const noexcept;
    std::string take_spare();
    ssize_t write_some(std::string_view text) const;
    bool wait_writable() const;

    std::uint64_t told_lines = 0;  // of the dropped ones; the thread's own
};

namespace {

// What a write to a pipe that is writable may carry and neither block nor mix with what others
// write there: PIPE_BUF, which is atomic, or all that an empty pipe holds, which goes in at once.
// (One that another process fills in between holds up this thread alone.)
std::size_t room_of_pipe(int fd) noexcept {
    int held = 0;
    if (::ioctl(fd, FIONREAD, &held) != 0 || held > 0) return PIPE_BUF;
    return static_cast<std::size_t>(std::max(::fcntl(fd, F_GETPIPE_SZ), PIPE_BUF));
}

// Whole lines that fit into so many bytes.
std::string_view next_piece(std::string_view text, std::size_t room) noexcept {
    if (text.size() <= room) return text;
    const auto end = text.rfind('\n', room - 1);
    return text.substr(0, end == text.npos ? PIPE_BUF : end + 1);
}

}  // namespace

bool LogWriter::State::wait_writable() const {
    pollfd entry{options.fd, POLLOUT, 0};
    while (!stopping.load(std::memory_order_relaxed)) {
        const int ready = ::poll(&entry, 1, 100);
        if (ready > 0) return true;  // an error shows in the write that follows
        if (ready < 0 && errno != EINTR) return true;
    }
    return false;
}

ssize_t LogWriter::State::write_some(std::string_view text) const {
    if (sink == SinkKind::socket) {
        return ::send(options.fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (sink == SinkKind::pipe && text.size() > PIPE_BUF) {
        text = next_piece(text, room_of_pipe(options.fd));
    }
    return ::write(options.fd, text.data(), text.size());
}

// Writes `text` or counts its rest as dropped. Says whether all of it was written.
bool LogWriter::State::write_all(std::string_view text) {
    while (!text.empty()) {
        if (sink != SinkKind::file && !wait_writable()) break;
        const ssize_t n = write_some(text);
        if (n > 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
            written_bytes.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (!wait_writable()) break;
            continue;
        }
        break;  // EPIPE, ENOSPC, EIO: the next buffer tries again
    }
    dropped_lines.fetch_add(count_lines(text), std::memory_order_relaxed);
    return text.empty();
}

// After a write that the sink took. A notice that is lost itself is one more line to tell of.
void LogWriter::State::tell_of_losses() {
    const std::uint64_t dropped = dropped_lines.load(std::memory_order_relaxed);
    if (dropped == told_lines || !options.notice) return;
    if (write_all(options.notice(dropped - told_lines))) told_lines = dropped;
}

// Under the mutex.
bool LogWriter::State::has_room(std::size_t bytes) const noexcept {
    const std::size_t most = max_pending_bytes.load(std::memory_order_relaxed);
    return pending_bytes <= most && bytes <= most - pending_bytes;
}

// Under the mutex.
std::string LogWriter::State::take_spare() {
    std::string taken;
    if (!spare.empty()) {
        taken = std::move(spare.back());
        spare.pop_back();
    }
    return taken;
}

// Under the mutex.
void LogWriter::State::finish(std::string& buffer) {
    pending_bytes -= buffer.size();
    finished += buffer.size();
    if (spare.size() < kSpareBuffers && buffer.capacity() <= kSpareCapacity) {
        buffer.clear();
        spare.push_back(std::move(buffer));
    }
}

void LogWriter::State::run() {
    std::vector<std::string> batch;
    std::unique_lock lock(mutex);
    for (;;) {
        work.wait(lock, [this] { return !pending.empty() || stopping; });
        if (pending.empty()) break;
        batch.swap(pending);
        bool is_taken = false;
        for (std::string& buffer : batch) {
            lock.unlock();
            is_taken = write_all(buffer);
            if (is_taken) tell_of_losses();
            lock.lock();
            finish(buffer);
        }
        batch.clear();
        // Lines are dropped only while others are unfinished: these are the last, until more come.
        if (is_taken && pending.empty()) {
            lock.unlock();
            tell_of_losses();
            lock.lock();
        }
        progress.notify_all();
    }
    exited = true;
    progress.notify_all();
}

LogWriter::LogWriter(const LogWriterOptions& options) : state_(std::make_shared<State>(options)) {
    // The thread takes no signals: they are the control thread's, and SIGPIPE must end nothing.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread([state = state_] { state->run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    thread.detach();
}

LogWriter::~LogWriter() {
    flush(state_->options.stop_wait);
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->work.notify_all();
    state_->progress.wait_for(lock, 200ms, [this] { return state_->exited; });
}

bool LogWriter::submit(std::string& buffer) {
    if (buffer.empty()) return true;
    State& state = *state_;
    std::unique_lock lock(state.mutex);
    if (!state.has_room(buffer.size())) {
        state.dropped_lines.fetch_add(count_lines(buffer), std::memory_order_relaxed);
        buffer.clear();
        return false;
    }
    std::string empty = state.take_spare();
    state.pending_bytes += buffer.size();
    state.submitted += buffer.size();
    state.pending.push_back(std::move(buffer));
    lock.unlock();
    state.work.notify_one();
    buffer = std::move(empty);
    return true;
}

bool LogWriter::append(std::string_view lines) {
    if (lines.empty()) return true;
    State& state = *state_;
    std::unique_lock lock(state.mutex);
    if (!state.has_room(lines.size())) {
        state.dropped_lines.fetch_add(count_lines(lines), std::memory_order_relaxed);
        return false;
    }
    const bool joins =
        !state.pending.empty() && state.pending.back().size() + lines.size() <= kAppendBytes;
    if (!joins) state.pending.push_back(state.take_spare());
    state.pending.back().append(lines);
    state.pending_bytes += lines.size();
    state.submitted += lines.size();
    lock.unlock();
    state.work.notify_one();
    return true;
}

void LogWriter::set_max_pending_bytes(std::size_t bytes) noexcept {
    state_->max_pending_bytes.store(bytes, std::memory_order_relaxed);
}

bool LogWriter::flush(std::chrono::milliseconds deadline) {
    std::unique_lock lock(state_->mutex);
    const auto goal = state_->submitted;
    return state_->progress.wait_for(lock, deadline, [&] { return state_->finished >= goal; });
}

LogWriterStats LogWriter::stats() const {
    return {state_->written_bytes.load(std::memory_order_relaxed),
            state_->dropped_lines.load(std::memory_order_relaxed)};
}

}  // namespace rotary
