#include "unit/kubernetes/fake_cluster.hpp"

#include <gmock/gmock.h>

#include <support/certificates.hpp>

#include <vector>

namespace rotary::kubernetes {
namespace {

using std::chrono_literals::operator""ms;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTarget = "/apis/dp.wso2.com/v1alpha2/namespaces/default/backends";

class ApiClientTest : public FakeCluster {
protected:
    ApiAnswer ask(ApiRequest request) {
        std::optional<ApiAnswer> answer;
        const ApiClient::Handle call =
            client_->request(std::move(request), [&](ApiAnswer got) { answer = std::move(got); });
        EXPECT_TRUE(until([&] { return answer.has_value(); }));
        return answer.value_or(ApiAnswer());
    }
    ApiAnswer get(const std::string& target) {
        ApiRequest request;
        request.target = target;
        return ask(std::move(request));
    }
};

TEST_F(ApiClientTest, AListComesWhole) {
    server_.put(kBackends, "one", R"("spec":{})");
    const ApiAnswer answer = get(kTarget);
    EXPECT_TRUE(answer.ok()) << answer.error;
    EXPECT_THAT(answer.body, HasSubstr(R"("name":"one")"));
    EXPECT_THAT(server_.last_head(),
                AllOf(HasSubstr("Accept: application/json"), Not(HasSubstr("Accept-Encoding")),
                      HasSubstr("Authorization: Bearer secret-token")));
}

TEST_F(ApiClientTest, ABodyGoesWithItsType) {
    server_.install(kBackends);
    ApiRequest request;
    request.method = "PATCH";
    request.target = kTarget;
    request.content_type = "application/merge-patch+json";
    request.body = R"({"status":{}})";
    ask(std::move(request));
    EXPECT_THAT(server_.last_head(), AllOf(HasSubstr("PATCH "), HasSubstr("merge-patch+json"),
                                           HasSubstr("Content-Length: 13")));
}

TEST_F(ApiClientTest, RefusalsHaveTheirStatusAndBody) {
    EXPECT_EQ(get(kTarget).status, 404U);
    server_.install(kBackends);
    server_.forbid("backends");
    const ApiAnswer answer = get(kTarget);
    EXPECT_EQ(answer.status, 403U);
    EXPECT_FALSE(answer.ok());
    EXPECT_THAT(answer.body, HasSubstr("backends is forbidden"));
    server_.answer_once("/",
                        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n"
                        "Content-Length: 0\r\n\r\n");
    EXPECT_EQ(get(kTarget).retry_after, 3000ms);
}

TEST_F(ApiClientTest, ATokenThatIsRefusedIsReadAgainAtOnce) {
    server_.install(kBackends);
    std::string text = server_.kubeconfig();
    text.replace(text.find("token: \"secret-token\""), 21, "tokenFile: token");
    settings_.kubeconfig = dir_.write("kubeconfig", text);
    access_.emplace(settings_, config::process_environment());
    server_.set_token("renewed");
    dir_.write("token", "renewed");
    EXPECT_EQ(get(kTarget).status, 200U);
    EXPECT_EQ(server_.requests().size(), 2U);
    server_.set_token("other");
    EXPECT_EQ(get(kTarget).status, 401U);
    EXPECT_EQ(server_.requests().size(), 4U);  // once, and no more
}

TEST_F(ApiClientTest, WhatIsCutIsToldAsSuch) {
    for (const char* answer :
         {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", "HTTP/1.1 200 O", ""}) {
        server_.answer_once("/", answer);
        const ApiAnswer got = get(kTarget);
        EXPECT_FALSE(got.ok());
        EXPECT_THAT(got.error, HasSubstr("read: "));
    }
    server_.close();
    EXPECT_THAT(get(kTarget).error, HasSubstr("connect: "));
}

TEST_F(ApiClientTest, AnAnswerOfTooManyBytesIsRefused) {
    server_.put(kBackends, "one", R"("spec":{})");
    ApiRequest request;
    request.target = kTarget;
    request.body_bytes = get(kTarget).body.size();
    EXPECT_TRUE(ask(request).ok());
    --request.body_bytes;
    EXPECT_THAT(ask(request).error, HasSubstr("larger than"));
}

TEST_F(ApiClientTest, SilenceHasAnEnd) {
    server_.install(kBackends);
    ApiRequest request;
    request.target = std::string(kTarget) + "?watch=1&resourceVersion=100";
    request.on_line = [](std::string_view) {};
    request.deadline = 300ms;
    EXPECT_THAT(ask(request).error, HasSubstr("no answer in time"));
}

TEST_F(ApiClientTest, AnotherServersCertificateIsRefused) {
    std::string text = server_.kubeconfig();
    const std::string& ca = test::certificates().ca;
    text.replace(text.find(ca), ca.size(), test::certificates().other_ca);
    settings_.kubeconfig = dir_.write("kubeconfig", text);
    access_.emplace(settings_, config::process_environment());
    EXPECT_THAT(get(kTarget).error, HasSubstr("tls: "));
    EXPECT_TRUE(server_.requests().empty());
}

class BurstTest : public ApiClientTest {
protected:
    BurstTest() {
        server_.install(kBackends);
        server_.keep_connections();
    }
    ApiAnswer ask_one(const std::string& head, const std::string& body = "") {
        server_.answer_once(kTarget, "HTTP/1.1 " + head + "\r\n\r\n" + body);
        ApiRequest request;
        request.target = kTarget;
        request.is_of_burst = true;
        return ask(std::move(request));
    }
    ApiAnswer ask_one() { return ask_one("200 OK\r\nContent-Length: 2", "{}"); }
};

TEST_F(BurstTest, RequestsOfABurstShareAConnection) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_one().body, "{}");
    EXPECT_EQ(server_.connections(), 1U);
    EXPECT_THAT(server_.last_head(), Not(HasSubstr("Connection: close")));
    EXPECT_EQ(get(kTarget).status, 200U);  // it is of none
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(BurstTest, AConnectionThatIsIdleIsClosed) {
    client_.emplace(context_, resolver_, *access_, 20ms);
    ask_one();
    EXPECT_TRUE(until([&] { return server_.open_connections() == 0; }));
    EXPECT_EQ(ask_one().body, "{}");
    EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(BurstTest, WhatMayNotBeKeptIsNot) {
    ask_one("200 OK\r\nContent-Length: 2\r\nConnection: close", "{}");
    ask_one("200 OK\r\nContent-Length: 2", "{}more");  // more than was asked for
    EXPECT_EQ(ask_one().body, "{}");
    EXPECT_EQ(server_.connections(), 3U);
}

TEST_F(BurstTest, ATokenThatIsRefusedIsReadAgain) {
    EXPECT_EQ(ask_one().body, "{}");
    EXPECT_EQ(ask_one("401 Unauthorized\r\nContent-Length: 0").status, 200U);
    EXPECT_EQ(server_.count(kTarget), 3U);
}

TEST_F(ApiClientTest, AHandleThatIsDroppedEndsItsRequest) {
    server_.install(kBackends);
    bool is_called = false;
    ApiRequest request;
    request.target = std::string(kTarget) + "?watch=1&resourceVersion=100";
    request.on_line = [](std::string_view) {};
    ApiClient::Handle call =
        client_->request(std::move(request), [&](const ApiAnswer&) { is_called = true; });
    EXPECT_TRUE(until([&] { return server_.watches() == 1; }));
    call.drop();
    EXPECT_TRUE(until([&] { return server_.watches() == 0; }));
    EXPECT_FALSE(is_called);
}

}  // namespace
}  // namespace rotary::kubernetes
