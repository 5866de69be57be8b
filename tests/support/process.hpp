#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace rotary::test {

struct ExitStatus {
    int code = -1;   // when it exited
    int signal = 0;  // when a signal ended it
};

struct ProcessOptions {
    std::vector<std::string> command;  // the first is the path of the program
    std::vector<std::pair<std::string, std::string>> environment;  // on top of ours
    std::string folder;                                            // working directory; empty: ours
};

// A program that a test runs: both of its outputs are read as they come, and it is killed, by its
// id, and reaped when this goes.
class ChildProcess {
public:
    explicit ChildProcess(const ProcessOptions& options);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;

    std::string output() const;
    std::string errors() const;
    // Until that text stands in the standard output, or the error output; false: time is over, or
    // the program has ended without it.
    bool wait_for_output(std::string_view text, std::chrono::milliseconds timeout) const;
    bool wait_for_errors(std::string_view text, std::chrono::milliseconds timeout) const;

    // Stops reading its error output, whose pipe then holds one page, until the program has ended.
    void leave_errors_unread();

    // Nothing when it runs on. Once it has ended every output is there.
    std::optional<ExitStatus> wait(std::chrono::milliseconds timeout);

private:
    struct Capture {
        int fd = -1;
        std::string text;
        bool ended = false;
    };

    void read_outputs();
    bool wait_for(const Capture& capture, std::string_view text,
                  std::chrono::milliseconds timeout) const;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Capture out_;
    Capture err_;
    pid_t pid_ = -1;
    int pidfd_ = -1;
    std::optional<ExitStatus> status_;
    std::atomic<bool> errors_unread_{false};
    std::thread reader_;
};

struct ProcessResult {
    ExitStatus status;
    bool timed_out = false;
    std::string output;
    std::string errors;
};

// Runs a program to its end; killed when that takes longer.
ProcessResult run_process(const ProcessOptions& options,
                          std::chrono::milliseconds timeout = std::chrono::seconds(30));

}  // namespace rotary::test
