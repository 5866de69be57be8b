#include "served.hpp"

#include <gmock/gmock.h>

#include <csignal>

// `rotary serve` whose standard error is a pipe that has no reader any more.
namespace rotary::test {
namespace {

TEST(UnreadLog, RequestsAreServedReloadsAnsweredAndTheEndComes) {
    const auto mock = start_mock();
    Served served(*mock, {});
    served.process().leave_errors_unread();
    TestClient client(served.client());
    ASSERT_EQ(client.exchange(chat()).status, 200U);

    // Each reload leaves a line: these are more than the pipe and the reader's last look take.
    const auto lost = [&] { return served.metric("rotary_event_log_dropped_lines_total"); };
    Request reload;
    reload.method = "POST";
    reload.target = "/api/v1/reload";
    for (int i = 0; i < 200; ++i) ASSERT_EQ(served.admin_request(reload).status, 200U) << i;
    EXPECT_EQ(lost(), 0.0) << "the rest waits in limits.event_log_buffer_bytes";
    EXPECT_EQ(client.exchange(chat()).status, 200U);

    served.process().signal(SIGTERM);
    const auto status = served.process().wait(kPatience);
    ASSERT_TRUE(status.has_value());
    EXPECT_EQ(status->code, 0);
}

}  // namespace
}  // namespace rotary::test
