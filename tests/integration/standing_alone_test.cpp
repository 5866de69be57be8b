#include "served.hpp"

#include <support/eventually.hpp>
#include <support/redis_server.hpp>
#include <support/sanitized.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

// What runs and is open in a process that shares nothing and watches no API server.
namespace rotary::test {
namespace {

using Counts = std::map<std::string, int>;

Counts threads_of(const Served& served) {
    Counts counts;
    for (const auto& task : std::filesystem::directory_iterator(served.proc("task"))) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        ++counts[name];
    }
    return counts;
}

// By what they are: "socket", "pipe", "anon_inode:eventpoll", else "file".
Counts descriptors_of(const Served& served) {
    Counts counts;
    for (const auto& one : std::filesystem::directory_iterator(served.proc("fd"))) {
        std::error_code closed;  // meanwhile
        const std::string target = std::filesystem::read_symlink(one.path(), closed);
        if (closed) continue;
        if (target.rfind("anon_inode:", 0) == 0) {
            ++counts[target];
        } else {
            const std::size_t colon = target.find(":[");
            ++counts[colon == std::string::npos ? "file" : target.substr(0, colon)];
        }
    }
    return counts;
}

TEST(StandingAlone, HasNoThreadAndNoSocketForWhatReplicasShare) {
    const auto mock = start_mock();
    const Served alone(*mock, {});
    const RedisServer redis;
    const std::string state = "state: {redis: {url: " + redis.url() + "}}\n";
    const Served sharing(*mock, {.gateway = with_process(state)});
    // "rotary" is the control thread, and a writer for each of the two logs. A thread has its name
    // from itself.
    const Counts threads{
        {"rotary", 3 + kSanitizerThreads}, {"worker-0", 1}, {"worker-1", 1}, {"resolver", 1}};
    for (const Served* served : {&alone, &sharing}) {
        EXPECT_TRUE(eventually([&] { return threads_of(*served) == threads; }))
            << testing::PrintToString(threads_of(*served));
    }
    const auto with_redis = [&] {
        Counts counts = descriptors_of(alone);
        counts["socket"] += 2;             // one for commands, one for what is published
        ++counts["anon_inode:[eventfd]"];  // the workers' bell
        return counts;
    };
    EXPECT_TRUE(eventually([&] { return descriptors_of(sharing) == with_redis(); }))
        << testing::PrintToString(descriptors_of(sharing)) << " in place of "
        << testing::PrintToString(with_redis());
}

}  // namespace
}  // namespace rotary::test
