#include "served.hpp"

#include <support/notice_inbox.hpp>

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>

// The process as systemd has it: Type=notify, a watchdog, a reload, a stop.
namespace rotary::test {
namespace {

constexpr std::string_view kAlive = "WATCHDOG=1";

// One thread of a process does not run while this is there: what a worker looks like that hangs.
class StoppedThread {
public:
    StoppedThread(pid_t process, const std::string& name) : id_(thread_of(process, name)) {
        if (id_ <= 0 || ::ptrace(PTRACE_SEIZE, id_, nullptr, nullptr) != 0) return;
        int status = 0;
        stopped_ = ::ptrace(PTRACE_INTERRUPT, id_, nullptr, nullptr) == 0 &&
                   ::waitpid(id_, &status, __WALL) == id_ && WIFSTOPPED(status);
    }
    ~StoppedThread() { ::ptrace(PTRACE_DETACH, id_, nullptr, nullptr); }
    StoppedThread(const StoppedThread&) = delete;
    StoppedThread& operator=(const StoppedThread&) = delete;

    bool stopped() const { return stopped_; }

private:
    static pid_t thread_of(pid_t process, const std::string& name) {
        const auto tasks = "/proc/" + std::to_string(process) + "/task";
        for (const auto& task : std::filesystem::directory_iterator(tasks)) {
            std::string found;
            std::getline(std::ifstream(task.path() / "comm"), found);
            if (found == name) return std::stoi(task.path().filename().string());
        }
        return -1;
    }

    pid_t id_;
    bool stopped_ = false;
};

struct Service {
    explicit Service(const std::string& watchdog_usec = "") {
        ProcessOptions options;
        options.command = {ROTARY_BINARY, "serve", "-c", files.config()};
        options.environment = {{"NOTIFY_SOCKET", manager.name()}};
        if (!watchdog_usec.empty()) options.environment.push_back({"WATCHDOG_USEC", watchdog_usec});
        process = std::make_unique<ChildProcess>(options);
    }

    std::unique_ptr<mock::MockProvider> mock = start_mock();
    GatewayFiles files{in_front_of(*mock)};
    NoticeInbox manager{NoticeInbox::Kind::abstract};
    std::unique_ptr<ChildProcess> process;
};

TEST(Supervision, TheManagerHearsOfStartReloadAndStop) {
    Service service;
    EXPECT_EQ(service.manager.next(kPatience),
              "READY=1\nSTATUS=Serving: 1 listener, 2 workers, configuration 1");
    EXPECT_TRUE(service.process->wait_for_errors("\"admin listening\"", kPatience));

    service.files.dir().write("apis/broken.yaml", "kind: Backend\napiVersion: [\n");
    service.process->signal(SIGHUP);
    EXPECT_THAT(service.manager.next_with("RELOADING", kPatience),
                testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=.*"));
    EXPECT_EQ(
        service.manager.next_with("READY", kPatience),
        "READY=1\nSTATUS=Serving: 1 listener, 2 workers, configuration 1; the last reload was "
        "refused, the log says why");

    service.process->signal(SIGTERM);
    EXPECT_THAT(service.manager.next_with("STOPPING", kPatience),
                testing::StartsWith("STOPPING=1"));
    EXPECT_EQ(service.manager.next(kPatience), "EXTEND_TIMEOUT_USEC=34000000")
        << "timeouts.drain, and what follows it";
    const auto status = service.process->wait(kPatience);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << service.process->errors();
}

TEST(Supervision, AWorkerThatHangsStopsTheWatchdog) {
    Service service("1000000");
    ASSERT_NE(service.manager.next_with("READY", kPatience), "");
    for (int i = 0; i < 2; ++i) ASSERT_NE(service.manager.next_with(kAlive, kPatience), "");
    std::size_t silent_since = 0;
    {
        const StoppedThread worker(service.process->pid(), "worker-1");
        ASSERT_TRUE(worker.stopped());
        EXPECT_EQ(service.manager.next_with("STATUS=Worker 1", kPatience),
                  "STATUS=Worker 1 does not answer: the watchdog is not told");
        silent_since = service.manager.all().size();
        EXPECT_TRUE(service.process->wait_for_errors("a worker does not answer", kPatience));
        // The control thread is as busy as ever.
        service.process->signal(SIGHUP);
        EXPECT_NE(service.manager.next_with("READY", kPatience), "");
    }
    const auto& all = service.manager.all();
    for (std::size_t i = silent_since; i < all.size(); ++i) EXPECT_NE(all[i], kAlive);
    EXPECT_NE(service.manager.next_with(kAlive, kPatience), "") << "it turns again";
    service.process->signal(SIGTERM);
    const auto status = service.process->wait(kPatience);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << service.process->errors();
}

}  // namespace
}  // namespace rotary::test
