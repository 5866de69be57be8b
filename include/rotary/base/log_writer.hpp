#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rotary {

struct LogWriterOptions {
    int fd = 1;                                 // borrowed; its flags are not changed
    std::size_t max_pending_bytes = 8u << 20;   // handed over and not yet written
    std::chrono::milliseconds stop_wait{1000};  // how long the destructor lets the sink take
    // What to write once the sink takes lines again after so many were lost; called on the writer's
    // own thread. Null: the loss is only counted.
    std::function<std::string(std::uint64_t lost_lines)> notice = {};
};

struct LogWriterStats {
    std::uint64_t written_bytes = 0;
    std::uint64_t dropped_lines = 0;  // too much pending, or the sink refused them
};

// Writes a log: one thread of its own, so that a slow or broken sink never holds up another. The
// server owns the access log's, a Logger its own. Shared by all threads. Of the access log a worker
// hands over a buffer of whole lines when it holds some 64 KB or a tick has passed; the event log
// hands over each line as it comes. The mutex is held for a swap or a copy of a line. When the sink
// can't follow, lines are dropped and counted, never waited for.
class LogWriter {
public:
    explicit LogWriter(const LogWriterOptions& options);
    // Lets what is pending be written for up to stop_wait, then drops the rest. A thread stuck in
    // write(2) is left behind with state of its own.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    // Takes the lines in `buffer` (each ends in '\n') and leaves it empty, with the capacity of a
    // buffer written before if there is one. False when they were dropped.
    bool submit(std::string& buffer);
    // The same for a few lines, which are copied.
    bool append(std::string_view lines);

    // From now on; what is pending stays.
    void set_max_pending_bytes(std::size_t bytes) noexcept;

    // Waits until all that was submitted before is written or dropped; false if `deadline` came
    // first.
    bool flush(std::chrono::milliseconds deadline);

    LogWriterStats stats() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace rotary
