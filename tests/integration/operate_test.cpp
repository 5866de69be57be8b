#include "edge_support.hpp"

#include <support/process.hpp>
#include <support/temp_dir.hpp>
#include <support/tokens.hpp>

#include <set>

// What operators ask of a gateway that serves: by the admin API and by the commands that talk to
// it.
namespace rotary::test {
namespace {

using testing::HasSubstr;

constexpr std::chrono::seconds kLong{20};

ProcessResult rotary(const Front& front, std::vector<std::string> arguments) {
    ProcessOptions options;
    options.command = {ROTARY_BINARY};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    options.command.insert(options.command.end(),
                           {"--admin", "http://127.0.0.1:" + std::to_string(front.admin_port())});
    options.environment = {{"NO_COLOR", "1"}};
    return run_process(options);
}

Response post(const Front& front, const std::string& target, std::string body = "") {
    Request request;
    request.method = "POST";
    request.target = target;
    request.body = std::move(body);
    return front.admin_request(request);
}

TEST(Operate, ModelsAreSuspendedAndResumedByTheirIds) {
    Edge edge;
    const std::string models = edge.gateway.admin("/api/v1/models");
    const std::string id = json_at(models, "models.0.id");
    const ProcessResult out = rotary(edge.gateway, {"suspend", id, "--seconds", "120"});
    EXPECT_EQ(out.status.code, 0) << out.errors;
    EXPECT_EQ(out.output, id + " is suspended for 120 s\n");
    EXPECT_TRUE(edge.gateway.wait_for_state("gpt", "suspended", kLong));
    const ProcessResult status = rotary(edge.gateway, {"status"});
    EXPECT_EQ(status.status.code, 0) << status.errors;
    EXPECT_THAT(status.output, HasSubstr("suspended 1"));
    EXPECT_EQ(rotary(edge.gateway, {"resume", id}).output, id + " is back in the rotation\n");
    EXPECT_TRUE(edge.gateway.wait_for_state("gpt", "active", kLong));
    const std::string events = edge.gateway.admin("/api/v1/events?format=json");
    EXPECT_EQ(json_at(events, "events.0.kind"), "resumed");
    EXPECT_EQ(json_at(events, "events.0.what"), id);
    EXPECT_EQ(json_at(events, "events.1.kind"), "suspended");
    const ProcessResult unknown = rotary(edge.gateway, {"suspend", "none"});
    EXPECT_EQ(unknown.status.code, 1);
    EXPECT_THAT(unknown.errors, HasSubstr("no entry of that id"));
}

TEST(Operate, ExitCodesTellWhatIsWrong) {
    Edge edge(with_process("watch: false\n"));
    EXPECT_EQ(rotary(edge.gateway, {"healthcheck"}).status.code, 0);
    EXPECT_EQ(rotary(edge.gateway, {"reload"}).status.code, 0);
    EXPECT_EQ(post(edge.gateway, "/api/v1/validate").status, 200u);
    const auto invalid = post(edge.gateway, "/api/v1/validate", "listeners: 7\n");
    EXPECT_EQ(invalid.status, 422u);
    EXPECT_THAT(json_at(invalid.body, "findings"), HasSubstr("rotary.yaml:1:12: error"));
    edge.gateway.files().dir().write("rotary.yaml", "listeners: 7\n");
    const ProcessResult refused = rotary(edge.gateway, {"reload"});
    EXPECT_EQ(refused.status.code, 1);
    EXPECT_THAT(refused.errors, HasSubstr("rotary.yaml:1:12: error"));
    EXPECT_THAT(edge.gateway.admin("/"), HasSubstr("rotary.yaml:1:12: error"));
    EXPECT_EQ(rotary(edge.gateway, {"top", "--output", "json"}).status.code, 2);
    EXPECT_EQ(rotary(edge.gateway, {"top"}).status.code, 2);  // no terminal
    EXPECT_EQ(rotary(edge.gateway, {"suspend", "x", "--seconds", "0"}).status.code, 2);
    const ProcessResult drained = rotary(edge.gateway, {"drain"});
    EXPECT_EQ(drained.status.code, 0) << drained.errors;
    EXPECT_EQ(edge.gateway.wait(), 0);
    EXPECT_EQ(rotary(edge.gateway, {"healthcheck"}).status.code, 3);
}

TEST(Operate, ATokenFromItsFileOpensTheListener) {
    const TempDir folder;
    const std::string file = folder.write("admin.token", "0123456789abcdef\n");
    GatewayOptions options = with_process("watch: false\n");
    const auto mock = start_mock();
    Gateway gateway(in_front_of(*mock, options));
    std::string text = read_file(gateway.files().config());
    text.replace(text.find("admin: {"), 8, "admin: {token_file: " + file + ", ");
    gateway.files().dir().write("rotary.yaml", text);
    ASSERT_TRUE(gateway.server().reload().ok);
    EXPECT_EQ(rotary(gateway, {"status"}).status.code, 1);
    EXPECT_EQ(rotary(gateway, {"healthcheck"}).status.code, 0);
    EXPECT_EQ(rotary(gateway, {"status", "--token-file", file}).status.code, 0);
    folder.write("admin.token", "another-0123456789\n");
    const auto by_old_token = [&] {
        Request request;
        request.method = "POST";
        request.target = "/api/v1/reload";
        request.headers = {{"Authorization", "Bearer 0123456789abcdef"}};
        return gateway.admin_request(request).status;
    };
    EXPECT_EQ(by_old_token(), 200u);
    EXPECT_EQ(by_old_token(), 403u);
    EXPECT_EQ(rotary(gateway, {"status", "--token-file", file}).status.code, 0);
}

TEST(Operate, EventsComeAsTheyHappen) {
    Edge edge;
    ClientOptions where;
    where.port = edge.gateway.admin_port();
    where.tls = false;
    TestClient listener(where);
    Request request;
    request.target = "/api/v1/events";
    listener.send(request);
    const ResponseHead head = listener.read_head();
    EXPECT_EQ(head.status, 200u);
    EXPECT_EQ(head.header("content-type"), "text/event-stream");
    const std::string id = json_at(edge.gateway.admin("/api/v1/models"), "models.0.id");
    std::string target = "/api/v1/models/" + id + "/suspend";
    EXPECT_EQ(post(edge.gateway, target).status, 200u);
    std::set<std::string> seen;
    while (!seen.contains("event: event") || !seen.contains("event: snapshot")) {
        const auto event = listener.read_event();
        ASSERT_TRUE(event);
        // The tests' own certificates are of few days.
        if (event->text.find("\"kind\":\"certificate\"") != std::string::npos) continue;
        for (const char* kind : {"event: event", "event: snapshot"}) {
            if (event->text.find(kind) != std::string::npos) seen.insert(kind);
        }
        if (event->text.find("event: snapshot") != std::string::npos) {
            // Whole, on the one line that a reader takes for the data.
            const std::size_t data = event->text.find("data: ") + 6;
            const std::string json = event->text.substr(data, event->text.find('\n', data) - data);
            EXPECT_EQ(json_at(json, "status.ready"), "true") << event->text;
            EXPECT_EQ(json_at(json, "models.models.0.id"), id) << event->text;
        }
        if (event->text.find("event: event") != std::string::npos) {
            EXPECT_THAT(event->text, HasSubstr("\"kind\":\"suspended\""));
        }
    }
    listener.close();
    EXPECT_EQ(edge.gateway.stop(), 0);
}

TEST(Operate, OnlySoManyMayListen) {
    Edge edge(with_process("limits: {admin_subscribers: 0, admin_requests: 0}\n"));
    Request request;
    request.target = "/api/v1/events";
    EXPECT_EQ(edge.gateway.admin_request(request).status, 503u);
    EXPECT_EQ(test::fetch(edge.gateway.client(), chat()).status, 200u);
    EXPECT_EQ(json_size(edge.gateway.admin("/api/v1/requests"), "requests"), 0u);
}

}  // namespace
}  // namespace rotary::test
