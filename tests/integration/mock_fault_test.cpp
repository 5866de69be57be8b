// The ways in which `rotary mock` goes wrong on purpose.
#include <support/certificates.hpp>
#include <support/json.hpp>
#include <support/test_client.hpp>

#include <rotary/mock/provider.hpp>

#include <gtest/gtest.h>

namespace rotary::test {
namespace {

using mock::MockFault;
using mock::MockOptions;
using mock::MockProvider;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kPlain = R"({"model":"gpt-4o"})";
constexpr const char* kStream = R"({"model":"gpt-4o","stream":true})";

// Each test runs once on plain TCP and once under TLS.
class MockFaultTest : public testing::TestWithParam<bool> {
protected:
    MockFaultTest() : provider(options()) { provider.start(); }

    static MockOptions options() {
        MockOptions made;
        made.chunk_interval = 1ms;
        if (GetParam()) {
            made.tls = mock::MockTls{certificates().server.certificate, certificates().server.key};
        }
        return made;
    }
    ClientOptions to() const {
        ClientOptions made;
        made.port = provider.port();
        made.tls = GetParam();
        return made;
    }
    static ReadEnd proper_end() { return GetParam() ? ReadEnd::close_notify : ReadEnd::fin; }
    static Request chat(const char* body, const char* fault = nullptr) {
        Request request{"POST", "/v1/chat/completions", {}, body};
        if (fault != nullptr) request.headers.emplace_back("x-mock-fault", fault);
        return request;
    }
    // What came of the answer, as bytes, and how the connection ended.
    std::pair<std::string, ReadEnd> bytes_of(const Request& request) const {
        TestClient client(to());
        client.send(request);
        std::string bytes = client.read_to_end();
        return {std::move(bytes), client.last_end()};
    }

    MockProvider provider;
};

TEST_P(MockFaultTest, EndsTheConnectionAfterSoManyBytes) {
    struct Row {
        const char* fault;
        std::size_t bytes;
        ReadEnd end;
    };
    const Row rows[] = {
        {"close-after=0", 0, proper_end()},     {"close-after=9", 9, proper_end()},
        {"close-after=700", 700, proper_end()}, {"truncate=700", 700, ReadEnd::fin},
        {"truncate=0", 0, ReadEnd::fin},        {"reset", 0, ReadEnd::reset},
        {"reset=0", 0, ReadEnd::reset},
    };
    for (const char* body : {kPlain, kStream}) {
        for (const Row& row : rows) {
            SCOPED_TRACE(std::string(row.fault) + body);
            if (body == kPlain && row.bytes > 500) continue;
            const auto [bytes, end] = bytes_of(chat(body, row.fault));
            EXPECT_EQ(bytes.size(), row.bytes);
            EXPECT_EQ(end, row.end);
            EXPECT_TRUE(provider.wait_for_open_connections(0, 2s));
        }
    }
}

TEST_P(MockFaultTest, ResetInMidAnswer) {
    TestClient client(to());
    client.send(chat(kStream, "reset=2000"));
    client.read_head();
    while (client.read_event()) {
    }
    EXPECT_EQ(client.ending(), Ending::cut);
    EXPECT_EQ(client.last_end(), ReadEnd::reset);
}

TEST_P(MockFaultTest, CutBehindTheWholeAnswerIsNoCut) {
    const auto [bytes, end] = bytes_of(chat(kPlain, "close-after=1000000"));
    EXPECT_TRUE(bytes.ends_with("}"));
    EXPECT_EQ(end, proper_end());
}

TEST_P(MockFaultTest, StallsUntilThePeerGoes) {
    for (const char* fault : {"stall", "stall=300"}) {
        SCOPED_TRACE(fault);
        TestClient client(to());
        client.send(chat(kStream, fault));
        ASSERT_TRUE(provider.wait_for_open_connections(1, 1s));
        if (fault == std::string("stall=300")) client.read_head();
        EXPECT_EQ(client.wait_for_end(100ms), ReadEnd::timeout);
        client.close();
        EXPECT_TRUE(provider.wait_for_open_connections(0, 1s));
    }
}

TEST_P(MockFaultTest, NoticesAPeerThatGoesWhileItWaits) {
    provider.set_fault("*", MockFault::slow_head(1h));
    for (const char* how : {"close", "drop", "reset"}) {
        SCOPED_TRACE(how);
        TestClient client(to());
        client.send(chat(kPlain));
        ASSERT_TRUE(provider.wait_for_requests(1, 1s));
        provider.reset();
        if (how == std::string("close")) client.close();
        if (how == std::string("drop")) client.drop();
        if (how == std::string("reset")) client.reset();
        EXPECT_TRUE(provider.wait_for_open_connections(0, 1s));
    }
}

TEST_P(MockFaultTest, GarbageIsNoHttp) {
    TestClient client(to());
    client.send(chat(kPlain, "garbage"));
    EXPECT_THROW(client.read_head(), ClientError);
}

TEST_P(MockFaultTest, SlowHeadComesLate) {
    TestClient client(to());
    const auto begin = Clock::now();
    client.send(chat(kPlain, "slow-head=80ms"));
    const ResponseHead head = client.read_head();
    EXPECT_EQ(head.status, 200U);
    EXPECT_GE(head.arrived_at - begin, 80ms);
}

TEST_P(MockFaultTest, AnswersWithAStatus) {
    struct Row {
        const char* fault;
        unsigned status;
        const char* type;
        const char* code;
    };
    const Row rows[] = {
        {"status=500", 500, "server_error", "null"},
        {"status=503", 503, "service_unavailable_error", "server_is_overloaded"},
        {"status=529", 529, "overloaded_error", "null"},
        {"status=429", 429, "requests", "rate_limit_exceeded"},
        {"status=418", 418, "invalid_request_error", "null"},
    };
    TestClient client(to());
    for (const Row& row : rows) {
        SCOPED_TRACE(row.fault);
        const Response answer = client.exchange(chat(kStream, row.fault));
        EXPECT_EQ(answer.status, row.status);
        EXPECT_EQ(json_at(answer.body, "error.type"), row.type);
        EXPECT_EQ(json_at(answer.body, "error.code"), row.code);
        EXPECT_EQ(answer.count("retry-after"), 0U);
    }
    EXPECT_EQ(client.exchange(chat(kPlain, "status=204")).status, 204U);
    EXPECT_EQ(client.exchange(chat(kPlain)).status, 200U) << "the connection lives on";
}

TEST_P(MockFaultTest, RefusesFaultsItDoesNotKnow) {
    for (const char* fault : {"", "explode", "reset=", "reset=x", "close-after", "slow-head",
                              "slow-head=5", "status=99", "status=", "garbage=1", "truncate"}) {
        SCOPED_TRACE(fault);
        const Response answer = fetch(to(), chat(kPlain, fault));
        EXPECT_EQ(answer.status, 400U);
        EXPECT_EQ(json_at(answer.body, "error.code"), "unknown_fault");
    }
}

TEST_P(MockFaultTest, AnswersWhatItWasTold) {
    TestClient client(to());
    provider.respond_with("gpt-4o", 402, {{"X-One", "1"}, {"Content-Type", "text/odd"}}, "pay!");
    const Response canned = client.exchange(chat(kPlain));
    EXPECT_EQ(canned.status, 402U);
    EXPECT_EQ(canned.header("x-one"), "1");
    EXPECT_EQ(canned.header("content-type"), "text/odd");
    EXPECT_EQ(canned.count("x-request-id"), 0U);
    EXPECT_EQ(canned.body, "pay!");

    provider.respond_with("gpt-4o", 200, {{"Transfer-Encoding", "chunked"}},
                          "2\r\nab\r\n0\r\nX-Trailer: t\r\n\r\n");
    const Response framed = client.exchange(chat(kPlain));
    EXPECT_EQ(framed.count("content-length"), 0U);
    EXPECT_EQ(framed.body, "ab");
    ASSERT_EQ(framed.trailers.size(), 1U);

    provider.set_fault("gpt-4o", MockFault::raw("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    const Response raw = client.exchange(chat(kPlain));
    EXPECT_EQ(raw.ending, Ending::close_delimited);
    EXPECT_EQ(raw.body, "until the end");
}

TEST_P(MockFaultTest, FaultsMeetTheirModelSoManyTimes) {
    TestClient client(to());
    const auto status_of = [&](const char* model, const char* fault = nullptr) {
        const std::string body = std::string(R"({"model":")") + model + "\"}";
        return client.exchange(chat(body.c_str(), fault)).status;
    };
    provider.set_fault("*", MockFault::answer_status(502));
    provider.set_fault("a", MockFault::answer_status(503), 2);
    EXPECT_EQ(status_of("a"), 503U);
    EXPECT_EQ(status_of("b"), 502U);
    EXPECT_EQ(status_of("a", "status=504"), 504U) << "the request's own goes first";
    EXPECT_EQ(status_of("a"), 503U);
    EXPECT_EQ(status_of("a"), 502U) << "its two are over";
    provider.clear_faults();
    EXPECT_EQ(status_of("a"), 200U);
}

TEST_P(MockFaultTest, StopsInMidFault) {
    TestClient stalled(to());
    stalled.send(chat(kPlain, "stall"));
    TestClient slow(to());
    slow.send(chat(kPlain, "slow-head=1h"));
    ASSERT_TRUE(provider.wait_for_requests(2, 1s));
    provider.stop();
    EXPECT_EQ(provider.open_connections(), 0U);
}

INSTANTIATE_TEST_SUITE_P(On, MockFaultTest, testing::Bool(),
                         [](const auto& with) { return with.param ? "tls" : "tcp"; });

}  // namespace
}  // namespace rotary::test
