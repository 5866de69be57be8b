#include <rotary/base/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace rotary {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A file without a name, read back whole.
class Sink {
public:
    Sink() : file_(std::tmpfile()) {}
    ~Sink() { std::fclose(file_); }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    int fd() const { return ::fileno(file_); }
    // What stands there once all that `log` was given has been written.
    std::string text(Logger& log) const {
        EXPECT_TRUE(log.flush(std::chrono::seconds(20)));
        return text();
    }
    std::string text() const {
        std::string out;
        std::array<char, 4096> piece;
        for (off_t at = 0;;) {
            const ssize_t n = ::pread(fd(), piece.data(), piece.size(), at);
            if (n <= 0) return out;
            out.append(piece.data(), static_cast<std::size_t>(n));
            at += n;
        }
    }

private:
    std::FILE* file_;
};

constexpr const char* kStamp = R"("ts":"[0-9-]+T[0-9:.]+Z")";

TEST(Logger, WritesJsonLines) {
    const Sink sink;
    Logger log(LogLevel::debug, LogFormat::json, sink.fd());
    const std::string owned = "str";
    log.info("listening", {{"address", "0.0.0.0"}, {"port", 9095}});
    EXPECT_THAT(sink.text(log), MatchesRegex(std::string("\\{") + kStamp +
                                             R"(,"level":"info","msg":"listening",)"
                                             R"("address":"0.0.0.0","port":9095\})"
                                             "\n"));
    log.warn("all", {{"a", owned},
                     {"b", std::string_view("v")},
                     {"c", -1L},
                     {"d", ~0ULL},
                     {"e", 0.5},
                     {"f", true},
                     {"g", false},
                     {"h", std::numeric_limits<double>::infinity()}});
    EXPECT_THAT(sink.text(log), HasSubstr(R"("level":"warn","msg":"all","a":"str","b":"v","c":-1,)"
                                          R"("d":18446744073709551615,"e":0.5,"f":true,"g":false,)"
                                          R"("h":null})"));
}

TEST(Logger, EscapesWhatItQuotes) {
    const Sink sink;
    Logger log(LogLevel::info, LogFormat::json, sink.fd());
    log.error("line\nbreak \"q\"", {{"path", "\x1b[31m\xff"}});
    EXPECT_THAT(sink.text(log), HasSubstr(R"("msg":"line\nbreak \"q\"","path":"\u001b[31m)"
                                          "\xef\xbf\xbd\"}\n"));
}

TEST(Logger, KeepsToItsLevel) {
    const Sink sink;
    Logger log(LogLevel::warn, LogFormat::json, sink.fd());
    log.debug("no");
    log.info("no");
    EXPECT_EQ(sink.text(log), "");
    EXPECT_FALSE(log.enabled(LogLevel::info));
    log.warn("yes");
    log.error("yes");
    log.set_level(LogLevel::debug);
    log.debug("yes");
    const std::string text = sink.text(log);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Logger, WritesForPeople) {
    const Sink sink;
    Logger log(LogLevel::info, LogFormat::text, sink.fd());
    log.info("listening", {{"address", "0.0.0.0:9095"}, {"note", "two words"}, {"port", 1}});
    EXPECT_THAT(sink.text(log), MatchesRegex("[0-9:.]+ info  listening address=0.0.0.0:9095 "
                                             "note=\"two words\" port=1\n"));
    log.info("peer said \x1b[2J", {{"what", "\x1b[2J"}});
    EXPECT_EQ(sink.text(log).find('\x1b'), std::string::npos);
    const Sink coloured;
    Logger(LogLevel::info, LogFormat::colour, coloured.fd()).error("bad");
    EXPECT_THAT(coloured.text(), HasSubstr("\x1b[31merror\x1b[0m"));
}

TEST(Logger, TakesJsonForAnythingButATerminal) {
    const Sink sink;
    EXPECT_EQ(detect_log_format(sink.fd()), LogFormat::json);
}

TEST(Logger, NamesItsLevels) {
    EXPECT_EQ(to_string(LogLevel::trace), "trace");
    EXPECT_EQ(to_string(LogLevel::warn), "warn");
    EXPECT_EQ(to_string(LogLevel::error), "error");
}

TEST(Logger, KeepsLinesWholeBetweenThreads) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    {
        Logger log(LogLevel::info, LogFormat::json, ends[1]);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&log] {
                for (int n = 0; n < 50; ++n) log.info("event", {{"padding", "xxxxxxxxxxxxxxxx"}});
            });
        }
        for (auto& thread : threads) thread.join();
    }
    ::close(ends[1]);
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t n = 0; (n = ::read(ends[0], piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    std::istringstream lines(text);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        ASSERT_TRUE(line.starts_with("{\"ts\":") && line.ends_with("xxxx\"}")) << line;
    }
    EXPECT_EQ(count, 200);
}

TEST(Logger, SurvivesABrokenSink) {
    Logger log(LogLevel::info, LogFormat::json, -1);
    log.error("nobody hears");
}

// A reader that has stopped: its pipe is full for ever, or until it reads on.
class UnreadPipe {
public:
    UnreadPipe() {
        EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
        ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
    }
    ~UnreadPipe() {
        close_writer();
        ::close(ends_[0]);
    }
    UnreadPipe(const UnreadPipe&) = delete;
    UnreadPipe& operator=(const UnreadPipe&) = delete;

    int writer() const { return ends_[1]; }
    void close_writer() {
        if (ends_[1] >= 0) ::close(ends_[1]);
        ends_[1] = -1;
    }
    std::string read_what_is_there() const {
        pollfd entry{ends_[0], POLLIN, 0};
        return ::poll(&entry, 1, 0) > 0 ? read_some() : std::string();
    }
    std::string read_some() const {
        std::array<char, 4096> piece;
        const ssize_t n = ::read(ends_[0], piece.data(), piece.size());
        EXPECT_GT(n, 0);
        return std::string(piece.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

// What the whole notices in `text` say together.
std::uint64_t told_losses(const std::string& text) {
    std::uint64_t told = 0;
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view kNotice =
            R"("level":"warn","msg":"log lines were dropped","lines":)";
        const std::size_t at = line.find(kNotice);
        if (at != std::string::npos) told += std::stoull(line.substr(at + kNotice.size()));
    }
    return told;
}

TEST(Logger, NeverWaitsForItsReaderAndTellsOfTheLossLater) {
    UnreadPipe pipe;
    Logger log(LogLevel::info, LogFormat::json, pipe.writer());
    log.set_buffer_bytes(8192);
    for (int i = 0; i < 1000; ++i) log.error("event", {{"number", i}});  // far more than fits
    const std::uint64_t dropped = log.stats().dropped_lines;
    EXPECT_GT(dropped, 500U);
    EXPECT_LT(dropped, 1000U);
    EXPECT_FALSE(log.flush(std::chrono::milliseconds(1)));

    // Usually in one line, in two when the loss began before the pipe was full.
    std::string text;
    while (told_losses(text) < dropped) text += pipe.read_some();
    EXPECT_EQ(told_losses(text), dropped);
    EXPECT_THAT(text, HasSubstr("\"number\":0}\n"));
    // The loss may be told before the last of what is pending: room for more comes with that.
    while (!log.flush(std::chrono::milliseconds(1))) text += pipe.read_what_is_there();
    log.info("goes on");
    while (text.find("goes on") == std::string::npos) text += pipe.read_some();
}

TEST(Logger, EndsInTimeThoughNoReaderComes) {
    UnreadPipe pipe;
    const auto begun = std::chrono::steady_clock::now();
    {
        Logger log(LogLevel::info, LogFormat::json, pipe.writer());
        for (int i = 0; i < 1000; ++i) log.info("event");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

TEST(Logger, TellsOfWhatAFullDiskTook) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    Logger log(LogLevel::info, LogFormat::json, full);
    for (int i = 0; i < 3; ++i) log.info("lost");
    EXPECT_TRUE(log.flush(std::chrono::seconds(20)));
    EXPECT_EQ(log.stats().dropped_lines, 3U);
    const Sink sink;
    ASSERT_EQ(::dup2(sink.fd(), full), full);  // there is room again
    log.info("kept");
    log.flush(std::chrono::seconds(20));
    log.info("kept too");
    EXPECT_THAT(sink.text(log), HasSubstr(R"("msg":"log lines were dropped","lines":3})"));
    ::close(full);
}

TEST(Logger, PrintsLinesAsTheyAre) {
    const Sink sink;
    Logger log(LogLevel::error, LogFormat::json, sink.fd());
    log.print("a.yaml:1:1: warning: b\na.yaml:2:1: warning: c\n");
    EXPECT_EQ(sink.text(log), "a.yaml:1:1: warning: b\na.yaml:2:1: warning: c\n");
}

// A secret has no way in: only text, numbers and truths convert.
struct Secret {
    std::string text;
};
static_assert(!std::is_convertible_v<Secret, LogValue>);
static_assert(!std::is_convertible_v<void*, LogValue>);
static_assert(!std::is_convertible_v<std::vector<char>, LogValue>);

}  // namespace
}  // namespace rotary
