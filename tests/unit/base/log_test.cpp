#include <rotary/base/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <array>
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
    EXPECT_THAT(sink.text(), MatchesRegex(std::string("\\{") + kStamp +
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
    EXPECT_THAT(sink.text(), HasSubstr(R"("level":"warn","msg":"all","a":"str","b":"v","c":-1,)"
                                       R"("d":18446744073709551615,"e":0.5,"f":true,"g":false,)"
                                       R"("h":null})"));
}

TEST(Logger, EscapesWhatItQuotes) {
    const Sink sink;
    Logger log(LogLevel::info, LogFormat::json, sink.fd());
    log.error("line\nbreak \"q\"", {{"path", "\x1b[31m\xff"}});
    EXPECT_THAT(sink.text(), HasSubstr(R"("msg":"line\nbreak \"q\"","path":"\u001b[31m)"
                                       "\xef\xbf\xbd\"}\n"));
}

TEST(Logger, KeepsToItsLevel) {
    const Sink sink;
    Logger log(LogLevel::warn, LogFormat::json, sink.fd());
    log.debug("no");
    log.info("no");
    EXPECT_EQ(sink.text(), "");
    EXPECT_FALSE(log.enabled(LogLevel::info));
    log.warn("yes");
    log.error("yes");
    log.set_level(LogLevel::debug);
    log.debug("yes");
    const std::string text = sink.text();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Logger, WritesForPeople) {
    const Sink sink;
    Logger log(LogLevel::info, LogFormat::text, sink.fd());
    log.info("listening", {{"address", "0.0.0.0:9095"}, {"note", "two words"}, {"port", 1}});
    EXPECT_THAT(sink.text(), MatchesRegex("[0-9:.]+ info  listening address=0.0.0.0:9095 "
                                          "note=\"two words\" port=1\n"));
    log.info("peer said \x1b[2J", {{"what", "\x1b[2J"}});
    EXPECT_EQ(sink.text().find('\x1b'), std::string::npos);
    const Sink coloured;
    Logger(LogLevel::info, LogFormat::colour, coloured.fd()).error("bad");
    EXPECT_THAT(coloured.text(), HasSubstr("\x1b[31merror\x1b[0m"));
}

TEST(Logger, TakesJsonForAnythingButATerminal) {
    const Sink sink;
    EXPECT_EQ(detect_log_format(sink.fd()), LogFormat::json);
}

TEST(Logger, KnowsItsLevelsByName) {
    EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
    EXPECT_EQ(parse_log_level("error"), LogLevel::error);
    EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
    EXPECT_EQ(parse_log_level(""), std::nullopt);
    EXPECT_EQ(to_string(LogLevel::warn), "warn");
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

// A secret has no way in: only text, numbers and truths convert.
struct Secret {
    std::string text;
};
static_assert(!std::is_convertible_v<Secret, LogValue>);
static_assert(!std::is_convertible_v<void*, LogValue>);
static_assert(!std::is_convertible_v<std::vector<char>, LogValue>);

}  // namespace
}  // namespace rotary
