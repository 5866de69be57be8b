// What stands on the wire of a request to a provider, and how it goes where that reads slowly.
#include "unit/upstream/one_try.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace rotary::upstream {
namespace {

TEST(Http1ProviderRequest, HasATargetAHostAndALength) {
    struct Row {
        const char* name;
        const char* method;
        const char* target;
        const char* lines;
        std::optional<std::string> body;
        const char* heard;
    };
    const Row rows[] = {
        {"no body", "GET", "/v1/models?a=b", "", std::nullopt,
         "GET /v1/models?a=b HTTP/1.1\nHost: a.test:8080\n\n"},
        {"header lines", "HEAD", "/", "accept: a/b\nx-a: 1\n", std::nullopt,
         "HEAD / HTTP/1.1\nHost: a.test:8080\naccept: a/b\nx-a: 1\n\n"},
        {"a body", "POST", "/v1/chat", "x-a: 1\n", "{}",
         "POST /v1/chat HTTP/1.1\nHost: a.test:8080\nx-a: 1\ncontent-length: 2\n\n{}"},
        {"an empty body", "POST", "/v1/chat", "", "",
         "POST /v1/chat HTTP/1.1\nHost: a.test:8080\ncontent-length: 0\n\n"},
    };
    for (const Row& row : rows) {
        OneTry request;
        request.begin();
        wire::HeadWriter head = request.provider.begin_request(row.method);
        head.append(row.target);
        request.provider.end_target(head, "a.test:8080");
        head.append(test::with_crlf(row.lines));
        std::optional<std::size_t> length;
        if (row.body) length = row.body->size();
        EXPECT_TRUE(request.provider.start(head, length)) << row.name;
        const std::string body = row.body.value_or("");
        if (!body.empty()) request.pieces.add(body);
        EXPECT_TRUE(request.provider.send(request.pieces)) << row.name;
        EXPECT_EQ(request.hear(), row.heard) << row.name;
    }
}

TEST(Http1ProviderRequest, AHeadThatDoesNotFitIsNone) {
    OneTry request;
    request.begin();
    const std::string whole = "GET /x HTTP/1.1\r\nHost: a.test\r\ncontent-length: 7\r\n\r\n";
    for (const std::size_t missing : {0U, 1U, 2U, 9U, 30U, 50U}) {
        request.scratch.head.resize(whole.size() - missing);
        wire::HeadWriter head = request.provider.begin_request("GET");
        head.append("/x");
        request.provider.end_target(head, "a.test");
        EXPECT_EQ(request.provider.start(head, 7), missing == 0) << missing;
    }
}

TEST(Http1ProviderRequest, AHostThatWouldBeTwoLinesIsNone) {
    OneTry request;
    request.begin();
    wire::HeadWriter head = request.provider.begin_request("GET");
    head.append("/");
    request.provider.end_target(head, "a.test\r\nx-forged: 1");
    EXPECT_FALSE(request.provider.start(head, std::nullopt));
}

// --- providers that read slowly -----------------------------------------------------------------

// A request with a large body, of which the provider takes little.
class SlowProviderTest : public testing::Test {
protected:
    void SetUp() override {
        request_.begin();
        request_.far->takes_little();
    }
    // With a head that does not go at once either.
    void send() {
        wire::HeadWriter head = request_.provider.begin_request("POST");
        head.append("/x");
        request_.provider.end_target(head, "a.test");
        for (int i = 0; i < 20; ++i) lines_.append("x-a: ").append(1000, 'a').append("\n");
        head.append(test::with_crlf(lines_));
        ASSERT_TRUE(request_.provider.start(head, body_.size()));
        request_.pieces.add(body_);
        ASSERT_FALSE(request_.provider.send(request_.pieces)) << "it waits for the provider";
    }
    FaultKind finish_send() {
        const auto sent = request_.run(request_.provider.finish_send(request_.pieces));
        return sent ? FaultKind::none : sent.error().kind;
    }
    void release() {
        request_.provider.release();
        EXPECT_EQ(request_.pool.idle(), 0U) << "it still owes its provider a body";
        EXPECT_EQ(request_.state->connections(), 0U);
    }

    OneTry request_;
    std::string lines_;
    std::string body_ = std::string(300000, 'b');
};

TEST_F(SlowProviderTest, GetsAllOfIt) {
    send();
    test::Running<Result<void>> sending(request_.provider.finish_send(request_.pieces));
    std::fill(request_.scratch.head.begin(), request_.scratch.head.end(), '#');  // another request
    std::string heard;
    while (!sending.ended()) {
        const std::string more = request_.hear();
        heard += more;
        if (more.empty()) test::turn(request_.reactor);
    }
    heard += request_.hear();
    EXPECT_TRUE(sending.result(request_.reactor).has_value());
    std::string all = "POST /x HTTP/1.1\nHost: a.test\n" + lines_ + "content-length: 300000\n\n";
    all += body_;
    EXPECT_TRUE(heard == all) << heard.substr(0, 100);
    request_.say("HTTP/1.1 204 None\n\n");
    EXPECT_EQ(request_.read_head(), FaultKind::none);
    request_.provider.release();
    EXPECT_EQ(request_.pool.idle(), 1U);
}

// A refusal would be lost by writing on.
TEST_F(SlowProviderTest, MayAnswerBeforeItIsThrough) {
    send();
    test::Running<Result<void>> sending(request_.provider.finish_send(request_.pieces));
    request_.say("HTTP/1.1 413 Too Much\ncontent-le");
    test::settle(request_.reactor);
    EXPECT_FALSE(sending.ended()) << "half a head is no answer";
    request_.say("ngth: 2\n\n{}");
    EXPECT_TRUE(sending.result(request_.reactor).has_value());
    EXPECT_EQ(request_.read_head(), FaultKind::none);
    EXPECT_EQ(request_.provider.answer().status, 413);
    release();
}

TEST_F(SlowProviderTest, InterimAnswersAreNone) {
    send();
    test::Running<Result<void>> sending(request_.provider.finish_send(request_.pieces));
    request_.say("HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\n\n");
    test::settle(request_.reactor);
    EXPECT_FALSE(sending.ended());
    while (!sending.ended()) {
        if (request_.hear().empty()) test::turn(request_.reactor);
    }
    EXPECT_TRUE(sending.result(request_.reactor).has_value());
}

TEST_F(SlowProviderTest, WhatIsNoAnswerIsAFault) {
    send();
    request_.say("SSH-2.0-OpenSSH\n\n");
    EXPECT_EQ(finish_send(), FaultKind::upstream_protocol_error);
}

// What it said before stands in the socket; that there is nothing is known when the head is read.
TEST_F(SlowProviderTest, MayGo) {
    send();
    test::Running<Result<void>> sending(request_.provider.finish_send(request_.pieces));
    request_.far->close();
    EXPECT_TRUE(sending.result(request_.reactor).has_value());
    EXPECT_EQ(request_.read_head(), FaultKind::upstream_protocol_error);
    release();
}

TEST_F(SlowProviderTest, HasItsTime) {
    request_.config.timeouts.write_stall = config::Duration::zero();
    send();
    EXPECT_EQ(finish_send(), FaultKind::upstream_timeout);
    release();
}

TEST_F(SlowProviderTest, LosesItsClientOrTheProcess) {
    struct Row {
        const char* name;
        bool hangs_up;
        FaultKind kind;
    };
    const Row rows[] = {
        {"the client", true, FaultKind::client_gone},
        {"the process", false, FaultKind::draining},
    };
    for (const Row& row : rows) {
        OneTry request;
        test::FarEnd client;
        net::Descriptor near(request.reactor, client.near());
        request.terms.wait.client = &near;
        request.begin();
        request.far->takes_little();
        ASSERT_FALSE(request.send("POST", body_)) << row.name;
        test::Running<Result<void>> sending(request.provider.finish_send(request.pieces));
        if (row.hangs_up) {
            client.close();
        } else {
            near.cancel();
        }
        const auto sent = sending.result(request.reactor);
        ASSERT_TRUE(sent.has_error()) << row.name;
        EXPECT_EQ(sent.error().kind, row.kind) << row.name;
    }
}

}  // namespace
}  // namespace rotary::upstream
