// Streams on pairs of sockets, both ends in one loop: bytes, ends, handshakes and their faults.
#include <rotary/net/stream.hpp>

#include "tls_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::net {
namespace {

using testing::HasSubstr;

const test::Identity& identity() {
    static const test::Identity kIdentity = test::make_identity("localhost");
    return kIdentity;
}

Task<void> shake(Stream& stream, std::optional<Result<void>>& done) {
    const WaitFor limits;
    const Result<void> result = co_await stream.handshake(limits);
    done.emplace(result);
}

Task<void> send_all(Stream& stream, std::vector<std::string_view> pieces, bool& done) {
    const WaitFor limits;
    const Result<void> result = co_await stream.write_all(pieces, limits);
    done = result.has_value();
    stream.shutdown();
}

// Up to the end, and how that came.
Task<void> receive_all(Stream& stream, std::size_t at_once, std::string& got, IoStatus& end) {
    std::string space(at_once, '\0');
    for (;;) {
        const IoResult result = stream.read_some(space.data(), space.size());
        if (result.status == IoStatus::would_block) {
            WaitFor more;
            more.read = &stream.descriptor();
            co_await stream.descriptor().reactor().wait(more);
            continue;
        }
        if (result.status != IoStatus::ok) {
            end = result.status;
            co_return;
        }
        got.append(space.data(), result.bytes);
    }
}

class StreamTest : public testing::Test {
protected:
    ~StreamTest() override {
        server_.reset();
        client_.reset();
        reactor_.stop();
    }
    void settle() {
        while (reactor_.run_once({})) {
        }
    }
    static std::array<int, 2> pair() {
        std::array<int, 2> ends{-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        return ends;
    }
    void start_plain() {
        const auto ends = pair();
        server_.emplace(reactor_, buffers_, ends[0], Stream::Role());
        client_.emplace(reactor_, buffers_, ends[1], Stream::Role());
        settle();
    }
    void start_tls(const std::string& name, const test::Identity& trusted) {
        const auto ends = pair();
        server_.emplace(reactor_, buffers_, ends[0], Stream::Role{server_context_.get(), {}});
        client_context_ = test::client_of(trusted);
        client_.emplace(reactor_, buffers_, ends[1], Stream::Role{client_context_.get(), name});
        spawn(shake(*server_, server_done_));
        spawn(shake(*client_, client_done_));
        settle();
    }
    void start(bool with_tls) {
        if (!with_tls) return start_plain();
        start_tls("localhost", identity());
        ASSERT_TRUE(client_done_ && client_done_->has_value());
        ASSERT_TRUE(server_done_ && server_done_->has_value());
    }

    Reactor reactor_;
    BufferPool buffers_{BufferPool::Limits()};
    std::shared_ptr<const TlsContext> server_context_ = test::server_of(identity());
    std::shared_ptr<const TlsContext> client_context_;
    std::optional<Stream> server_;
    std::optional<Stream> client_;
    std::optional<Result<void>> server_done_;
    std::optional<Result<void>> client_done_;
};

TEST_F(StreamTest, CarriesPiecesWholeAndInOrder) {
    struct Row {
        const char* name;
        std::vector<std::size_t> pieces;
        std::size_t read_at_once;
    };
    const Row rows[] = {
        {"nothing", {}, 100},
        {"empty ones", {0, 0}, 100},
        {"a byte", {1}, 100},
        {"small ones, read byte by byte", {3, 0, 5, 1}, 1},
        {"a record", {16384}, 16384},
        {"a record and one byte", {16385}, 32768},
        {"more than the socket holds", {100, 400'000, 7, 300'000}, 30'000},
        {"more pieces than one send carries", std::vector<std::size_t>(100, 11), 4096},
    };
    for (const bool with_tls : {false, true}) {
        for (const Row& row : rows) {
            SCOPED_TRACE(testing::Message() << row.name << (with_tls ? " in TLS" : ""));
            start(with_tls);
            std::vector<std::string> texts;
            std::string all;
            for (const std::size_t size : row.pieces) {
                std::string text(size, '\0');
                for (std::size_t i = 0; i < size; ++i) {
                    text[i] = static_cast<char>((all.size() + i) * 31 % 251);
                }
                all += text;
                texts.push_back(std::move(text));
            }
            bool sent = false;
            std::string got;
            IoStatus end = IoStatus::ok;
            spawn(send_all(*client_, {texts.begin(), texts.end()}, sent));
            spawn(receive_all(*server_, row.read_at_once, got, end));
            settle();
            EXPECT_TRUE(sent);
            EXPECT_EQ(got.size(), all.size());
            EXPECT_TRUE(got == all);
            EXPECT_EQ(end, IoStatus::end);
        }
    }
}

TEST_F(StreamTest, TellsAnEndFromACut) {
    struct Row {
        const char* name;
        bool with_tls;
        bool shuts;
        IoStatus end;
    };
    const Row rows[] = {
        {"a proper end", false, true, IoStatus::end},
        {"a FIN is all that a plain one says", false, false, IoStatus::end},
        {"close_notify", true, true, IoStatus::end},
        {"a FIN without it", true, false, IoStatus::truncated},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        start(row.with_tls);
        if (row.shuts) client_->shutdown();
        client_.reset();
        std::string got;
        IoStatus end = IoStatus::ok;
        spawn(receive_all(*server_, 100, got, end));
        settle();
        EXPECT_EQ(end, row.end);
        EXPECT_EQ(got, "");
        char byte = 0;
        EXPECT_EQ(server_->read_some(&byte, 1).status, row.end) << "and says so again";
    }
}

TEST_F(StreamTest, IsQuietUntilSomethingHappens) {
    start_plain();
    EXPECT_TRUE(server_->quiet());
    const std::array<std::string_view, 1> pieces{"x"};
    EXPECT_EQ(client_->write_some(pieces).bytes, 1U);
    settle();
    EXPECT_FALSE(server_->quiet());
    char byte = 0;
    EXPECT_EQ(server_->read_some(&byte, 1).bytes, 1U);
    EXPECT_EQ(server_->read_some(&byte, 1).status, IoStatus::would_block);
    EXPECT_TRUE(server_->quiet());
    client_.reset();
    settle();
    EXPECT_FALSE(server_->quiet());
}

TEST_F(StreamTest, BlocksWhenThePeerDoesNotReadAndGoesOnWhenItDoes) {
    for (const bool with_tls : {false, true}) {
        SCOPED_TRACE(with_tls ? "TLS" : "plain");
        start(with_tls);
        const std::string block(50'000, 'b');
        const std::array<std::string_view, 1> pieces{block};
        std::size_t written = 0;
        IoResult result;
        while ((result = client_->write_some(pieces)).status == IoStatus::ok) {
            written += result.bytes;
            ASSERT_LT(written, 10'000'000U) << "nothing bounds it";
        }
        EXPECT_EQ(result.status, IoStatus::would_block);
        std::string got;
        IoStatus end = IoStatus::ok;
        spawn(receive_all(*server_, 30'000, got, end));
        settle();
        EXPECT_EQ(client_->flush(), IoStatus::ok);
        settle();
        EXPECT_EQ(got.size(), written);
        EXPECT_EQ(client_->write_some(pieces).status, IoStatus::ok);
        client_->shutdown();
        client_.reset();
        settle();
    }
}

TEST_F(StreamTest, AWriteToWhoIsGoneFailsForGood) {
    start_plain();
    client_.reset();
    const std::array<std::string_view, 1> pieces{"x"};
    EXPECT_EQ(server_->write_some(pieces).status, IoStatus::error);
    EXPECT_EQ(server_->write_some(pieces).status, IoStatus::error);
    EXPECT_EQ(server_->flush(), IoStatus::error);
    bool sent = true;
    spawn(send_all(*server_, {"x"}, sent));
    settle();
    EXPECT_FALSE(sent);
}

TEST_F(StreamTest, AHandshakeThatFailsSaysWhoseFaultItIs) {
    const test::Identity stranger = test::make_identity("localhost");
    struct Row {
        const char* name;
        const char* host;
        const test::Identity& trusted;
        const char* says;
    };
    const Row rows[] = {
        {"an authority that is not trusted", "localhost", stranger, "self-signed certificate"},
        {"another name", "other.example", identity(), "hostname mismatch"},
        {"another address", "127.0.0.2", identity(), "IP address mismatch"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        server_done_.reset();
        client_done_.reset();
        start_tls(row.host, row.trusted);
        ASSERT_TRUE(client_done_ && client_done_->has_error());
        EXPECT_EQ(client_done_->error().kind, FaultKind::upstream_tls_failed);
        EXPECT_THAT(client_done_->error().detail, HasSubstr(row.says));
        client_.reset();
        settle();
        ASSERT_TRUE(server_done_ && server_done_->has_error());
        EXPECT_EQ(server_done_->error().origin, Origin::client);
    }
}

TEST_F(StreamTest, AHandshakeByAddressSucceeds) {
    start_tls("127.0.0.1", identity());
    ASSERT_TRUE(client_done_);
    EXPECT_TRUE(client_done_->has_value());
}

TEST_F(StreamTest, OfAServerThatProvesNothingIsNoneAtAll) {
    start_tls("", identity());
    ASSERT_TRUE(client_done_ && client_done_->has_error());
    EXPECT_EQ(client_done_->error().kind, FaultKind::upstream_tls_failed);
    client_.reset();
    settle();
}

// A server's stream whose peer is a plain descriptor.
class StreamServerTest : public StreamTest {
protected:
    StreamServerTest() {
        const auto ends = pair();
        server_.emplace(reactor_, buffers_, ends[0], Stream::Role{server_context_.get(), {}});
        peer_ = ends[1];
        spawn(shake(*server_, server_done_));
        settle();
    }
    ~StreamServerTest() override { hang_up(); }
    void say(std::string_view text) {
        EXPECT_EQ(::send(peer_, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
        settle();
    }
    void hang_up() {
        if (peer_ >= 0) ::close(peer_);
        peer_ = -1;
        settle();
    }
    std::string heard() const {
        std::array<char, 1000> space{};
        const ssize_t got = ::recv(peer_, space.data(), space.size(), 0);
        return {space.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

    int peer_ = -1;
};

TEST_F(StreamServerTest, WaitsForAFirstByteWithoutAnyTlsState) {
    EXPECT_FALSE(server_done_);
    EXPECT_TRUE(server_->is_tls());
    EXPECT_EQ(server_->native_tls(), nullptr);
    EXPECT_FALSE(server_->said_anything());
    hang_up();
    ASSERT_TRUE(server_done_ && server_done_->has_error());
    EXPECT_EQ(server_done_->error().kind, FaultKind::client_gone);
    EXPECT_FALSE(server_->said_anything());
}

TEST_F(StreamServerTest, KnowsARequestInPlainAndCanAnswerIt) {
    say("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(server_done_ && server_done_->has_error());
    EXPECT_EQ(server_done_->error().kind, FaultKind::bad_request);
    EXPECT_TRUE(server_->spoke_plain_http());
    EXPECT_EQ(heard(), "") << "no alert to who does not know TLS";
    server_->drop_tls();
    const std::array<std::string_view, 1> pieces{"HTTP/1.1 400 \r\n\r\n"};
    EXPECT_EQ(server_->write_some(pieces).status, IoStatus::ok);
    EXPECT_EQ(heard(), "HTTP/1.1 400 \r\n\r\n");
}

TEST_F(StreamServerTest, AlertsWhoSpeaksTlsBadly) {
    say(std::string_view("\x16\x03\x01\x00\x05hello", 10));
    ASSERT_TRUE(server_done_ && server_done_->has_error());
    EXPECT_EQ(server_done_->error().kind, FaultKind::bad_request);
    EXPECT_FALSE(server_->spoke_plain_http());
    const std::string alert = heard();
    ASSERT_FALSE(alert.empty());
    EXPECT_EQ(alert[0], '\x15');
}

}  // namespace
}  // namespace rotary::net
