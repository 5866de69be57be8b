#include <rotary/base/log_writer.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace rotary {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 20000ms;

class Fd {
public:
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { close(); }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

struct Pipe {
    Pipe() : Pipe(make()) {}
    Fd reader;
    Fd writer;

private:
    explicit Pipe(std::array<int, 2> ends) : reader(ends[0]), writer(ends[1]) {}
    static std::array<int, 2> make() {
        std::array<int, 2> ends{-1, -1};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        return ends;
    }
};

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t n = 0; (n = ::read(fd, piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    return text;
}

std::string lines(int count, char letter) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::string(99, letter) + '\n';
    return text;
}

TEST(LogWriter, WritesInOrderAndGivesBuffersBack) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    {
        LogWriter writer({.fd = ::fileno(file)});
        std::string buffer;
        EXPECT_TRUE(writer.submit(buffer));  // nothing is fine
        for (int i = 0; i < 10; ++i) {
            buffer = std::to_string(i);
            buffer.append(1000, 'x').push_back('\n');
            ASSERT_TRUE(writer.submit(buffer));
            EXPECT_TRUE(buffer.empty());
            ASSERT_TRUE(writer.flush(kLong));
        }
        EXPECT_GE(buffer.capacity(), 1000U);  // one that was written before
        EXPECT_EQ(writer.stats().written_bytes, 10U * 1002);
        EXPECT_EQ(writer.stats().dropped_lines, 0U);
    }
    std::rewind(file);
    const std::string text = read_all(::fileno(file));
    ASSERT_EQ(text.size(), 10U * 1002);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(text[i * 1002], static_cast<char>('0' + i));
    std::fclose(file);
}

TEST(LogWriter, WritesWhatIsLeftWhenItGoes) {
    Pipe pipe;
    {
        LogWriter writer({.fd = pipe.writer.get()});
        std::string buffer = lines(100, 'a');
        writer.submit(buffer);
    }
    pipe.writer.close();
    EXPECT_EQ(read_all(pipe.reader.get()), lines(100, 'a'));
}

TEST(LogWriter, DropsAndCountsWhenTheSinkStalls) {
    Pipe pipe;
    const int room = ::fcntl(pipe.writer.get(), F_GETPIPE_SZ);
    ASSERT_GT(room, 0);
    {
        LogWriter writer({.fd = pipe.writer.get(),
                          .max_pending_bytes = static_cast<std::size_t>(room) * 3,
                          .stop_wait = 10ms});
        std::uint64_t refused = 0;
        for (int i = 0; i < 10; ++i) {
            std::string buffer = lines(room / 50, 'b');  // twice what the pipe holds
            if (!writer.submit(buffer)) refused += static_cast<std::uint64_t>(room / 50);
            EXPECT_TRUE(buffer.empty());
        }
        EXPECT_GT(refused, 0U);
        EXPECT_EQ(writer.stats().dropped_lines, refused);
        EXPECT_FALSE(writer.flush(1ms));
    }  // and the destructor does not wait for the reader
    pipe.writer.close();
    const std::string text = read_all(pipe.reader.get());
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.size() % 100, 0U);  // whole lines only, although the pipe was full
}

// Write calls of this process so far; 0: the kernel does not count them.
std::uint64_t write_calls() {
    std::ifstream io("/proc/self/io");
    std::string name;
    for (std::uint64_t count = 0; io >> name >> count;) {
        if (name == "syscw:") return count;
    }
    return 0;
}

TEST(LogWriter, WritesAllThatAnEmptyPipeHoldsInOneCall) {
    if (write_calls() == 0) GTEST_SKIP() << "no /proc/self/io";
    Pipe pipe;
    LogWriter writer({.fd = pipe.writer.get(), .stop_wait = kLong});
    const std::uint64_t before = write_calls();
    std::string buffer = lines(600, 'c');
    const std::string expected = buffer;
    ASSERT_TRUE(writer.submit(buffer));
    ASSERT_TRUE(writer.flush(kLong));
    EXPECT_EQ(write_calls() - before, 1U);
    std::string received(expected.size(), '\0');
    EXPECT_EQ(::read(pipe.reader.get(), received.data(), received.size()),
              static_cast<ssize_t>(received.size()));
    EXPECT_EQ(received, expected);
}

TEST(LogWriter, GoesOnWhenTheReaderCatchesUp) {
    for (const bool non_blocking : {false, true}) {
        Pipe pipe;
        if (non_blocking) ::fcntl(pipe.writer.get(), F_SETFL, O_NONBLOCK);
        std::string received;
        std::thread reader([&] { received = read_all(pipe.reader.get()); });
        std::string expected;
        {
            LogWriter writer({.fd = pipe.writer.get(), .stop_wait = kLong});
            for (int i = 0; i < 100; ++i) {
                std::string buffer = lines(100, static_cast<char>('a' + i % 26));
                expected += buffer;
                ASSERT_TRUE(writer.submit(buffer));
            }
            EXPECT_TRUE(writer.flush(kLong));
            EXPECT_EQ(writer.stats().dropped_lines, 0U);
        }
        pipe.writer.close();
        reader.join();
        EXPECT_EQ(received, expected);
    }
}

TEST(LogWriter, WritesToASocket) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    Fd near(ends[0]);
    Fd far(ends[1]);
    std::string received;
    std::thread reader([&] { received = read_all(far.get()); });
    {
        LogWriter writer({.fd = near.get(), .stop_wait = kLong});
        std::string buffer = lines(20'000, 's');
        ASSERT_TRUE(writer.submit(buffer));
        EXPECT_TRUE(writer.flush(kLong));
    }
    near.close();
    reader.join();
    EXPECT_EQ(received, lines(20'000, 's'));
}

TEST(LogWriter, SurvivesASinkThatBreaks) {
    struct Row {
        const char* name;
        int fd;
    };
    Pipe pipe;
    pipe.reader.close();
    const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    for (const Row& row : {Row{"pipe without a reader", pipe.writer.get()},
                           Row{"full disk", full.get()}, Row{"no descriptor", -1}}) {
        SCOPED_TRACE(row.name);
        LogWriter writer({.fd = row.fd});
        for (int i = 0; i < 3; ++i) {
            std::string buffer = lines(7, 'x');
            EXPECT_TRUE(writer.submit(buffer));
        }
        EXPECT_TRUE(writer.flush(kLong));
        EXPECT_EQ(writer.stats().dropped_lines, 21U);
        EXPECT_EQ(writer.stats().written_bytes, 0U);
    }
}

TEST(LogWriter, RefusesWhatIsLargerThanItsBound) {
    Pipe pipe;
    LogWriter writer({.fd = pipe.writer.get(), .max_pending_bytes = 1000});
    std::string buffer = lines(11, 'x');
    const auto capacity = buffer.capacity();
    EXPECT_FALSE(writer.submit(buffer));
    EXPECT_EQ(buffer.capacity(), capacity);
    EXPECT_EQ(writer.stats().dropped_lines, 11U);
    buffer = lines(10, 'x');
    EXPECT_TRUE(writer.submit(buffer));
}

TEST(LogWriter, TakesAnyAmountAsLongAsItIsWritten) {
    const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    LogWriter writer({.fd = null.get(), .max_pending_bytes = 1000});
    std::string buffer;
    for (int i = 0; i < 50; ++i) {
        buffer = lines(9, 'x');
        ASSERT_TRUE(writer.submit(buffer));
        ASSERT_TRUE(writer.flush(kLong));
    }
    EXPECT_EQ(writer.stats().written_bytes, 50U * 900);
}

// For ThreadSanitizer: several workers, a reader of the counts, a sink that comes and goes.
TEST(LogWriter, TakesLinesFromManyThreads) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    constexpr int kWorkers = 4;
    constexpr int kRounds = 200;
    std::atomic<std::uint64_t> refused{0};
    {
        LogWriter writer({.fd = ::fileno(file), .max_pending_bytes = 20'000, .stop_wait = kLong});
        std::vector<std::thread> workers;
        for (int i = 0; i < kWorkers; ++i) {
            workers.emplace_back([&writer, &refused, i] {
                std::string buffer;
                for (int n = 0; n < kRounds; ++n) {
                    buffer += lines(5, static_cast<char>('a' + i));
                    if (!writer.submit(buffer)) refused += 5;
                }
            });
        }
        for (int i = 0; i < 100; ++i) (void)writer.stats();
        for (auto& worker : workers) worker.join();
        EXPECT_TRUE(writer.flush(kLong));
        EXPECT_EQ(writer.stats().dropped_lines, refused);
    }
    std::rewind(file);
    const std::string text = read_all(::fileno(file));
    EXPECT_EQ(text.size() / 100 + refused, std::uint64_t{kWorkers} * kRounds * 5);
    for (std::size_t i = 0; i < text.size(); i += 100) {
        ASSERT_EQ(text.compare(i, 100, lines(1, text[i])), 0);
    }
    std::fclose(file);
}

}  // namespace
}  // namespace rotary
