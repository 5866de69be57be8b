// What sockets are set to, read back from the kernel, and what a listener says when it can't be.
#include "net/socket_options.hpp"

#include <rotary/net/listener.hpp>

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace rotary::net {
namespace {

class SocketOptionsTest : public testing::Test {
protected:
    ~SocketOptionsTest() override { ::close(fd_); }
    int get(int level, int name) const {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(::getsockopt(fd_, level, name, &value, &size), 0);
        return value;
    }

    const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

TEST_F(SocketOptionsTest, TcpIsPromptAndKeptAwake) {
    set_tcp_options(fd_);
    EXPECT_EQ(get(IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(get(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(get(IPPROTO_TCP, TCP_KEEPCNT), 3);
}

TEST_F(SocketOptionsTest, BuffersAreWhatWasAskedFor) {
    set_send_buffer(fd_, 65536);
    set_receive_buffer(fd_, 32768);
    EXPECT_EQ(get(SOL_SOCKET, SO_SNDBUF), 65536);
    EXPECT_EQ(get(SOL_SOCKET, SO_RCVBUF), 32768);
}

TEST_F(SocketOptionsTest, NoneIsTheKernelsOwnChoice) {
    const int send = get(SOL_SOCKET, SO_SNDBUF);
    const int receive = get(SOL_SOCKET, SO_RCVBUF);
    set_send_buffer(fd_, 0);
    set_receive_buffer(fd_, 0);
    EXPECT_EQ(get(SOL_SOCKET, SO_SNDBUF), send);
    EXPECT_EQ(get(SOL_SOCKET, SO_RCVBUF), receive);
}

TEST(SocketOptions, OfWhatIsNoSocketAreLetBe) {
    set_tcp_options(-1);
    set_send_buffer(-1, 4096);
    EXPECT_FALSE(drop_new_handshakes(-1));
}

// The kernel runs the filter on datagrams of a pair as it does on segments: from their first byte.
TEST(HandshakeFilter, DropsWhatBeginsOneAlone) {
    constexpr unsigned char kFin = 0x01;
    constexpr unsigned char kSyn = 0x02;
    constexpr unsigned char kReset = 0x04;
    constexpr unsigned char kPush = 0x08;
    constexpr unsigned char kAck = 0x10;
    constexpr unsigned char kCongestion = 0xC0;  // a SYN of RFC 3168 carries both bits
    struct Row {
        const char* name;
        unsigned char flags;
        bool passes;
    };
    const Row rows[] = {
        {"a handshake begins", kSyn, false},
        {"so with the bits for congestion", kSyn | kCongestion, false},
        {"with data of TCP Fast Open", kSyn | kPush, false},
        {"its answer", kSyn | kAck, true},
        {"its end", kAck, true},
        {"data", kAck | kPush, true},
        {"an end", kFin | kAck, true},
        {"a reset", kReset, true},
        {"nothing", 0, true},
    };
    for (const Row& row : rows) {
        int pair[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        ASSERT_TRUE(drop_new_handshakes(pair[1]));
        std::array<unsigned char, 20> header{};
        header.fill(0xFF);
        header[13] = row.flags;
        static_cast<void>(::send(pair[0], header.data(), header.size(), MSG_NOSIGNAL));
        std::array<unsigned char, 64> got{};
        EXPECT_EQ(::recv(pair[1], got.data(), got.size(), 0) == 20, row.passes) << row.name;
        ::close(pair[0]);
        ::close(pair[1]);
    }
}

TEST(LacksResources, IsOfDescriptorsAndMemoryAlone) {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) EXPECT_TRUE(lacks_resources(error));
    for (const int error : {0, EAGAIN, ECONNABORTED, EINTR, EPERM, EADDRNOTAVAIL}) {
        EXPECT_FALSE(lacks_resources(error)) << error;
    }
}

TEST(CannotListen, NamesThePlaceAndTheReason) {
    struct Row {
        const char* address;
        std::uint16_t port;
        int error;
        const char* text;
    };
    const Row rows[] = {
        {"127.0.0.1", 8443, EADDRINUSE, "cannot listen on 127.0.0.1:8443: Address already in use"},
        {"::1", 8443, EADDRNOTAVAIL,
         "cannot listen on [::1]:8443: Cannot assign requested address"},
        {"0.0.0.0", 443, EACCES,
         "cannot listen on 0.0.0.0:443 (low ports need CAP_NET_BIND_SERVICE, or a lower "
         "net.ipv4.ip_unprivileged_port_start): Permission denied"},
    };
    for (const Row& row : rows) {
        const std::system_error error = cannot_listen(row.address, row.port, row.error);
        EXPECT_STREQ(error.what(), row.text);
        EXPECT_EQ(error.code().value(), row.error);
    }
}

}  // namespace
}  // namespace rotary::net
