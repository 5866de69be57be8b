#include <support/process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

extern char** environ;  // NOLINT: POSIX wants it so

namespace rotary::test {

namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (std::string& string : strings) list.push_back(string.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment(const ProcessOptions& options) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        bool replaced = false;
        for (const auto& [name, value] : options.environment) {
            replaced = replaced || text.starts_with(name + "=");
        }
        if (!replaced) all.emplace_back(text);
    }
    for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value);
    return all;
}

// The child's side, between fork and exec: only what is safe when other threads held locks.
[[noreturn]] void become(char* const* arguments, char* const* variables, const char* folder,
                         std::array<int, 2> outputs) {
    ::dup2(outputs[0], STDOUT_FILENO);
    ::dup2(outputs[1], STDERR_FILENO);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, STDIN_FILENO);
    std::signal(SIGPIPE, SIG_DFL);
    if (*folder == '\0' || ::chdir(folder) == 0) ::execve(arguments[0], arguments, variables);
    ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const ProcessOptions& options) {
    std::vector<std::string> command = options.command;
    std::vector<std::string> variables = environment(options);
    const std::vector<char*> arguments = pointers(command);
    const std::vector<char*> entries = pointers(variables);
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe");
    }
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
        become(arguments.data(), entries.data(), options.folder.c_str(), {out[1], err[1]});
    }
    ::close(out[1]);
    ::close(err[1]);
    out_.fd = out[0];
    err_.fd = err[0];
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    reader_ = std::thread([this] { read_outputs(); });
}

ChildProcess::~ChildProcess() {
    if (!status_) {
        signal(SIGKILL);
        wait(std::chrono::seconds(10));
    }
    if (reader_.joinable()) reader_.join();
    ::close(out_.fd);
    ::close(err_.fd);
    if (pidfd_ >= 0) ::close(pidfd_);
}

void ChildProcess::signal(int number) const {
    // Not once it is reaped: its id may belong to another by then.
    if (!status_) ::kill(pid_, number);
}

void ChildProcess::read_outputs() {
    std::array<Capture*, 2> captures{&out_, &err_};
    while (!out_.ended || !err_.ended) {
        const bool skips_errors = err_.ended || (errors_unread_ && !out_.ended);
        std::array<pollfd, 2> polls{
            {{out_.ended ? -1 : out_.fd, POLLIN, 0}, {skips_errors ? -1 : err_.fd, POLLIN, 0}}};
        if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) break;
        for (std::size_t i = 0; i < polls.size(); ++i) {
            if (polls[i].revents == 0) continue;
            if (captures[i] == &err_ && errors_unread_ && !out_.ended) continue;
            std::array<char, 8192> buffer;
            const ssize_t size = ::read(polls[i].fd, buffer.data(), buffer.size());
            const std::lock_guard lock(mutex_);
            if (size > 0) {
                captures[i]->text.append(buffer.data(), static_cast<std::size_t>(size));
            } else if (size == 0 || errno != EINTR) {
                captures[i]->ended = true;
            }
            changed_.notify_all();
        }
    }
}

std::string ChildProcess::output() const {
    const std::lock_guard lock(mutex_);
    return out_.text;
}

std::string ChildProcess::errors() const {
    const std::lock_guard lock(mutex_);
    return err_.text;
}

bool ChildProcess::wait_for(const Capture& capture, std::string_view text,
                            std::chrono::milliseconds timeout) const {
    const auto found = [&] { return capture.text.find(text) != std::string::npos; };
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, std::chrono::steady_clock::now() + timeout,
                        [&] { return found() || capture.ended; });
    return found();
}

bool ChildProcess::wait_for_output(std::string_view text, std::chrono::milliseconds timeout) const {
    return wait_for(out_, text, timeout);
}

bool ChildProcess::wait_for_errors(std::string_view text, std::chrono::milliseconds timeout) const {
    return wait_for(err_, text, timeout);
}

void ChildProcess::leave_errors_unread() {
    ::fcntl(err_.fd, F_SETPIPE_SZ, 4096);
    errors_unread_ = true;
}

std::optional<ExitStatus> ChildProcess::wait(std::chrono::milliseconds timeout) {
    if (status_) return status_;
    pollfd poll{pidfd_, POLLIN, 0};
    if (::poll(&poll, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return std::nullopt;
    status_ = ExitStatus{WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                         WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    reader_.join();
    return status_;
}

ProcessResult run_process(const ProcessOptions& options, std::chrono::milliseconds timeout) {
    ChildProcess child(options);
    ProcessResult result;
    auto status = child.wait(timeout);
    if (!status) {
        result.timed_out = true;
        child.signal(SIGKILL);
        status = child.wait(std::chrono::seconds(10));
    }
    result.status = status.value_or(ExitStatus{});
    result.output = child.output();
    result.errors = child.errors();
    return result;
}

}  // namespace rotary::test
