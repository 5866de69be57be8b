#pragma once

#include <rotary/base/log.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/fleet/redis.hpp>
#include <rotary/net/resolver.hpp>
#include <support/eventually.hpp>
#include <support/redis_server.hpp>
#include <support/temp_dir.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rotary::test {

using fleet::Reply;

// A client on a loop that the test turns, and what it told.
class RedisTest : public testing::Test, protected fleet::Store::Listener {
public:
    RedisTest() { redis_.listen(*this); }
    ~RedisTest() override { redis_.unlisten(*this); }
    RedisTest(const RedisTest&) = delete;
    RedisTest& operator=(const RedisTest&) = delete;

protected:
    void on_ready() override { told_ += "ready "; }
    void on_lost() override { told_ += "lost "; }
    void on_message(std::string_view message) override { heard_.emplace_back(message); }

    // Deadlines are long where they are not what is tested: the machine may be busy.
    static fleet::RedisOptions options(const std::string& host, std::uint16_t port) {
        config::Config config;
        config::Redis& redis = config.state.redis.emplace();
        redis.place = {host, port};
        redis.url = "redis://" + host + ":" + std::to_string(port);
        redis.deadline = std::chrono::seconds(5);
        config.timeouts.redis_connect = std::chrono::seconds(5);
        config.timeouts.redis_login = std::chrono::seconds(5);
        return fleet::redis_options(config, "a");
    }
    static fleet::RedisOptions options(const RedisServer& server) {
        return options("127.0.0.1", server.port());
    }

    // Turns the loop until it is true.
    template <class Condition>
    bool until(const Condition& condition, std::chrono::milliseconds patience = kPatience) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            context_.run_one_for(std::chrono::milliseconds(20));
        }
        return true;
    }
    void turn_for(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) context_.run_one_until(end);
    }
    bool connect(const fleet::RedisOptions& to) {
        redis_.configure(to);
        return until([this] { return redis_.is_ready(); });
    }
    // Until it has become ready so many times.
    bool until_connected(std::uint64_t times) {
        return until([&] { return redis_.is_ready() && redis_.counts().connects >= times; },
                     2 * kPatience);
    }

    Reply ask(std::vector<std::string> words) {
        Reply answer;
        bool is_there = false;
        redis_.ask(std::move(words), [&](const Reply& reply) {
            answer = reply;
            is_there = true;
        });
        EXPECT_FALSE(is_there) << "told from within the call";
        EXPECT_TRUE(until([&] { return is_there; }));
        return answer;
    }
    Reply run(const fleet::Script& script, std::vector<std::string> keys,
              std::vector<std::string> arguments) {
        Reply answer;
        bool is_there = false;
        redis_.run(script, std::move(keys), std::move(arguments), [&](const Reply& reply) {
            answer = reply;
            is_there = true;
        });
        EXPECT_FALSE(is_there) << "told from within the call";
        EXPECT_TRUE(until([&] { return is_there; }));
        return answer;
    }

    std::string log() {
        log_.flush(kPatience);
        return read_file(folder_ / "log");
    }
    // How many lines of the log have the text.
    std::size_t lines(const std::string& text) {
        const std::string all = log();
        std::size_t count = 0;
        for (std::size_t at = all.find(text); at != all.npos; at = all.find(text, at + 1)) ++count;
        return count;
    }

    TempDir folder_;
    // Closed once the logger has written its last line.
    struct LogFile {
        explicit LogFile(const std::string& path)
            : fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600)) {}
        ~LogFile() { ::close(fd); }
        LogFile(const LogFile&) = delete;
        LogFile& operator=(const LogFile&) = delete;
        const int fd;
    };
    LogFile log_file_{folder_ / "log"};
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    net::Resolver resolver_;
    Logger log_{LogLevel::info, LogFormat::json, log_file_.fd};
    std::string told_;
    std::vector<std::string> heard_;
    fleet::Redis redis_{context_, resolver_, log_};
};

}  // namespace rotary::test
