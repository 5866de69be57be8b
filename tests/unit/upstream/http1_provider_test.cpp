// The connection of a try: where it comes from, and what becomes of it.
#include "unit/upstream/one_try.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "support/loopback_port.hpp"

namespace rotary::upstream {
namespace {

using rotation::BackendLimits;

BackendLimits one_connection() {
    BackendLimits limits;
    limits.connections = 1;
    return limits;
}

net::Endpoint endpoint_of(const test::LoopbackPort& port) {
    net::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = port.number();
    return endpoint;
}

TEST(Http1Provider, TakesAConnectionThatWaits) {
    OneTry attempt;
    attempt.begin();
    EXPECT_TRUE(attempt.provider.is_reused());
    EXPECT_TRUE(attempt.provider.asked());
    EXPECT_EQ(attempt.pool.idle(), 0U);
    EXPECT_EQ(attempt.state->connections(), 1U);
}

TEST(Http1Provider, ElseAPlaceForOne) {
    OneTry attempt;
    const auto begun = attempt.provider.begin(attempt.bucket, attempt.terms);
    ASSERT_TRUE(begun.has_value());
    EXPECT_TRUE(*begun);
    EXPECT_FALSE(attempt.provider.is_connected());
    EXPECT_FALSE(attempt.provider.asked());
    EXPECT_EQ(attempt.state->connections(), 1U);
}

TEST(Http1Provider, AnotherTryGivesUpWhatTheLastOneHad) {
    OneTry attempt;
    attempt.begin();
    const auto begun = attempt.provider.begin(attempt.bucket, attempt.terms);
    ASSERT_TRUE(begun.has_value());
    EXPECT_FALSE(attempt.provider.is_connected());
    EXPECT_FALSE(attempt.provider.asked()) << "nothing was sent in this one";
    EXPECT_TRUE(attempt.far->heard_the_end());
    EXPECT_EQ(attempt.state->connections(), 1U);
}

TEST(Http1Provider, KeepsToTheLimitOfRequests) {
    for (const bool has_idle : {false, true}) {
        BackendLimits limits;
        limits.requests = 1;
        OneTry attempt(limits);
        ASSERT_TRUE(attempt.state->enter_request(1)) << "by another worker";
        if (has_idle) attempt.pool_connection();
        const auto begun = attempt.provider.begin(attempt.bucket, attempt.terms);
        ASSERT_TRUE(begun.has_error());
        EXPECT_EQ(begun.error().detail, std::string(kNoRoom.detail));
        EXPECT_FALSE(attempt.provider.is_connected());
        EXPECT_EQ(attempt.pool.idle(), has_idle ? 1U : 0U) << "it goes back to the others";
        EXPECT_EQ(attempt.state->connections(), has_idle ? 1U : 0U);
    }
}

// --- waiting for a place ------------------------------------------------------------------------

// All connections of a Backend are in use, by one that the test holds.
class NoPlaceTest : public testing::Test {
protected:
    explicit NoPlaceTest(std::size_t pending = BackendLimits::kNone) : attempt_(limits(pending)) {}

    void begin() {
        attempt_.pool_connection();
        other_ = attempt_.pool.take(attempt_.bucket, attempt_.reactor.now());
        const auto begun = attempt_.provider.begin(attempt_.bucket, attempt_.terms);
        ASSERT_TRUE(begun.has_value() && !*begun);
    }
    ~NoPlaceTest() override { other_.reset(); }

    OneTry attempt_;
    UpstreamConnection other_;

private:
    static BackendLimits limits(std::size_t pending) {
        BackendLimits limits = one_connection();
        limits.pending = pending;
        return limits;
    }
};

TEST_F(NoPlaceTest, AConnectionComesBack) {
    begin();
    test::Running<Result<void>> waiting(attempt_.provider.wait_for_place());
    test::settle(attempt_.reactor);
    EXPECT_FALSE(waiting.ended());
    EXPECT_EQ(attempt_.state->pending(), 1U);
    attempt_.pool.put(attempt_.bucket, std::move(other_), attempt_.reactor.now());
    EXPECT_TRUE(waiting.result(attempt_.reactor).has_value());
    EXPECT_TRUE(attempt_.provider.is_connected());
    EXPECT_TRUE(attempt_.provider.is_reused());
    EXPECT_TRUE(attempt_.provider.asked());
    EXPECT_EQ(attempt_.state->pending(), 0U);
}

TEST_F(NoPlaceTest, APlaceComesBack) {
    begin();
    test::Running<Result<void>> waiting(attempt_.provider.wait_for_place());
    other_.reset();
    EXPECT_TRUE(waiting.result(attempt_.reactor).has_value());
    EXPECT_FALSE(attempt_.provider.is_connected());
    EXPECT_FALSE(attempt_.provider.asked());
    EXPECT_EQ(attempt_.state->connections(), 1U);
}

// Another worker can't wake this one: it looks again by itself.
TEST_F(NoPlaceTest, APlaceBecomesFreeOnAnotherWorker) {
    ASSERT_TRUE(attempt_.state->open_connection(1));
    const auto begun = attempt_.provider.begin(attempt_.bucket, attempt_.terms);
    ASSERT_TRUE(begun.has_value() && !*begun);
    test::Running<Result<void>> waiting(attempt_.provider.wait_for_place());
    attempt_.state->close_connection();
    EXPECT_TRUE(waiting.result(attempt_.reactor).has_value());
    EXPECT_EQ(attempt_.state->connections(), 1U);
}

TEST_F(NoPlaceTest, NoneComesInTime) {
    attempt_.config.timeouts.connect = config::Duration::zero();
    begin();
    const auto waited = attempt_.run(attempt_.provider.wait_for_place());
    ASSERT_TRUE(waited.has_error());
    EXPECT_EQ(waited.error().kind, FaultKind::overloaded);
    EXPECT_EQ(waited.error().retry, Retry::next_entry);
    EXPECT_EQ(attempt_.state->pending(), 0U);
}

TEST_F(NoPlaceTest, TheRequestsOwnTimeIsOver) {
    attempt_.terms.wait.deadline = attempt_.reactor.now();
    begin();
    const auto waited = attempt_.run(attempt_.provider.wait_for_place());
    ASSERT_TRUE(waited.has_error());
    EXPECT_EQ(waited.error().kind, FaultKind::upstream_timeout);
    EXPECT_EQ(waited.error().origin, Origin::internal) << "no entry suffers for it";
    EXPECT_EQ(waited.error().retry, Retry::never);
}

TEST_F(NoPlaceTest, ItsClientGoes) {
    test::FarEnd client;
    net::Descriptor near(attempt_.reactor, client.near());
    attempt_.terms.wait.client = &near;
    begin();
    test::Running<Result<void>> waiting(attempt_.provider.wait_for_place());
    client.close();
    const auto waited = waiting.result(attempt_.reactor);
    ASSERT_TRUE(waited.has_error());
    EXPECT_EQ(waited.error().kind, FaultKind::client_gone);
    EXPECT_EQ(attempt_.state->pending(), 0U);
}

struct NobodyMayWaitTest : NoPlaceTest {
    NobodyMayWaitTest() : NoPlaceTest(0) {}
};

TEST_F(NobodyMayWaitTest, IsToldAtOnce) {
    begin();
    test::Running<Result<void>> waiting(attempt_.provider.wait_for_place());
    ASSERT_TRUE(waiting.ended());
    const auto waited = waiting.result(attempt_.reactor);
    ASSERT_TRUE(waited.has_error());
    EXPECT_EQ(waited.error().detail, std::string(kNoRoom.detail));
}

// --- dialling -----------------------------------------------------------------------------------

// A try that dials a port of the test's.
class DiallingTest : public testing::Test {
protected:
    DiallingTest() { EXPECT_TRUE(attempt_.provider.begin(attempt_.bucket, attempt_.terms)); }
    FaultKind connect() {
        const auto connected = attempt_.run(attempt_.provider.connect(endpoint_of(port_)));
        return connected ? FaultKind::none : connected.error().kind;
    }

    test::LoopbackPort port_;
    OneTry attempt_;
};

TEST_F(DiallingTest, AConnectionHasNotServedBefore) {
    port_.listen(1);
    ASSERT_EQ(connect(), FaultKind::none);
    EXPECT_TRUE(attempt_.provider.is_connected());
    EXPECT_FALSE(attempt_.provider.is_reused());
    EXPECT_TRUE(attempt_.provider.asked());
    attempt_.far.emplace(test::FarEnd::accepted(port_.fd()));
    EXPECT_TRUE(attempt_.send());
    attempt_.far->wait();
    EXPECT_EQ(attempt_.hear(), "GET /x HTTP/1.1\nHost: a.test\n\n");
}

TEST_F(DiallingTest, OneThatFailsGivesItsPlaceBack) {
    EXPECT_EQ(connect(), FaultKind::upstream_connect_failed);
    EXPECT_FALSE(attempt_.provider.is_connected());
    EXPECT_FALSE(attempt_.provider.asked());
    EXPECT_EQ(attempt_.state->connections(), 0U);
}

// The process may open no more files while this lasts than it has open now.
class NoMoreFiles {
public:
    NoMoreFiles() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(next);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreFiles(const NoMoreFiles&) = delete;
    NoMoreFiles& operator=(const NoMoreFiles&) = delete;

private:
    rlimit before_{};
};

TEST_F(DiallingTest, OutOfDescriptorsIdleConnectionsGo) {
    port_.listen(1);
    attempt_.provider.abandon();
    const auto another = std::make_shared<rotation::BackendState>();
    const std::size_t bucket = attempt_.bucket;
    attempt_.bucket = attempt_.pool.hold("another", another, {});
    attempt_.pool_connection();
    ASSERT_TRUE(attempt_.provider.begin(bucket, attempt_.terms));
    {
        const NoMoreFiles full;
        EXPECT_EQ(connect(), FaultKind::none);
    }
    EXPECT_EQ(attempt_.pool.idle(), 0U);
    EXPECT_TRUE(attempt_.far->heard_the_end());
}

TEST_F(DiallingTest, OutOfDescriptorsAndWithoutIdleConnectionsThereIsNoOther) {
    port_.listen(1);
    const NoMoreFiles full;
    EXPECT_EQ(connect(), FaultKind::overloaded);
    EXPECT_EQ(attempt_.state->connections(), 0U);
}

// --- the end ------------------------------------------------------------------------------------

// What is left of one answer would be taken for the beginning of the next.
TEST(Http1Provider, OnlyAConnectionThatOwesNothingServesAgain) {
    struct Row {
        const char* name;
        const char* method;
        const char* head;
        const char* bytes;
        bool kept;
    };
    const char* const sized = "HTTP/1.1 200 OK\ncontent-length: 5\n";
    const char* const chunked = "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n";
    const Row rows[] = {
        {"read to its end", "GET", sized, "hello", true},
        {"no body", "GET", "HTTP/1.1 204 None\n", "", true},
        {"of HEAD", "HEAD", sized, "", true},
        {"the last chunk has come", "GET", chunked, "2\r\nhe\r\n0\r\n\r\n", true},
        {"behind an interim answer", "GET", "HTTP/1.1 100 Go\n\nHTTP/1.1 204 None\n", "", true},
        {"some of it is missing", "GET", "HTTP/1.1 200 OK\ncontent-length: 6\n", "hello", false},
        {"the last chunk is missing", "GET", chunked, "2\r\nhe\r\n", false},
        {"its chunks are none", "GET", chunked, "hello\r\n0\r\n\r\n", false},
        {"it ends with the connection", "GET", "HTTP/1.1 200 OK\n", "hello", false},
        {"something stands behind it", "GET", "HTTP/1.1 200 OK\ncontent-length: 4\n", "hello",
         false},
        {"something stands behind no body", "GET", "HTTP/1.1 204 None\n", "hello", false},
        {"something stands behind HEAD", "HEAD", sized, "hello", false},
        {"its provider closes", "GET", "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 5\n",
         "hello", false},
        {"its provider is old", "GET", "HTTP/1.0 200 OK\ncontent-length: 5\n", "hello", false},
    };
    for (const Row& row : rows) {
        for (const bool is_taken : {false, true}) {
            OneTry attempt;
            attempt.answer(row.head, row.bytes, row.method);
            if (is_taken) {
                attempt.pieces.clear();
                static_cast<void>(attempt.provider.take(attempt.pieces));
                attempt.provider.drop_taken();
            }
            attempt.provider.release();
            EXPECT_EQ(attempt.pool.idle(), row.kept ? 1U : 0U) << row.name;
            EXPECT_EQ(attempt.state->connections(), row.kept ? 1U : 0U) << row.name;
            EXPECT_FALSE(attempt.provider.is_connected()) << row.name;
            EXPECT_EQ(attempt.provider.answer().status, 0) << row.name;
            EXPECT_EQ(attempt.far->heard_the_end(), !row.kept) << row.name;
        }
    }
}

TEST(Http1Provider, AConnectionThatWasNotAskedIsNotKept) {
    OneTry attempt;
    attempt.begin();
    attempt.provider.release();
    EXPECT_EQ(attempt.pool.idle(), 0U);
    EXPECT_TRUE(attempt.far->heard_the_end());
}

TEST(Http1Provider, ServesOneRequestAfterTheOther) {
    OneTry attempt;
    attempt.answer("HTTP/1.1 200 OK\ncontent-length: 5\n", "hello");
    attempt.provider.release();
    const auto begun = attempt.provider.begin(attempt.bucket, attempt.terms);
    ASSERT_TRUE(begun.has_value() && *begun);
    EXPECT_TRUE(attempt.provider.is_reused());
    EXPECT_TRUE(attempt.send());
    attempt.say("HTTP/1.1 404 None\ncontent-length: 2\n\n{}");
    EXPECT_EQ(attempt.read_head(), FaultKind::none);
    EXPECT_EQ(attempt.provider.answer().status, 404);
    std::string space;
    EXPECT_EQ(attempt.provider.payload_at_hand(space), "{}");
}

TEST(Http1Provider, HangingUpKeepsThePlace) {
    OneTry attempt;
    attempt.answer("HTTP/1.1 200 OK\ncontent-length: 5\n", "he");
    attempt.provider.hang_up();
    EXPECT_FALSE(attempt.provider.is_connected());
    EXPECT_EQ(attempt.provider.answer().status, 0);
    EXPECT_EQ(attempt.state->connections(), 1U);
    EXPECT_TRUE(attempt.far->heard_the_end());
}

TEST(Http1Provider, AbandoningGivesItBack) {
    OneTry attempt;
    attempt.answer("HTTP/1.1 200 OK\ncontent-length: 5\n", "hello");
    attempt.provider.abandon();
    EXPECT_FALSE(attempt.provider.is_connected());
    EXPECT_EQ(attempt.provider.answer().status, 0);
    EXPECT_EQ(attempt.state->connections(), 0U);
    EXPECT_EQ(attempt.pool.idle(), 0U);
    EXPECT_TRUE(attempt.far->heard_the_end());
}

// A plain close would leave the rest of the request to a provider that does not read it.
TEST_F(DiallingTest, HangingUpInTheMiddleOfARequestIsAReset) {
    port_.listen(1);
    ASSERT_EQ(connect(), FaultKind::none);
    attempt_.far.emplace(test::FarEnd::accepted(port_.fd()));
    ASSERT_FALSE(attempt_.send("POST", std::string(std::size_t{16} << 20, 'x')));
    attempt_.provider.hang_up();
    while (!attempt_.far->was_reset() && !attempt_.far->heard_the_end()) {
        attempt_.far->wait();
    }
    EXPECT_TRUE(attempt_.far->was_reset());
    EXPECT_EQ(attempt_.state->connections(), 1U);
}

}  // namespace
}  // namespace rotary::upstream
