#include "server/supervision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <support/eventually.hpp>
#include <support/notice_inbox.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using test::kPatience;
using test::NoticeInbox;

constexpr std::string_view kReady =
    "READY=1\nSTATUS=Serving: 1 listener, 3 workers, configuration 1";

// Three workers whose mail lies here until a test has it read; a manager that listens.
struct Supervised : testing::Test {
    explicit Supervised(NoticeInbox::Kind kind = NoticeInbox::Kind::path) : inbox(kind) {
        variables["NOTIFY_SOCKET"] = inbox.name();
    }

    Supervision& begin() {
        Supervision::Process process;
        process.environment = [this](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
        };
        process.workers = mail.size();
        process.post = [this](std::size_t worker, std::function<void()> work) {
            mail[worker].push_back(std::move(work));
        };
        process.state = [this] { return state; };
        supervision = std::make_unique<Supervision>(control, std::move(process), log);
        return *supervision;
    }

    void read_mail_of(std::size_t worker) {
        for (const auto& work : mail[worker]) work();
        mail[worker].clear();
    }
    void read_all_mail() {
        for (std::size_t i = 0; i < mail.size(); ++i) read_mail_of(i);
    }
    std::size_t letters() const {
        std::size_t count = 0;
        for (const auto& of_one : mail) count += of_one.size();
        return count;
    }
    std::string told() {
        const std::string notice = inbox.next(0ms);
        return notice.empty() ? "(nothing)" : notice;
    }

    NoticeInbox inbox;
    std::map<std::string, std::string, std::less<>> variables;
    std::vector<std::vector<std::function<void()>>> mail{3};
    ServingState state{1, 3, 1, true};
    boost::asio::io_context control;
    Logger log{LogLevel::error};
    std::unique_ptr<Supervision> supervision;
};

struct SupervisedByAbstractName : Supervised {
    SupervisedByAbstractName() : Supervised(NoticeInbox::Kind::abstract) {}
};

TEST_F(Supervised, AManagerHearsOfStartReloadAndStop) {
    Supervision& process = begin();
    EXPECT_EQ(told(), "(nothing)");
    process.ready();
    EXPECT_EQ(told(), kReady);
    process.reloading();
    EXPECT_THAT(told(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=.*"));
    state.generation = 2;
    process.reloaded();
    EXPECT_EQ(told(), "READY=1\nSTATUS=Serving: 1 listener, 3 workers, configuration 2");
    process.stopping(34s);
    EXPECT_THAT(told(), testing::StartsWith("STOPPING=1\n"));
    EXPECT_EQ(told(), "EXTEND_TIMEOUT_USEC=34000000");
    EXPECT_EQ(told(), "(nothing)");
    EXPECT_EQ(letters(), 0U) << "no watchdog was wished for";
    EXPECT_EQ(control.poll(), 0U);
}

TEST_F(SupervisedByAbstractName, ItIsToldAsWell) {
    begin().ready();
    EXPECT_EQ(told(), kReady);
}

TEST_F(Supervised, TheWatchdogIsToldWhenAllWorkersHaveAnsweredAndNotBefore) {
    variables["WATCHDOG_USEC"] = "2000";
    variables["WATCHDOG_PID"] = std::to_string(::getpid());
    begin().ready();
    EXPECT_EQ(told(), kReady);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(letters(), 3U) << round;
        read_all_mail();
        control.run_one();
        EXPECT_EQ(told(), kAliveNotice) << round;
    }
    // The third round's questions are out; worker 1 is stuck.
    read_mail_of(0);
    read_mail_of(2);
    control.run_one();
    EXPECT_EQ(told(), "STATUS=Worker 1 does not answer: the watchdog is not told");
    for (int look = 0; look < 20; ++look) {
        control.run_one();
        EXPECT_EQ(told(), "(nothing)") << look;
        EXPECT_EQ(letters(), 1U) << "one that is stuck is not asked again";
    }
    read_all_mail();
    control.run_one();
    EXPECT_EQ(told(), kReady) << "what lasts is said again";
    EXPECT_EQ(told(), kAliveNotice);
    EXPECT_EQ(letters(), 3U);
}

TEST_F(Supervised, ADrainIsStillWatched) {
    variables["WATCHDOG_USEC"] = "2000";
    begin().ready();
    supervision->stopping(1s);
    read_all_mail();
    control.run_one();
    inbox.next_with("EXTEND", kPatience);
    EXPECT_EQ(told(), kAliveNotice);
}

TEST_F(Supervised, AnAnswerThatComesAfterTheEndHarmsNothing) {
    variables["WATCHDOG_USEC"] = "2000";
    begin().ready();
    supervision.reset();
    read_all_mail();
    EXPECT_EQ(told(), kReady);
}

TEST_F(Supervised, AnothersWatchdogIsNone) {
    variables["WATCHDOG_USEC"] = "2000";
    variables["WATCHDOG_PID"] = std::to_string(::getppid());
    begin().ready();
    EXPECT_EQ(told(), kReady);
    EXPECT_EQ(letters(), 0U);
}

TEST_F(Supervised, WithoutAManagerNothingIsToldNorAsked) {
    variables.erase("NOTIFY_SOCKET");
    variables["WATCHDOG_USEC"] = "2000";
    Supervision& process = begin();
    process.ready();
    process.reloading();
    process.reloaded();
    process.stopping(1s);
    EXPECT_EQ(told(), "(nothing)");
    EXPECT_EQ(letters(), 0U);
}

// A queue that is full, a socket that is not there: told of once, and never waited for long.
TEST(ServiceSocket, WhatAManagerDoesNotTakeIsWarnedOfOnce) {
    test::TempDir dir;
    const std::string log_path = dir / "log";
    const int fd = ::open(log_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const auto lines_with = [&](std::string_view part) {
        const std::string text = test::read_file(log_path);
        std::size_t count = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
            ++count;
        }
        return count;
    };
    {
        Logger log(LogLevel::info, LogFormat::json, fd);
        ServiceSocket gone([&](std::string_view) { return dir / "nowhere"; }, log);
        for (int i = 0; i < 3; ++i) gone.tell("READY=1");
        ServiceSocket odd([](std::string_view) { return "vsock:2:1"; }, log);
        EXPECT_FALSE(odd.is_open());
        odd.tell("READY=1");
        ASSERT_TRUE(log.flush(kPatience));
    }
    EXPECT_EQ(lines_with("was not told"), 1U);
    EXPECT_EQ(lines_with("vsock:2:1"), 1U);
    ::close(fd);
}

}  // namespace
}  // namespace rotary::server
