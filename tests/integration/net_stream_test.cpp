// Streams against a blocking peer: bytes both ways, ends, back-pressure, being woken.
#include "net_support.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace rotary;
using namespace rotary::test;
using net::IoResult;
using net::IoStatus;
using net::Stream;
using net::WaitFor;
using net::Wake;

enum class Kind { plain, tls_server, tls_client };  // what our stream is

// A stream of ours and its peer; a TLS handshake is each side's first act.
struct Ends {
    explicit Ends(Kind of)
        : kind(of),
          context(of == Kind::tls_server   ? server_context()
                  : of == Kind::tls_client ? client_context()
                                           : nullptr),
          pair(tcp_pair()) {
        Stream::Role role;
        role.tls = context.get();
        role.server_name = "localhost";
        stream.emplace(loop.reactor, loop.buffers, pair.ours, role);
    }
    bool start(Peer& peer) const {
        if (kind == Kind::tls_server) return peer.connect_tls(PeerTls());
        return kind == Kind::plain || peer.accept_tls(PeerTls(certificates().server));
    }

    Kind kind;
    std::shared_ptr<const net::TlsContext> context;
    NetLoop loop;
    SocketPair pair;
    std::optional<Stream> stream;
};

Task<void> handshake(Stream& stream) {
    WaitFor limits;
    limits.deadline = stream.descriptor().reactor().now() + 20s;
    const Result<void> done = co_await stream.handshake(limits);
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().detail);
}

struct Exchange {
    const char* name;
    std::size_t bytes;
    std::size_t peer_writes;  // at once
    std::size_t we_read;      // at once
};

const std::vector<Exchange>& exchanges() {
    static const std::vector<Exchange> rows = {
        {"Nothing", 0, 1, 100},
        {"OneByte", 1, 1, 100},
        {"OneRecordLessOne", 16383, 16383, 32768},
        {"OneRecord", 16384, 16384, 32768},
        {"OneRecordAndOne", 16385, 16385, 32768},
        {"MegabyteInWholeRecords", 1 << 20, 16384, 32768},
        {"MegabyteReadRecordByRecord", 1 << 20, 16384, 16384},
        {"MegabyteReadInSmallParts", 1 << 20, 65536, 1000},
        {"ManySmallRecords", 200000, 200, 32768},
        {"SmallRecordsReadInSmallerParts", 20000, 200, 64},
        {"OddSizes", 777777, 12345, 4097},
    };
    return rows;
}

class StreamExchange : public ::testing::TestWithParam<std::tuple<Kind, Exchange>> {};

std::string kind_name(Kind kind) {
    return kind == Kind::plain ? "Plain" : kind == Kind::tls_server ? "TlsServer" : "TlsClient";
}

// Reads it all, then sends it back as a short piece, an empty one, a long one and the rest.
Task<void> take_and_return(Stream& stream, std::size_t bytes, std::size_t at_once,
                           std::string& got) {
    co_await handshake(stream);
    const IoStatus status = co_await read_until(stream, bytes, at_once, got);
    EXPECT_EQ(status, IoStatus::ok);
    const std::string_view all = got;
    const std::array<std::string_view, 4> pieces = {all.substr(0, all.size() / 7), all.substr(0, 0),
                                                    all.substr(all.size() / 7, all.size() / 2),
                                                    all.substr(all.size() / 7 + all.size() / 2)};
    WaitFor limits;
    limits.deadline = stream.descriptor().reactor().now() + 20s;
    const Result<void> written = co_await stream.write_all(pieces, limits);
    EXPECT_TRUE(written.has_value()) << (written ? "" : written.error().detail);
    EXPECT_FALSE(stream.has_pending());
    stream.shutdown();
}

TEST_P(StreamExchange, BytesArriveWholeAndInOrder) {
    const auto& [kind, row] = GetParam();
    Ends ends(kind);
    const std::string sent = pattern(row.bytes);
    std::string returned;
    std::thread peer_thread([&, writes = row.peer_writes] {
        Peer peer(ends.pair.theirs);
        ASSERT_TRUE(ends.start(peer));
        for (std::size_t at = 0; at < sent.size(); at += writes) {
            ASSERT_TRUE(peer.write(std::string_view(sent).substr(at, writes)));
        }
        returned = peer.read(sent.size());
    });
    std::string got;
    ends.loop.run(take_and_return(*ends.stream, row.bytes, row.we_read, got));
    peer_thread.join();
    EXPECT_TRUE(got == sent);
    EXPECT_TRUE(returned == sent);
}

INSTANTIATE_TEST_SUITE_P(Cases, StreamExchange,
                         ::testing::Combine(::testing::Values(Kind::plain, Kind::tls_server,
                                                              Kind::tls_client),
                                            ::testing::ValuesIn(exchanges())),
                         [](const auto& row) {
                             return kind_name(std::get<0>(row.param)) + std::get<1>(row.param).name;
                         });

enum class Ending { fin, reset, close_notify };
struct End {
    const char* name;
    Kind kind;
    Ending ending;
    IoStatus seen;
};
class StreamEnd : public ::testing::TestWithParam<End> {};

Task<void> read_to_the_end(Stream& stream, std::string& got, IoStatus& end) {
    co_await handshake(stream);
    const std::array<std::string_view, 1> pieces = {"go"};
    const WaitFor limits;
    const Result<void> written = co_await stream.write_all(pieces, limits);
    EXPECT_TRUE(written.has_value());
    end = co_await read_until(stream, 1 << 20, 4096, got);
    char byte = 0;
    EXPECT_EQ(stream.read_some(&byte, 1).status, end) << "an end stays an end";
}

TEST_P(StreamEnd, IsToldApartAndComesAfterTheBytes) {
    const End& row = GetParam();
    Ends ends(row.kind);
    std::thread peer_thread([&] {
        Peer peer(ends.pair.theirs);
        ASSERT_TRUE(ends.start(peer));
        // Who closes on unread bytes (a ticket, say) resets, and a reset may overtake what was
        // sent.
        EXPECT_EQ(peer.read(2), "go");
        if (row.ending != Ending::reset) {
            ASSERT_TRUE(peer.write("last words"));
        }
        if (row.ending == Ending::close_notify) peer.close_notify();
        if (row.ending == Ending::reset) peer.reset();
    });
    std::string got;
    IoStatus end = IoStatus::ok;
    ends.loop.run(read_to_the_end(*ends.stream, got, end));
    peer_thread.join();
    EXPECT_EQ(end, row.seen);
    EXPECT_EQ(got, row.ending == Ending::reset ? "" : "last words");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, StreamEnd,
    ::testing::Values(End{"PlainFin", Kind::plain, Ending::fin, IoStatus::end},
                      End{"PlainReset", Kind::plain, Ending::reset, IoStatus::error},
                      End{"TlsServerNotify", Kind::tls_server, Ending::close_notify, IoStatus::end},
                      End{"TlsServerFin", Kind::tls_server, Ending::fin, IoStatus::truncated},
                      End{"TlsServerReset", Kind::tls_server, Ending::reset, IoStatus::error},
                      End{"TlsClientNotify", Kind::tls_client, Ending::close_notify, IoStatus::end},
                      End{"TlsClientFin", Kind::tls_client, Ending::fin, IoStatus::truncated},
                      End{"TlsClientReset", Kind::tls_client, Ending::reset, IoStatus::error}),
    [](const auto& row) { return row.param.name; });

class StreamPressure : public ::testing::TestWithParam<Kind> {};

Task<void> push_until_full(Stream& stream, const std::string& bytes, std::size_t& taken) {
    co_await handshake(stream);
    const int small = 16384;
    setsockopt(stream.descriptor().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    WaitFor what;
    what.write = &stream.descriptor();
    co_await stream.descriptor().reactor().wait(what);
    for (;;) {
        const std::array<std::string_view, 1> rest = {std::string_view(bytes).substr(taken)};
        const IoResult result = stream.write_some(rest);
        taken += result.bytes;
        if (result.status != IoStatus::ok) {
            EXPECT_EQ(result.status, IoStatus::would_block);
            break;
        }
    }
    for (int i = 0; i < 100; ++i) {
        const std::array<std::string_view, 1> rest = {std::string_view(bytes).substr(taken)};
        EXPECT_EQ(stream.write_some(rest).bytes, 0U) << "a full stream takes no more";
    }
}

Task<void> push_the_rest(Stream& stream, const std::string& bytes, std::size_t taken) {
    const std::array<std::string_view, 1> rest = {std::string_view(bytes).substr(taken)};
    const WaitFor limits;
    const Result<void> written = co_await stream.write_all(rest, limits);
    EXPECT_TRUE(written.has_value());
}

TEST_P(StreamPressure, IsBoundedAndGoesOnWhenThePeerReads) {
    Ends ends(GetParam());
    const int small = 16384;
    setsockopt(ends.pair.theirs, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const std::string bytes = pattern(8 << 20);
    Peer peer(ends.pair.theirs);
    std::thread greeting([&] { ASSERT_TRUE(ends.start(peer)); });
    std::size_t taken = 0;
    ends.loop.run(push_until_full(*ends.stream, bytes, taken));
    greeting.join();
    EXPECT_LT(taken, 1U << 20);
    EXPECT_EQ(ends.stream->has_pending(), GetParam() != Kind::plain);
    std::string got;
    std::thread reading([&] { got = peer.read(bytes.size()); });
    ends.loop.run(push_the_rest(*ends.stream, bytes, taken));
    reading.join();
    EXPECT_TRUE(got == bytes);
}

Task<void> write_until_it_fails(Stream& stream, Result<void>& result) {
    co_await handshake(stream);
    const std::string bytes = pattern(1 << 20);
    const std::array<std::string_view, 1> pieces = {bytes};
    const WaitFor limits;
    for (int i = 0; i < 100 && result.has_value(); ++i) {
        result = co_await stream.write_all(pieces, limits);
    }
}

// Also that no SIGPIPE comes: the plain peer's side ignores nothing.
TEST_P(StreamPressure, ResetPeerIsAFaultOfTheWrite) {
    Ends ends(GetParam());
    std::thread peer_thread([&] {
        Peer peer(ends.pair.theirs);
        ASSERT_TRUE(ends.start(peer));
        peer.read(100000);
        peer.reset();
    });
    Result<void> result;
    ends.loop.run(write_until_it_fails(*ends.stream, result));
    peer_thread.join();
    ASSERT_TRUE(result.has_error());
    EXPECT_EQ(result.error().kind, FaultKind::upstream_connect_failed);
}

Task<void> write_to_nobody(Stream& stream, Fault& fault) {
    co_await handshake(stream);
    const std::string bytes = pattern(16 << 20);
    const std::array<std::string_view, 1> pieces = {bytes};
    WaitFor limits;
    limits.deadline = stream.descriptor().reactor().now() + 50ms;
    const Result<void> result = co_await stream.write_all(pieces, limits);
    EXPECT_TRUE(result.has_error());
    if (result.has_error()) fault = result.error();
}

TEST_P(StreamPressure, PeerThatDoesNotReadTimesOut) {
    Ends ends(GetParam());
    Peer peer(ends.pair.theirs);
    std::thread greeting([&] { ASSERT_TRUE(ends.start(peer)); });
    Fault fault;
    ends.loop.run(write_to_nobody(*ends.stream, fault));
    greeting.join();
    EXPECT_EQ(fault.kind, FaultKind::upstream_timeout);
}

INSTANTIATE_TEST_SUITE_P(Cases, StreamPressure,
                         ::testing::Values(Kind::plain, Kind::tls_server, Kind::tls_client),
                         [](const auto& row) { return kind_name(row.param); });

TEST(Stream, AbortSendsAReset) {
    for (const Kind kind : {Kind::plain, Kind::tls_server}) {
        Ends ends(kind);
        Peer peer(ends.pair.theirs);
        std::thread greeting([&] { ASSERT_TRUE(ends.start(peer)); });
        ends.loop.run(handshake(*ends.stream));
        greeting.join();
        ends.stream->abort();
        ends.stream.reset();
        char byte = 0;
        ssize_t got = 1;
        while (got > 0) got = recv(peer.fd(), &byte, 1, 0);  // a ticket may still lie there
        EXPECT_EQ(got, -1);
        EXPECT_EQ(errno, ECONNRESET);
    }
}

TEST(Stream, ClosingWithUnreadBytesStillDeliversWhatWasWritten) {
    Ends ends(Kind::plain);
    Peer peer(ends.pair.theirs);
    ASSERT_TRUE(peer.write("more than anybody asked for"));
    const std::string bytes = pattern(10000);
    ends.loop.run(push_the_rest(*ends.stream, bytes, 0));
    ends.stream.reset();
    EXPECT_TRUE(peer.read(bytes.size()) == bytes);
    char byte = 0;
    EXPECT_EQ(recv(peer.fd(), &byte, 1, 0), 0) << "an end, no reset";
}

}  // namespace
