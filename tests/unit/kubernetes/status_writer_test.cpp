// What the status writer asks of an API server, and what it makes of the answers.
#include "kubernetes/status_writer.hpp"
#include "kubernetes/object_text.hpp"
#include "unit/kubernetes/fake_cluster.hpp"

#include <gmock/gmock.h>

namespace rotary::kubernetes {
namespace {

using testing::HasSubstr;

constexpr const char* kVersion = "dp.wso2.com/v1alpha3";
constexpr const char* kEvents = "/apis/events.k8s.io/v1/namespaces/default/events";

std::string answer(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
}

// The same, behind which the connection stays.
std::string kept(const std::string& status, const std::string& body) {
    std::string text = answer(status, body);
    const std::string close = "\r\nConnection: close";
    return text.erase(text.find(close), close.size());
}

std::string target(const std::string& name) {
    return "/apis/dp.wso2.com/v1alpha3/namespaces/default/apis/" + name;
}

std::string api(const std::string& name, const std::string& spec = "1") {
    return R"({"metadata":{"name":")" + name + R"(","namespace":"default","uid":"u",)" +
           R"("resourceVersion":"7","generation":1},"spec":{"a":)" + spec + "}}";
}

Judged judged(const std::string& name, const std::string& kind = "API") {
    const auto document = wire::JsonDocument::parse(api(name));
    const auto text = object_text(document->root(), kVersion, kind);
    return {{kVersion, kind, "default", name, "u"},
            target(name),
            std::make_shared<const std::string>(text->text),
            {}};
}

class StatusWriterTest : public FakeCluster {
protected:
    void answers(const std::string& name, const std::string& patch_status) {
        server_.answer_once(target(name), answer("200 OK", api(name)));
        server_.answer_once(target(name) + "/status", answer(patch_status, "{}"));
    }
    bool comes(const std::string& request, std::size_t times = 1) {
        return until([&] { return server_.count(request) == times; });
    }

    StatusWriter writer_{context_, *client_, log_, "gw-1"};
};

TEST_F(StatusWriterTest, AnObjectIsReadAndThenPatched) {
    answers("a", "200 OK");
    writer_.tell({judged("a")});
    EXPECT_TRUE(until([&] { return writer_.counts().patches == 1; }));
    EXPECT_THAT(server_.last_head(), HasSubstr("PATCH " + target("a") + "/status"));
    EXPECT_THAT(server_.last_head(), HasSubstr("application/merge-patch+json"));
}

TEST_F(StatusWriterTest, AConflictIsTriedAgainFromTheNewerObject) {
    answers("a", "409 Conflict");
    writer_.tell({judged("a")});
    ASSERT_TRUE(comes("PATCH " + target("a")));
    answers("a", "200 OK");
    EXPECT_TRUE(until([&] { return writer_.counts().patches == 1; }));
    EXPECT_EQ(server_.count("GET " + target("a")), 2U);
    EXPECT_EQ(writer_.counts().refusals, 0U);
}

// The watch brings it, and then it is judged.
TEST_F(StatusWriterTest, AVersionThatWasNotLoadedIsNotSpokenOf) {
    server_.answer_once(target("a"), answer("200 OK", api("a", "2")));
    answers("b", "200 OK");
    writer_.tell({judged("a"), judged("b")});
    EXPECT_TRUE(until([&] { return writer_.counts().patches == 1; }));
    EXPECT_EQ(server_.count("GET " + target("a")), 1U);
    EXPECT_EQ(server_.count("PATCH " + target("a")), 0U);
}

TEST_F(StatusWriterTest, ARefusalHoldsUpTheOthers) {
    server_.answer_once(target("a"), answer("403 Forbidden", "{}"));
    answers("b", "200 OK");
    writer_.tell({judged("a"), judged("b")});
    EXPECT_TRUE(until([&] { return writer_.counts().refusals == 1; }));
    EXPECT_FALSE(context_.run_one_for(std::chrono::milliseconds(50)) > 0 &&
                 server_.count(target("b")) > 0);
}

// Each object takes two requests.
TEST_F(StatusWriterTest, AThousandStatusesTakeAHandfulOfConnections) {
    server_.keep_connections();
    std::vector<Judged> all;
    for (int i = 1000; i < 2000; ++i) {
        const std::string name = "a" + std::to_string(i);
        server_.answer_once(target(name), kept("200 OK", api(name)));
        server_.answer_once(target(name) + "/status", kept("200 OK", "{}"));
        all.push_back(judged(name));
    }
    writer_.tell(std::move(all));
    EXPECT_TRUE(until([&] { return writer_.counts().patches == 1000; }));
    EXPECT_LE(server_.connections(), 5U);
    EXPECT_EQ(server_.count("/apis/a1999"), 2U);
}

// A server may close a connection at any time: what was about to be asked on it is asked again.
TEST_F(StatusWriterTest, AConnectionThatIsClosedMeanwhileLosesNothing) {
    for (const char* name : {"a", "b"}) {
        server_.answer_once(target(name), kept("200 OK", api(name)));
        server_.answer_once(target(name) + "/status", kept("200 OK", "{}"));
    }
    writer_.tell({judged("a"), judged("b")});
    EXPECT_TRUE(until([&] { return writer_.counts().patches == 2; }));
    EXPECT_EQ(server_.connections(), 4U);
    EXPECT_EQ(writer_.counts().refusals, 0U);
}

TEST_F(StatusWriterTest, OfAnotherKindAnEventIsPosted) {
    Judged backend = judged("a", "Backend");
    backend.verdict = {Verdict::Outcome::held,
                       {{config::Severity::error, "", 0, 0, "spec", "is wrong"},
                        {config::Severity::warning, "", 0, 0, "spec", "is not served: x"}}};
    server_.answer_once(kEvents, answer("201 Created", "{}"));
    writer_.tell({backend});
    ASSERT_TRUE(comes(std::string("POST ") + kEvents));
    // Another replica has said the other.
    server_.answer_once(kEvents, answer("409 Conflict", "{}"));
    ASSERT_TRUE(comes(std::string("POST ") + kEvents, 2));
    EXPECT_TRUE(until([&] { return writer_.counts().events == 1; }));
    EXPECT_EQ(writer_.counts().refusals, 0U);
}

}  // namespace
}  // namespace rotary::kubernetes
