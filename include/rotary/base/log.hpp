#pragma once

#include <rotary/base/log_level.hpp>
#include <rotary/base/log_writer.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace rotary {

std::string_view to_string(LogLevel level) noexcept;

// One value of a log line: text, a number or a truth. Views must live until the call returns. Only
// these types convert, so a secret (a type of its own, without conversions) cannot slip in.
class LogValue {
public:
    enum class Kind : std::uint8_t { text, signed_integer, unsigned_integer, real, boolean };

    constexpr LogValue(const char* value) noexcept : kind_(Kind::text), text_(value) {}
    constexpr LogValue(std::string_view value) noexcept : kind_(Kind::text), text_(value) {}
    LogValue(const std::string& value) noexcept : kind_(Kind::text), text_(value) {}
    template <std::same_as<bool> T>
    constexpr LogValue(T value) noexcept : kind_(Kind::boolean), unsigned_(value ? 1 : 0) {}
    template <std::signed_integral T>
    constexpr LogValue(T value) noexcept : kind_(Kind::signed_integer), signed_(value) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) constexpr LogValue(T value) noexcept
        : kind_(Kind::unsigned_integer), unsigned_(value) {}
    template <std::floating_point T>
    constexpr LogValue(T value) noexcept : kind_(Kind::real), real_(static_cast<double>(value)) {}

    constexpr Kind kind() const noexcept { return kind_; }
    constexpr std::string_view text() const noexcept { return text_; }
    constexpr std::int64_t signed_integer() const noexcept { return signed_; }
    constexpr std::uint64_t unsigned_integer() const noexcept { return unsigned_; }
    constexpr double real() const noexcept { return real_; }
    constexpr bool boolean() const noexcept { return unsigned_ != 0; }

private:
    Kind kind_;
    std::string_view text_;
    std::int64_t signed_ = 0;
    std::uint64_t unsigned_ = 0;
    double real_ = 0;
};

struct LogField {
    std::string_view name;
    LogValue value;
};

using LogFields = std::initializer_list<LogField>;

// json: {"ts":…,"level":…,"msg":…,fields} for machines; text and colour for a person at a terminal.
enum class LogFormat : std::uint8_t { json, text, colour };

// What suits `fd`: json unless it is a terminal; then colour, or text when NO_COLOR is set or TERM
// is dumb.
LogFormat detect_log_format(int fd) noexcept;

// The process's log of events: start, reload, suspension, a failed fetch. Never a line per request
// (that is the AccessLog's). Passed by reference, owned by main(). Shared by all threads: a line is
// built by its caller and handed to a LogWriter, so lines never mix and no caller ever waits for
// the sink. What the sink does not take is lost, counted, and told of once it takes lines again.
class Logger {
public:
    // To standard error, in the format that suits it.
    explicit Logger(LogLevel level = LogLevel::info);
    Logger(LogLevel level, LogFormat format, int fd);
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }
    LogLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }
    bool enabled(LogLevel level) const noexcept { return level >= this->level(); }
    // How many bytes may wait for the sink.
    void set_buffer_bytes(std::size_t bytes) noexcept { writer_.set_max_pending_bytes(bytes); }

    void debug(std::string_view message, LogFields fields = {}) {
        log(LogLevel::debug, message, fields);
    }
    void info(std::string_view message, LogFields fields = {}) {
        log(LogLevel::info, message, fields);
    }
    void warn(std::string_view message, LogFields fields = {}) {
        log(LogLevel::warn, message, fields);
    }
    void error(std::string_view message, LogFields fields = {}) {
        log(LogLevel::error, message, fields);
    }
    void log(LogLevel level, std::string_view message, LogFields fields = {});
    // Whole lines as they are, whatever the level: what start-up has to say to its operator.
    void print(std::string_view lines) { writer_.append(lines); }

    // Waits until what was logged before is written or lost; false if `deadline` came first.
    bool flush(std::chrono::milliseconds deadline) { return writer_.flush(deadline); }
    LogWriterStats stats() const { return writer_.stats(); }

private:
    std::atomic<LogLevel> level_;
    LogFormat format_;
    LogWriter writer_;
};

}  // namespace rotary
