// The admin listener over real sockets: limits, time-outs, framing. What each path answers is in
// tests/unit/admin/admin_routes_test.cpp.
#include <rotary/admin/admin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/eventually.hpp>
#include <support/test_client.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rotary::admin {
namespace {

using namespace std::chrono_literals;
using test::ClientOptions;
using test::ReadEnd;
using test::Request;
using test::TestClient;
using testing::HasSubstr;

// An Admin on a control thread of its own, as in the process.
class AdminTest : public testing::Test {
protected:
    void start(const AdminOptions& changed = {}) {
        AdminOptions options = changed;
        options.port = 0;
        AdminHooks hooks;
        hooks.metrics = [](metrics::Format) { return std::string("metrics 1\n"); };
        hooks.live = [] { return Health{}; };
        hooks.ready = []() -> Health { throw std::runtime_error("broken hook"); };
        hooks.status_json = []() -> std::string { throw 1; };
        hooks.models_json = [] { return std::string(4 << 20, ' '); };
        hooks.config_text = [] { return std::string("key: value\n"); };
        hooks.reload = [] { return ReloadOutcome{}; };
        admin_ = std::make_unique<Admin>(context_, options, std::move(hooks), log_);
        thread_ = std::thread([this] { context_.run(); });
    }
    ~AdminTest() override {
        on_control_thread([this] { admin_.reset(); });
        guard_.reset();
        if (thread_.joinable()) thread_.join();
    }
    template <class F>
    auto on_control_thread(F f) -> decltype(f()) {
        if (!thread_.joinable()) return f();
        std::packaged_task<decltype(f())()> task(std::move(f));
        auto future = task.get_future();
        boost::asio::post(context_, [&task] { task(); });
        return future.get();
    }
    ClientOptions where() const {
        ClientOptions options;
        options.port = admin_->port();
        options.tls = false;
        return options;
    }
    test::Response fetch(const std::string& method, const std::string& target,
                         std::vector<std::pair<std::string, std::string>> headers = {}) const {
        Request request;
        request.method = method;
        request.target = target;
        request.headers = std::move(headers);
        return test::fetch(where(), request);
    }

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
        context_.get_executor()};
    Logger log_{LogLevel::error, LogFormat::json, -1};
    std::unique_ptr<Admin> admin_;
    std::thread thread_;
};

Request get(const std::string& target) {
    Request request;
    request.target = target;
    return request;
}

TEST_F(AdminTest, AnswersWithTheHeadersOfAnAdminPage) {
    start();
    const auto got = fetch("GET", "/metrics");
    EXPECT_EQ(got.status, 200u);
    EXPECT_EQ(got.body, "metrics 1\n");
    EXPECT_THAT(std::string(got.header("content-type")), HasSubstr("text/plain; version=0.0.4"));
    EXPECT_EQ(got.header("cache-control"), "no-store");
    EXPECT_EQ(got.header("x-content-type-options"), "nosniff");
}

TEST_F(AdminTest, HeadHasTheLengthAndNoBody) {
    start();
    TestClient client(where());
    client.send("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto head = client.read_response(true);
    EXPECT_EQ(head.status, 200u);
    EXPECT_EQ(head.header("content-length"), "10");
    EXPECT_EQ(client.exchange(get("/livez")).body, "ok\n");
}

TEST_F(AdminTest, KeepsConnectionsAliveAndServesPipelines) {
    start();
    TestClient client(where());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.exchange(get("/livez")).status, 200u);
    client.send(get("/livez").bytes() + get("/nothing").bytes() + get("/metrics").bytes());
    EXPECT_EQ(client.read_response().status, 200u);
    EXPECT_EQ(client.read_response().status, 404u);
    EXPECT_EQ(client.read_response().body, "metrics 1\n");
    EXPECT_EQ(on_control_thread([this] { return admin_->connections(); }), 1u);
}

TEST_F(AdminTest, ClosesWhenAskedTo) {
    start();
    for (const char* request :
         {"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
          "GET /livez HTTP/1.0\r\n\r\n"}) {
        TestClient client(where());
        client.send(request);
        EXPECT_EQ(client.read_response().body, "ok\n");
        EXPECT_EQ(client.wait_for_end(5s), ReadEnd::fin) << request;
    }
}

TEST_F(AdminTest, ChangesArePosts) {
    start();
    EXPECT_EQ(fetch("POST", "/api/v1/reload").status, 200u);
    const auto wrong = fetch("GET", "/api/v1/reload");
    EXPECT_EQ(wrong.status, 405u);
    EXPECT_EQ(wrong.header("allow"), "POST");
}

TEST_F(AdminTest, RefusesForeignNamesAndSites) {
    start();
    EXPECT_EQ(fetch("GET", "/livez", {{"Host", "evil.example"}}).status, 403u);
    EXPECT_EQ(fetch("POST", "/api/v1/reload", {{"Origin", "https://evil.example"}}).status, 403u);
    EXPECT_EQ(fetch("GET", "/livez", {{"Host", "[::1]:1"}}).status, 200u);
}

TEST_F(AdminTest, OnAllAddressesAllButHealthAndMetricsNeedsTheToken) {
    AdminOptions options;
    options.address = "0.0.0.0";
    options.token = "right";
    start(options);
    EXPECT_EQ(fetch("GET", "/livez", {{"Host", "rotary.svc"}}).status, 200u);
    const auto refused = fetch("POST", "/api/v1/reload", {{"Host", "rotary.svc"}});
    EXPECT_EQ(refused.status, 401u);
    EXPECT_EQ(refused.header("www-authenticate"), "Bearer");
    EXPECT_EQ(fetch("GET", "/api/v1/config", {{"Host", "rotary.svc"}}).status, 401u);
    EXPECT_EQ(fetch("GET", "/metrics", {{"Host", "rotary.svc"}}).status, 200u);
    EXPECT_EQ(
        fetch("POST", "/api/v1/reload", {{"Host", "rotary.svc"}, {"Authorization", "Bearer wrong"}})
            .status,
        403u);
    EXPECT_EQ(
        fetch("POST", "/api/v1/reload", {{"Host", "rotary.svc"}, {"Authorization", "Bearer right"}})
            .status,
        200u);
}

TEST_F(AdminTest, AHookThatThrowsCostsOneAnswer) {
    start();
    TestClient client(where());
    EXPECT_EQ(client.exchange(get("/readyz")).status, 500u);
    EXPECT_THAT(fetch("GET", "/readyz").body, Not(HasSubstr("broken hook")));
    EXPECT_EQ(fetch("GET", "/api/v1/status").status, 500u);
    EXPECT_EQ(fetch("POST", "/api/v1/models/a/suspend").status, 500u);  // not even set
    EXPECT_EQ(fetch("GET", "/livez").status, 200u);
}

struct BadRequest {
    const char* name;
    std::string bytes;
    unsigned status;
};

void PrintTo(const BadRequest& row, std::ostream* out) { *out << row.name; }

class AdminBadRequestTest : public AdminTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(AdminBadRequestTest, IsRefusedAndTheConnectionEnds) {
    AdminOptions options;
    options.body_bytes = 1000;
    start(options);
    TestClient client(where());
    client.send(GetParam().bytes);
    const auto got = client.read_response();
    EXPECT_EQ(got.status, GetParam().status);
    EXPECT_THAT(got.body, HasSubstr(R"({"error":{"message":")"));
    client.shutdown_write();
    EXPECT_EQ(client.wait_for_end(5s), ReadEnd::fin);
    EXPECT_EQ(fetch("GET", "/livez").status, 200u);
}

const std::string kHost = "Host: localhost\r\n";
const std::vector<BadRequest> kBad = {
    {"not_http", "hello there\r\n\r\n", 400},
    {"two_hosts", "GET /livez HTTP/1.1\r\n" + kHost + kHost + "\r\n", 400},
    {"no_host", "GET /livez HTTP/1.1\r\n\r\n", 400},
    {"absolute_form", "GET http://localhost/livez HTTP/1.1\r\n" + kHost + "\r\n", 400},
    {"chunked",
     "POST /api/v1/reload HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"other_coding", "POST /api/v1/reload HTTP/1.1\r\n" + kHost + "Transfer-Encoding: x\r\n\r\n",
     400},
    {"two_lengths",
     "POST /api/v1/reload HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
     400},
    {"two_tokens",
     "POST /api/v1/reload HTTP/1.1\r\n" + kHost + "Authorization: a\r\nAuthorization: b\r\n\r\n",
     400},
    {"expect",
     "POST /api/v1/reload HTTP/1.1\r\n" + kHost +
         "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
     417},
    {"body_too_large",
     "POST /api/v1/reload HTTP/1.1\r\n" + kHost + "Content-Length: 1001\r\n\r\n" +
         std::string(1001, 'x'),
     413},
    {"head_too_large",
     "GET /livez HTTP/1.1\r\n" + kHost + "X: " + std::string(8192, 'x') + "\r\n\r\n", 431},
    {"head_without_end", "GET /livez HTTP/1.1\r\n" + kHost + "X: " + std::string(40000, 'x'), 431},
};

INSTANTIATE_TEST_SUITE_P(All, AdminBadRequestTest, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(AdminTest, TakesABodyAndABigHeadWithinTheLimits) {
    start();
    TestClient client(where());
    client.send("POST /api/v1/reload HTTP/1.1\r\n" + kHost + "X: " + std::string(8000, 'x') +
                "\r\nContent-Length: 3\r\n\r\n{}\n");
    EXPECT_EQ(client.read_response().status, 200u);
    EXPECT_EQ(client.exchange(get("/livez")).status, 200u);
}

TEST_F(AdminTest, SlowAndSilentClientsAreCutOff) {
    AdminOptions options;
    options.timeout = 100ms;
    start(options);
    for (const char* sent : {"", "GET /li",
                             "POST /api/v1/reload HTTP/1.1\r\n"
                             "Host: localhost\r\nContent-Length: 5\r\n\r\nab"}) {
        const auto before = std::chrono::steady_clock::now();
        TestClient client(where());
        client.send(sent);
        EXPECT_NE(client.wait_for_end(5s), ReadEnd::timeout) << sent;
        EXPECT_GE(std::chrono::steady_clock::now() - before, 95ms) << sent;
    }
}

TEST_F(AdminTest, TricklingDoesNotProlongTheTimeOut) {
    AdminOptions options;
    options.timeout = 200ms;
    start(options);
    TestClient client(where());
    const auto before = std::chrono::steady_clock::now();
    // 4 s of trickle if nobody stops it; ends early because sending fails.
    client.send_pieces("GET /livez HTTP/1.1\r\nX: " + std::string(200, 'x'), 1, 20ms);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

TEST_F(AdminTest, AClientThatDoesNotReadIsCutOff) {
    AdminOptions options;
    options.timeout = 150ms;
    start(options);
    ClientOptions to = where();
    to.receive_buffer = 4096;
    TestClient client(to);
    client.send(get("/api/v1/models"));  // 4 MiB
    EXPECT_EQ(fetch("GET", "/livez").status, 200u);
    EXPECT_TRUE(test::eventually(
        [this] { return on_control_thread([this] { return admin_->connections(); }) == 0; }));
}

TEST_F(AdminTest, AtTheLimitTheOneThatWaitedLongestGoes) {
    AdminOptions options;
    options.connections = 4;
    start(options);
    std::vector<TestClient> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back(where());
        clients.back().exchange(get("/livez"));
    }
    clients[0].exchange(get("/livez"));  // so the second one has waited the longest
    TestClient fifth(where());
    EXPECT_EQ(fifth.exchange(get("/livez")).status, 200u);
    EXPECT_EQ(clients[1].wait_for_end(5s), ReadEnd::fin);
    EXPECT_EQ(clients[0].exchange(get("/livez")).status, 200u);
    EXPECT_EQ(clients[2].exchange(get("/livez")).status, 200u);
    EXPECT_EQ(clients[3].exchange(get("/livez")).status, 200u);
    EXPECT_EQ(on_control_thread([this] { return admin_->connections(); }), 4u);
}

TEST_F(AdminTest, ManySilentConnectionsDoNotKeepAProbeOut) {
    start();
    std::vector<TestClient> silent;
    for (int i = 0; i < 100; ++i) silent.emplace_back(where());
    EXPECT_EQ(fetch("GET", "/livez").status, 200u);
    EXPECT_LE(on_control_thread([this] { return admin_->connections(); }), 64u);
}

TEST_F(AdminTest, StopEndsEverything) {
    start();
    TestClient client(where());
    client.exchange(get("/livez"));
    on_control_thread([this] { admin_->stop(); });
    EXPECT_NE(client.wait_for_end(5s), ReadEnd::timeout);
    EXPECT_THROW(TestClient{where()}, test::ClientError);
}

TEST_F(AdminTest, APortInUseIsNamed) {
    start();
    boost::asio::io_context context;
    AdminOptions options;
    options.port = admin_->port();
    try {
        const Admin second(context, options, {}, log_);
        FAIL() << "bound twice";
    } catch (const std::exception& exception) {
        EXPECT_THAT(exception.what(), HasSubstr("127.0.0.1:" + std::to_string(options.port)));
    }
    options.address = "localhost";  // not a literal
    EXPECT_THROW(Admin(context, options, {}, log_), std::exception);
}

TEST(Admin, MayBeDestroyedWithConnectionsOpenAndTheContextNeverRunAgain) {
    auto context = std::make_unique<boost::asio::io_context>(1);
    Logger log{LogLevel::error, LogFormat::json, -1};
    AdminOptions options;
    options.port = 0;
    auto admin = std::make_unique<Admin>(*context, options, AdminHooks{}, log);
    ClientOptions to;
    to.port = admin->port();
    to.tls = false;
    const TestClient client(to);
    while (admin->connections() == 0) context->run_one_for(1s);
    context->poll();
    admin.reset();
    context.reset();
}

}  // namespace
}  // namespace rotary::admin
