#include "net/dial_fault.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace rotary::net {
namespace {

TEST(ConnectFault, TellsTheProvidersFromOurOwnWant) {
    struct Row {
        int error;
        FaultKind kind;
        Origin origin;
        const char* detail;
    };
    const Row rows[] = {
        {ECONNREFUSED, FaultKind::upstream_connect_failed, Origin::upstream, "connection refused"},
        {ECONNRESET, FaultKind::upstream_connect_failed, Origin::upstream, "connection reset"},
        {ETIMEDOUT, FaultKind::upstream_connect_failed, Origin::upstream, "connect timed out"},
        {EHOSTUNREACH, FaultKind::upstream_connect_failed, Origin::upstream, "host unreachable"},
        {ENETUNREACH, FaultKind::upstream_connect_failed, Origin::upstream, "network unreachable"},
        {EACCES, FaultKind::upstream_connect_failed, Origin::upstream, "connect failed"},
        {EMFILE, FaultKind::overloaded, Origin::internal, "out of file descriptors"},
        {ENFILE, FaultKind::overloaded, Origin::internal, "out of file descriptors"},
        {ENOBUFS, FaultKind::overloaded, Origin::internal, "out of memory for sockets"},
        {ENOMEM, FaultKind::overloaded, Origin::internal, "out of memory for sockets"},
        {EADDRNOTAVAIL, FaultKind::overloaded, Origin::internal, "out of local ports"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.detail);
        const Fault fault = connect_fault(row.error);
        EXPECT_EQ(fault.kind, row.kind);
        EXPECT_EQ(fault.origin, row.origin);
        EXPECT_EQ(fault.retry, Retry::next_entry) << "another provider may be reached";
        EXPECT_STREQ(fault.detail, row.detail);
    }
}

TEST(WaitFault, SaysWhoEndedTheWait) {
    struct Row {
        Wake wake;
        FaultKind kind;
        Origin origin;
        Retry retry;
        const char* detail;
    };
    const Row rows[] = {
        {Wake::timed_out, FaultKind::upstream_timeout, Origin::upstream, Retry::next_entry,
         "no time"},
        {Wake::peer_gone, FaultKind::client_gone, Origin::client, Retry::never, "client hung up"},
        {Wake::cancelled, FaultKind::draining, Origin::internal, Retry::never,
         "connecting cancelled"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.detail);
        const Fault fault = wait_fault(row.wake, "no time");
        EXPECT_EQ(fault.kind, row.kind);
        EXPECT_EQ(fault.origin, row.origin);
        EXPECT_EQ(fault.retry, row.retry);
        EXPECT_STREQ(fault.detail, row.detail);
    }
}

}  // namespace
}  // namespace rotary::net
