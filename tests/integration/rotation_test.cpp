// Which model serves a request: the promises of the rotation, on real connections and workers.
#include "gateway_fixture.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace rotary::test {
namespace {

using mock::Captured;
using mock::MockOptions;
using mock::MockProvider;
using namespace std::chrono_literals;

MockOptions keeping(std::size_t requests) {
    MockOptions options;
    options.kept_requests = requests;
    return options;
}

// Keep-alive connections of which both workers have at least one.
class Connections {
public:
    // The list of the sandbox is used to find out, so that production's stays at its beginning.
    Connections(const Gateway& gateway, MockProvider& mock, std::size_t wanted) {
        for (int round = 0; round < 20 && workers(mock) < 2; ++round) {
            clients_.clear();
            for (std::size_t i = 0; i < wanted; ++i) clients_.push_back(gateway.connect());
            mock.reset();
            // One at a time: each worker needs no more than one connection to the provider.
            for (TestClient& client : clients_) {
                EXPECT_EQ(client.exchange(sandbox_chat()).status, 200U);
            }
        }
        EXPECT_EQ(workers(mock), 2U) << "one worker serves all the connections";
        mock.reset();
    }

    // `requests` requests over all of them at once.
    void run(std::size_t requests) {
        ASSERT_EQ(requests % clients_.size(), 0U);
        const std::size_t each = requests / clients_.size();
        const std::string bytes = chat().bytes();
        in_parallel(clients_.size(), [&](std::size_t i) {
            for (std::size_t k = 0; k < each; ++k) {
                ASSERT_TRUE(clients_[i].send(bytes));
                ASSERT_EQ(clients_[i].read_response().status, 200U);
            }
        });
    }

private:
    static std::size_t workers(const MockProvider& mock) {
        std::set<std::uint64_t> connections;
        for (const Captured& request : mock.requests()) connections.insert(request.connection);
        return connections.size();
    }

    std::vector<TestClient> clients_;
};

TEST(RotationTest, NineCallsAreThreeForEachOfThreeModels) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"gpt-4o"}, {"gpt-4o-mini"}, {"gpt-4.5-preview"}}));
    std::vector<std::string> order;
    for (int i = 0; i < 9; ++i) {
        const Response response = ask(gateway);
        ASSERT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(json_at(response.body, "model"), response.header("x-rotary-model"));
        order.emplace_back(response.header("x-rotary-model"));
    }
    EXPECT_EQ(models_asked(*mock),
              (Counts{{"gpt-4o", 3}, {"gpt-4o-mini", 3}, {"gpt-4.5-preview", 3}}));
    for (std::size_t i = 3; i < order.size(); ++i) EXPECT_EQ(order[i], order[i - 3]) << i;
}

TEST(RotationTest, WeightsAreExactOverConnectionsAndWorkers) {
    const auto mock = start_mock(keeping(2000));
    GatewayOptions options = rotating(*mock, {{"a", 0, 5}, {"b", 0, 3}, {"c", 0, 2}});
    options.sandbox = {{"s"}};
    const Gateway gateway(options);
    Connections connections(gateway, *mock, 8);
    connections.run(1000);
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 500}, {"b", 300}, {"c", 200}}));
}

TEST(RotationTest, SuspendingOneLeavesTheOthersProportionsExact) {
    const auto mock = start_mock(keeping(2000));
    GatewayOptions options = rotating(*mock, {{"a", 0, 5}, {"b", 0, 3}, {"c", 0, 2}});
    options.sandbox = {{"s"}};
    const Gateway gateway(options);
    Connections connections(gateway, *mock, 8);
    struct Row {
        const char* suspended;
        std::size_t requests;
        Counts expected;
    };
    const Row rows[] = {
        {"a", 400, {{"b", 240}, {"c", 160}}},
        {"b", 560, {{"a", 400}, {"c", 160}}},
        {"c", 400, {{"a", 250}, {"b", 150}}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.suspended);
        const std::string id = entry_field(gateway, row.suspended, "id");
        change_entry(gateway, id, "suspend");
        mock->reset();
        connections.run(row.requests);
        EXPECT_EQ(models_asked(*mock), row.expected);
        change_entry(gateway, id, "resume");
        mock->reset();
        connections.run(200);
        EXPECT_EQ(models_asked(*mock), (Counts{{"a", 100}, {"b", 60}, {"c", 40}}));
    }
}

TEST(RotationTest, OrderIsInterleavedAndTheSameForEachPeriod) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"a", 0, 5}, {"b", 0, 3}, {"c", 0, 2}}));
    TestClient client = gateway.connect();
    std::string order;
    for (int i = 0; i < 20; ++i) {
        order += std::string(client.exchange(chat()).header("x-rotary-model"));
    }
    EXPECT_EQ(order.substr(10), order.substr(0, 10));
    for (std::size_t start = 0; start <= 10; ++start) {
        const std::string window = order.substr(start, 10);
        EXPECT_EQ(std::count(window.begin(), window.end(), 'a'), 5) << window;
        EXPECT_EQ(std::count(window.begin(), window.end(), 'c'), 2) << window;
    }
    EXPECT_EQ(order.find("aaa"), std::string::npos) << order;
}

TEST(RotationTest, ProductionAndSandboxShareNothing) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"a"}, {"b"}});
    options.sandbox = {{"a"}, {"b"}};
    const Gateway gateway(options);
    std::string production;
    std::string sandbox;
    const auto call = [&](const Request& request, int times) {
        std::string models;
        while (times-- > 0) models += ask(gateway, request).header("x-rotary-model");
        return models;
    };
    for (int i = 0; i < 4; ++i) {
        production += call(chat(), 1);
        sandbox += call(sandbox_chat(), i);
    }
    EXPECT_EQ(production, "abab");
    EXPECT_EQ(sandbox, "ababab");

    change_entry(gateway, entry_field(gateway, "a", "id"), "suspend");
    EXPECT_EQ(entry_field(gateway, "a", "state", "sandbox"), "active");
    EXPECT_EQ(call(chat(), 3), "bbb");
    EXPECT_EQ(call(sandbox_chat(), 2), "ab");
}

TEST(RotationTest, WeightZeroIsNeverPicked) {
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"idle", 0, 0}, {"a", 0, 1}, {"b", 0, 2}}));
    TestClient client = gateway.connect();
    for (int i = 0; i < 30; ++i) ASSERT_EQ(client.exchange(chat()).status, 200U);
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 10}, {"b", 20}}));
    EXPECT_EQ(entry_field(gateway, "idle", "weight"), "0");

    change_entry(gateway, entry_field(gateway, "a", "id"), "suspend");
    change_entry(gateway, entry_field(gateway, "b", "id"), "suspend");
    const Response response = client.exchange(chat());
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(json_at(response.body, "error.code"), "all_models_unavailable");
    EXPECT_EQ(mock->request_count(), 30U);
}

TEST(RotationTest, SameModelOnTwoBackendsIsTwoEntries) {
    const auto first = start_mock();
    const auto second = start_mock();
    GatewayOptions options = rotating(*first, {{"m", 0, 2}, {"m", 1, 1}});
    options.backends.push_back(backend_of(*second, "Bearer key-1"));
    const Gateway gateway(options);
    for (int i = 0; i < 9; ++i) ASSERT_EQ(ask(gateway).status, 200U);
    EXPECT_EQ(first->request_count(), 6U);
    EXPECT_EQ(second->request_count(), 3U);

    change_entry(gateway, entry_field(gateway, "m", "id", "production", "backend-0"), "suspend");
    EXPECT_EQ(entry_field(gateway, "m", "state", "production", "backend-1"), "active");
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(ask(gateway).header("x-rotary-backend"), "backend-1");
    }
    EXPECT_EQ(first->request_count(), 6U);
    EXPECT_EQ(second->request_count(), 7U);
}

// OpenAI answers with the dated name of the model that was asked for.
TEST(RotationTest, NameInTheAnswerChangesNothing) {
    MockOptions dated;
    dated.suffix = "-2024-07-18";
    dated.quotas = {{"a", 2, 1h}};
    const auto mock = start_mock(dated);
    const Gateway gateway(rotating(*mock, {{"a"}, {"b"}}));
    for (int i = 0; i < 8; ++i) {
        const Response response = ask(gateway);
        ASSERT_EQ(response.status, 200U);
        EXPECT_EQ(json_at(response.body, "model"),
                  std::string(response.header("x-rotary-model")) + "-2024-07-18");
    }
    EXPECT_EQ(models_asked(*mock), (Counts{{"a", 3}, {"b", 6}}));
    EXPECT_EQ(entry_field(gateway, "a", "state"), "suspended");
}

TEST(RotationTest, ModelGoesWhereTheProviderWantsIt) {
    struct Row {
        const char* name;
        const char* place;
        const char* query;
        const char* expected_target;
        const char* expected_header;
    };
    const Row rows[] = {
        {"header", "{in: Header, value: x-model}", "?q=1", "/v1/chat/completions?q=1",
         "vendor/m 1"},
        {"query, replaced", "{in: Query, value: model}", "?a=1&model=mine&b=%20",
         "/v1/chat/completions?a=1&b=%20&model=vendor%2Fm%201", ""},
        {"query, added", "{in: Query, value: model}", "",
         "/v1/chat/completions?model=vendor%2Fm%201", ""},
        {"path", "{in: Path, value: \"/([^/]+)/completions\"}", "?q=1",
         "/v1/vendor%2Fm%201/completions?q=1", ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const auto mock = start_mock();
        mock->respond_with("*", 200, {{"content-type", "application/json"}}, "{}");
        GatewayOptions options = rotating(*mock, {{"vendor/m 1"}});
        options.provider = row.place;
        const Gateway gateway(options);
        Request request = with(chat(R"({"model" :"mine","x":1})"), "X-Model", "mine");
        request.target += row.query;
        ASSERT_EQ(ask(gateway, request).status, 200U);
        const Captured seen = mock->requests().at(0);
        EXPECT_EQ(seen.target, row.expected_target);
        EXPECT_EQ(seen.header("x-model"), row.expected_header);
        EXPECT_EQ(std::count_if(seen.headers.begin(), seen.headers.end(),
                                [](const auto& header) { return header.first.size() == 7; }),
                  row.expected_header[0] == '\0' ? 0 : 1);
        EXPECT_EQ(seen.body, R"({"model" :"mine","x":1})");
    }
}

TEST(RotationTest, ModelInTheBodyIsReplacedOrAdded) {
    struct Row {
        const char* name;
        const char* sent;
        const char* received;
    };
    const Row rows[] = {
        {"replaced", R"({"model":"x","n":1})", R"({"model":"m","n":1})"},
        {"last", R"({"n":1, "model" : "x" })", R"({"n":1, "model" : "m" })"},
        {"none", R"({"messages":[]})", R"({"model":"m","messages":[]})"},
        {"empty object", "{}", R"({"model":"m"})"},
        {"escaped key", R"({"mod\u0065l":"x"})", R"({"mod\u0065l":"m"})"},
        {"nested ones stay", R"({"a":{"model":"x"},"model":"y","b":[{"model":"z"}]})",
         R"({"a":{"model":"x"},"model":"m","b":[{"model":"z"}]})"},
        {"in a string", R"({"t":"\"model\":\"x\"","model":"y"})",
         R"({"t":"\"model\":\"x\"","model":"m"})"},
        {"a number", R"({"model":12.50,"n":1})", R"({"model":"m","n":1})"},
        {"null", R"({"model":null})", R"({"model":"m"})"},
        {"an object", R"({"model":{"a":[1]},"n":1})", R"({"model":"m","n":1})"},
        {"space around", " \r\n\t{\"model\":\"x\"}\n ", " \r\n\t{\"model\":\"m\"}\n "},
    };
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->reset();
        ASSERT_EQ(client.exchange(chat(row.sent)).status, 200U);
        EXPECT_EQ(mock->requests().at(0).body, row.received);
    }
}

// A model within an object of the body, DashScope's way.
TEST(RotationTest, ModelMayStandWithinObjects) {
    const auto mock = start_mock();
    mock->respond_with("*", 200, {}, "{}");
    GatewayOptions options = rotating(*mock, {{"m"}});
    options.provider = "{in: Body, value: $.input.model}";
    const Gateway gateway(options);
    const std::pair<const char*, const char*> rows[] = {
        {R"({"model":"x","input":{"a":1,"model":"y"}})",
         R"({"model":"x","input":{"a":1,"model":"m"}})"},
        {R"({"input":{"a":1}})", R"({"input":{"model":"m","a":1}})"},
        {R"({"input":{}})", R"({"input":{"model":"m"}})"},
        {R"({"a":1})", R"({"input":{"model":"m"},"a":1})"},
        {"{}", R"({"input":{"model":"m"}})"},
    };
    for (const auto& [sent, received] : rows) {
        SCOPED_TRACE(sent);
        mock->reset();
        ASSERT_EQ(ask(gateway, chat(sent)).status, 200U);
        EXPECT_EQ(mock->requests().at(0).body, received);
    }
    mock->reset();
    EXPECT_EQ(ask(gateway, chat(R"({"input":"text"})")).status, 400U);
    EXPECT_EQ(ask(gateway, chat(R"({"input":{"model":1},"input":{}})")).status, 400U);
    Request form = chat("input=x");
    form.headers.back().second = "application/x-www-form-urlencoded";
    EXPECT_EQ(ask(gateway, form).status, 415U);
    EXPECT_EQ(mock->request_count(), 0U);
}

TEST(RotationTest, BodyThatIsNoObjectWithOneModelIsRefused) {
    struct Row {
        const char* name;
        const char* body;
        const char* code;
    };
    const Row rows[] = {
        {"two models", R"({"model":"a","model":"b"})", "duplicate_model"},
        {"two equal models", R"({"model":"a","x":1,"model":"a"})", "duplicate_model"},
        {"one escaped", R"({"model":"a","\u006dodel":"b"})", "duplicate_model"},
        {"both escaped", R"({"mode\u006c":"a","mod\u0065l":"b"})", "duplicate_model"},
        {"empty", "", "invalid_json"},
        {"space", "  ", "invalid_json"},
        {"text", "model=a", "invalid_json"},
        {"array", R"([{"model":"a"}])", "invalid_json"},
        {"string", R"("model")", "invalid_json"},
        {"not closed", R"({"model":"a")", "invalid_json"},
        {"string not closed", R"({"model":"a)", "invalid_json"},
        {"two objects", R"({"model":"a"}{})", "invalid_json"},
    };
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Response response = client.exchange(chat(row.body));
        EXPECT_EQ(response.status, 400U);
        EXPECT_EQ(json_at(response.body, "error.code"), row.code);
        EXPECT_EQ(json_at(response.body, "error.type"), "invalid_request_error");
        EXPECT_EQ(response.count("x-rotary-model"), 0U);
    }
    EXPECT_EQ(mock->request_count(), 0U);
    EXPECT_EQ(client.exchange(chat()).status, 200U);
}

std::string multipart(const std::string& parts) { return parts + "--b--\r\n"; }

std::string part(const std::string& name, const std::string& content) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content +
           "\r\n";
}

Request typed(const std::string& type, const std::string& body) {
    Request request = chat(body);
    request.headers.back().second = type;
    return request;
}

TEST(RotationTest, ModelOfAFormIsReplacedOrAdded) {
    struct Row {
        const char* name;
        const char* type;
        std::string sent;
        std::string received;
        const char* received_type;
    };
    const std::string file = part("file", std::string("RIFF\0\xff\r\n\r\n--", 12));
    const char* kMultipart = "multipart/form-data; boundary=b";
    const char* kForm = "application/x-www-form-urlencoded";
    const Row rows[] = {
        {"multipart", kMultipart, multipart(part("model", "whisper-1") + file),
         multipart(part("model", "a/m 1") + file), kMultipart},
        {"multipart, quoted", "multipart/form-data; boundary=\"b\"",
         multipart(file + part("model", "")), multipart(file + part("model", "a/m 1")),
         "multipart/form-data; boundary=\"b\""},
        {"multipart without", kMultipart, multipart(file), multipart(part("model", "a/m 1") + file),
         kMultipart},
        {"multipart of nothing", kMultipart, multipart(""), multipart(part("model", "a/m 1")),
         kMultipart},
        {"form", kForm, "a=1&model=x&b=%20+", "a=1&model=a%2Fm%201&b=%20+", kForm},
        {"form, encoded name", kForm, "%6dodel=x", "%6dodel=a%2Fm%201", kForm},
        {"form without", kForm, "a=1", "model=a%2Fm%201&a=1", kForm},
        {"empty form", kForm, "", "model=a%2Fm%201", kForm},
        {"JSON of curl -d", kForm, R"( {"model":"x","t":"&model=y&"})",
         R"( {"model":"a/m 1","t":"&model=y&"})", "application/json"},
        {"other JSON", "application/vnd.x+json", "{}", R"({"model":"a/m 1"})",
         "application/vnd.x+json"},
    };
    const auto mock = start_mock();
    mock->respond_with("*", 200, {}, "{}");
    const Gateway gateway(rotating(*mock, {{"a/m 1"}}));
    TestClient client = gateway.connect();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock->reset();
        const Response response = client.exchange(typed(row.type, row.sent));
        ASSERT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-model"), "a/m 1");
        const Captured seen = mock->requests().at(0);
        EXPECT_EQ(seen.body, row.received);
        EXPECT_EQ(seen.header("content-type"), row.received_type);
        EXPECT_EQ(seen.header("content-length"), std::to_string(row.received.size()));
    }
}

TEST(RotationTest, RequestWhoseModelCantBeReplacedIsRefused) {
    struct Row {
        const char* name;
        Request request;
        unsigned status;
        const char* code;
    };
    const std::string json = R"({"model":"mine"})";
    const char* kMultipart = "multipart/form-data; boundary=b";
    const char* kForm = "application/x-www-form-urlencoded";
    Request two_types = chat(json);
    two_types.headers.emplace_back("Content-Type", "multipart/form-data; boundary=b");
    Request two_encodings =
        with(with(chat(json), "Content-Encoding", "gzip"), "Content-Encoding", "identity");
    const Row rows[] = {
        {"JSON as text", typed("text/plain", json), 415, "unsupported_media_type"},
        {"JSON as bytes", typed("application/octet-stream", json), 415, "unsupported_media_type"},
        {"JSON in UTF-16", typed("application/json; charset=utf-16", json), 415,
         "unsupported_media_type"},
        {"XML", typed("application/xml", "<model/>"), 415, "unsupported_media_type"},
        {"two types", two_types, 400, "bad_request"},
        {"two encodings", two_encodings, 415, "unsupported_content_encoding"},
        {"no boundary", typed("multipart/form-data", multipart(part("model", "x"))), 400,
         "bad_request"},
        {"a name that hides", typed(kMultipart, multipart(part("%6dodel", "x"))), 400,
         "bad_request"},
        {"two parts", typed(kMultipart, multipart(part("model", "x") + part("model", "y"))), 400,
         "duplicate_model"},
        {"not closed", typed(kMultipart, part("model", "x")), 400, "bad_request"},
        {"two fields", typed(kForm, "model=a&%6dodel=b"), 400, "duplicate_model"},
        {"a semicolon", typed(kForm, "x=1;model=b"), 400, "bad_request"},
    };
    const auto mock = start_mock();
    const Gateway gateway(rotating(*mock, {{"m"}}));
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const Response response = ask(gateway, row.request);
        EXPECT_EQ(response.status, row.status) << response.body;
        EXPECT_EQ(json_at(response.body, "error.code"), row.code);
        EXPECT_EQ(response.count("x-rotary-model"), 0U);
    }
    EXPECT_EQ(mock->request_count(), 0U);
}

TEST(RotationTest, ModelOfAQueryOrAPathIsNeverTheClients) {
    struct Row {
        const char* place;
        const char* target;
        const char* expected;  // empty: 400
    };
    const char* kQuery = "{in: Query, value: model}";
    const char* kPath = "{in: Path, value: \"/models/([^/:]+):generate\"}";
    const Row rows[] = {
        {kQuery, "/o?%6dodel=mine&a=1&MODEL=mine&mod%65l=&b;model=mine", "/v1/o?a=1&model=m"},
        {kQuery, "/o", "/v1/o?model=m"},
        {kPath, "/models/mine:generate?a=1", "/v1/models/m:generate?a=1"},
        {kPath, "/models/mine%3Agenerate", ""},
        {kPath, "/models/mine:other", ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.target);
        const auto mock = start_mock();
        mock->respond_with("*", 200, {}, "{}");
        GatewayOptions options = rotating(*mock, {{"m"}});
        options.provider = row.place;
        options.resources = R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: any-api}
spec: {apiName: any, apiType: REST, apiVersion: "1.0", basePath: /any/1.0, organization: default,
       production: [{routeRefs: [any-route]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: any-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: APIPolicy
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: any-rotation}
spec:
  default:
    aiProvider: {name: provider}
    modelBasedRoundRobin:
      productionModels:
        - {model: m, backendRef: {group: dp.wso2.com, kind: Backend, name: backend-0}}
      sandboxModels: []
  targetRef: {group: gateway.networking.k8s.io, kind: API, name: any-api}
)";
        const Gateway gateway(options);
        for (const char* method : {"GET", "POST", "DELETE"}) {
            SCOPED_TRACE(method);
            mock->reset();
            Request request = chat();
            request.method = method;
            request.target = std::string("/any/1.0") + row.target;
            request.headers.pop_back();
            request.body.clear();
            const Response response = ask(gateway, request);
            const bool served = row.expected[0] != '\0';
            EXPECT_EQ(response.status, served ? 200U : 400U) << response.body;
            EXPECT_EQ(response.header("x-rotary-model"), served ? "m" : "");
            ASSERT_EQ(mock->request_count(), served ? 1U : 0U);
            if (!served) continue;
            EXPECT_EQ(mock->requests().at(0).target, row.expected);
        }
    }
}

// What has no model to choose goes to the route's Backends by their weights.
TEST(RotationTest, RequestsWithoutARotationGoByBackendWeights) {
    const auto heavy = start_mock();
    const auto light = start_mock();
    heavy->respond_with("*", 200, {}, "heavy");
    light->respond_with("*", 200, {}, "light");
    GatewayOptions options = rotating(*heavy, {{"m"}});
    options.backends.push_back(backend_of(*light, "Bearer key-1"));
    options.backends[0].weight = 3;
    const Gateway gateway(options);

    Request models = chat();
    models.method = "GET";
    models.target = "/chat/1.0/models?limit=2";
    models.headers.pop_back();
    models.body.clear();
    for (int i = 0; i < 8; ++i) {
        const Response response = ask(gateway, models);
        ASSERT_EQ(response.status, 200U);
        EXPECT_EQ(response.count("x-rotary-model"), 0U);
        EXPECT_EQ(response.header("x-rotary-backend"),
                  response.body == "heavy" ? "backend-0" : "backend-1");
    }
    EXPECT_EQ(heavy->request_count(), 6U);
    EXPECT_EQ(light->request_count(), 2U);
    for (const Captured& seen : heavy->requests()) {
        EXPECT_EQ(seen.method, "GET");
        EXPECT_EQ(seen.target, "/v1/models?limit=2");
        EXPECT_EQ(seen.body, "");
        EXPECT_EQ(seen.header("authorization"), "Bearer key-0");
    }
    EXPECT_EQ(ask(gateway, models).header("x-rotary-attempts"), "1");
}

}  // namespace
}  // namespace rotary::test
