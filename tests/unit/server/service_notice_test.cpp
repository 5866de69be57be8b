#include "server/service_notice.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace rotary::server {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""us;

TEST(ServiceNotice, AnAddressIsAPathOrAnAbstractName) {
    constexpr std::size_t kHead = offsetof(sockaddr_un, sun_path);
    struct Row {
        const char* name;
        std::string text;
        std::size_t length;  // of the name in the address; 0: none
    };
    const Row rows[] = {
        {"systemd's own", "/run/systemd/notify", 20},
        {"abstract", "@/org/notify", 12},
        {"the longest path", "/" + std::string(106, 'p'), 108},
        {"a path without room for its NUL", "/" + std::string(107, 'p'), 0},
        {"the longest abstract name", "@" + std::string(107, 'a'), 108},
        {"an abstract name that is too long", "@" + std::string(108, 'a'), 0},
        {"a socket of a virtual machine's host", "vsock:2:1234", 0},
        {"a relative path", "run/notify", 0},
        {"the root", "/", 0},
        {"no name", "@", 0},
        {"nothing", "", 0},
    };
    for (const Row& row : rows) {
        const auto address = notice_address(row.text);
        ASSERT_EQ(address.has_value(), row.length > 0) << row.name;
        if (!address) continue;
        EXPECT_EQ(address->socket.sun_family, AF_UNIX) << row.name;
        EXPECT_EQ(address->length, kHead + row.length) << row.name;
        EXPECT_EQ(address->socket.sun_path[0], row.text[0] == '@' ? '\0' : '/') << row.name;
        EXPECT_EQ(std::string_view(address->socket.sun_path + 1, row.text.size() - 1),
                  std::string_view(row.text).substr(1))
            << row.name;
    }
}

TEST(ServiceNotice, AWatchdogIsToldTwiceInItsTime) {
    struct Row {
        const char* name;
        std::map<std::string, std::string, std::less<>> variables;
        std::chrono::microseconds each;
        bool readable;
    };
    const Row rows[] = {
        {"none", {}, 0us, true},
        {"of whoever runs", {{"WATCHDOG_USEC", "30000000"}}, 15s, true},
        {"of this process", {{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "77"}}, 1500ms, true},
        {"of another", {{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "78"}}, 0us, true},
        {"a process alone", {{"WATCHDOG_PID", "77"}}, 0us, true},
        {"not a number", {{"WATCHDOG_USEC", "30s"}}, 0us, false},
        {"empty", {{"WATCHDOG_USEC", ""}}, 0us, false},
        {"negative", {{"WATCHDOG_USEC", "-1"}}, 0us, false},
        {"zero", {{"WATCHDOG_USEC", "0"}}, 0us, false},
        {"beyond 64 bits", {{"WATCHDOG_USEC", "18446744073709551616"}}, 0us, false},
        {"no time at all", {{"WATCHDOG_USEC", "1"}}, 1ms, true},
        {"for ever", {{"WATCHDOG_USEC", "18446744073709551615"}}, 24h, true},
        {"of no process", {{"WATCHDOG_USEC", "9"}, {"WATCHDOG_PID", "me"}}, 0us, false},
        {"of process 0", {{"WATCHDOG_USEC", "9"}, {"WATCHDOG_PID", "0"}}, 0us, false},
        {"of one beyond ids", {{"WATCHDOG_USEC", "9"}, {"WATCHDOG_PID", "4294967373"}}, 0us, true},
    };
    for (const Row& row : rows) {
        const Watchdog watchdog = watchdog_of(
            [&row](std::string_view name) -> std::optional<std::string> {
                const auto found = row.variables.find(name);
                if (found == row.variables.end()) return std::nullopt;
                return found->second;
            },
            77);
        EXPECT_EQ(watchdog.each.count(), row.each.count()) << row.name;
        EXPECT_EQ(watchdog.readable, row.readable) << row.name;
    }
}

TEST(ServiceNotice, WordsAreOfTheProtocol) {
    EXPECT_EQ(ready_notice({1, 4, 1, true}),
              "READY=1\nSTATUS=Serving: 1 listener, 4 workers, configuration 1");
    EXPECT_EQ(
        ready_notice({2, 1, 7, false}),
        "READY=1\nSTATUS=Serving: 2 listeners, 1 worker, configuration 7; the last reload was "
        "refused, the log says why");
    EXPECT_EQ(reloading_notice(1234567us),
              "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=Reading the configuration");
    EXPECT_EQ(stopping_notice(), "STOPPING=1\nSTATUS=Draining: requests under way are finished");
    EXPECT_EQ(extension_notice(34s), "EXTEND_TIMEOUT_USEC=34000000");
    EXPECT_EQ(silent_worker_notice(3), "STATUS=Worker 3 does not answer: the watchdog is not told");
}

}  // namespace
}  // namespace rotary::server
