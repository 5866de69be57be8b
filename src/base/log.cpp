#include <rotary/base/clock.hpp>
#include <rotary/base/json_text.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/text.hpp>

#include <unistd.h>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace rotary {

namespace {

constexpr std::array<std::string_view, 5> kNames{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 5> kColours{"\x1b[90m", "\x1b[90m", "\x1b[32m", "\x1b[33m",
                                                   "\x1b[31m"};
constexpr std::string_view kDim = "\x1b[90m";
constexpr std::string_view kPlain = "\x1b[0m";

template <class Number>
void append_number(std::string& out, Number value) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

// A number or a truth; JSON has no word for infinity.
void append_scalar(std::string& out, const LogValue& value) {
    switch (value.kind()) {
        case LogValue::Kind::boolean:
            out += value.boolean() ? "true" : "false";
            break;
        case LogValue::Kind::signed_integer:
            append_number(out, value.signed_integer());
            break;
        case LogValue::Kind::unsigned_integer:
            append_number(out, value.unsigned_integer());
            break;
        case LogValue::Kind::real:
            if (std::isfinite(value.real()))
                append_number(out, value.real());
            else
                out += "null";
            break;
        case LogValue::Kind::text:
            break;
    }
}

struct Line {
    LogLevel level;
    std::string_view message;
    LogFields fields;
};

void append_json_line(std::string& out, const Line& line) {
    TimestampBuffer stamp;
    out += R"({"ts":")";
    out += format_timestamp(std::chrono::system_clock::now(), stamp);
    out += R"(","level":")";
    out += to_string(line.level);
    out += R"(","msg":)";
    text::append_json_string(out, line.message);
    for (const LogField& field : line.fields) {
        out += ',';
        text::append_json_string(out, field.name);
        out += ':';
        if (field.value.kind() == LogValue::Kind::text) {
            text::append_json_string(out, field.value.text());
        } else {
            append_scalar(out, field.value);
        }
    }
    out += "}\n";
}

// Text is quoted, with its control characters escaped, unless it is one plain word.
void append_readable(std::string& out, std::string_view value) {
    const bool plain =
        !value.empty() &&
        value.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@+*,") ==
            value.npos;
    if (plain)
        out += value;
    else
        text::append_json_string(out, value);
}

void append_text_line(std::string& out, bool colour, const Line& line) {
    const auto paint = [&](std::string_view code) {
        if (colour) out += code;
    };
    TimestampBuffer stamp;
    paint(kDim);
    out += format_timestamp(std::chrono::system_clock::now(), stamp).substr(11, 12);
    paint(kPlain);
    out += ' ';
    paint(kColours[static_cast<std::size_t>(line.level)]);
    out += to_string(line.level);
    paint(kPlain);
    out.append(6 - to_string(line.level).size(), ' ');
    // Our own words, but they may quote a peer's: no escape sequence may reach a terminal.
    for (const char c : line.message) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    }
    for (const LogField& field : line.fields) {
        out += ' ';
        paint(kDim);
        out += field.name;
        out += '=';
        paint(kPlain);
        if (field.value.kind() == LogValue::Kind::text)
            append_readable(out, field.value.text());
        else
            append_scalar(out, field.value);
    }
    out += '\n';
}

bool is_set(const char* name) noexcept {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

void append_line(std::string& out, LogFormat format, const Line& line) {
    if (format == LogFormat::json) {
        append_json_line(out, line);
    } else {
        append_text_line(out, format == LogFormat::colour, line);
    }
}

LogWriterOptions writer_options(LogFormat format, int fd) {
    LogWriterOptions options;
    options.fd = fd;
    options.notice = [format](std::uint64_t lost) {
        std::string text;
        append_line(text, format, {LogLevel::warn, "log lines were dropped", {{"lines", lost}}});
        return text;
    };
    return options;
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
    return kNames[static_cast<std::size_t>(level)];
}

LogFormat detect_log_format(int fd) noexcept {
    if (::isatty(fd) == 0) return LogFormat::json;
    const char* term = std::getenv("TERM");
    const bool dumb = term != nullptr && std::string_view(term) == "dumb";
    return is_set("NO_COLOR") || dumb ? LogFormat::text : LogFormat::colour;
}

Logger::Logger(LogLevel level) : Logger(level, detect_log_format(STDERR_FILENO), STDERR_FILENO) {}

Logger::Logger(LogLevel level, LogFormat format, int fd)
    : level_(level), format_(format), writer_(writer_options(format, fd)) {}

void Logger::log(LogLevel level, std::string_view message, LogFields fields) {
    if (!enabled(level)) return;
    std::string line;
    line.reserve(256);
    append_line(line, format_, {level, message, fields});
    writer_.append(line);
}

}  // namespace rotary
