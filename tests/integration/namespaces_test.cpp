// Objects of one kind and name in two namespaces, end to end: each has its own provider, key and
// state.
#include "gateway_fixture.hpp"

namespace rotary::test {
namespace {

// An API /NAMESPACE/1.0, whose names are those of every other namespace's.
std::string team(const std::string& name_space, const mock::MockProvider& mock) {
    const auto head = [&](const std::string& version, const std::string& kind) {
        return "---\nkind: " + kind + "\napiVersion: " + version +
               "\nmetadata: {name: shared, namespace: " + name_space + "}\n";
    };
    return head("dp.wso2.com/v1alpha3", "API") + "spec: {apiName: " + name_space +
           ", apiType: REST, apiVersion: '1.0', basePath: /" + name_space +
           "/1.0, organization: default, production: [{routeRefs: [shared]}]}\n" +
           head("gateway.networking.k8s.io/v1", "HTTPRoute") +
           "spec: {rules: [{matches: [{path: {type: PathPrefix, value: /chat}}], "
           "backendRefs: [{kind: Backend, name: shared}]}]}\n" +
           head("dp.wso2.com/v1alpha2", "Backend") +
           "spec: {services: [{host: 127.0.0.1, port: " + std::to_string(mock.port()) +
           "}], security: {apiKey: {in: Header, name: Authorization, "
           "valueFrom: {name: shared, valueKey: key}}}}\n" +
           head("v1", "Secret") + "stringData: {key: Bearer key-of-" + name_space + "}\n" +
           head("dp.wso2.com/v1alpha4", "APIPolicy") +
           "spec: {targetRef: {group: dp.wso2.com, kind: API, name: shared}, default: "
           "{modelBasedRoundRobin: {onQuotaExceedSuspendDuration: 60, sandboxModels: [], "
           "productionModels: [{model: gpt, backendRef: {kind: Backend, name: shared}}]}}}\n";
}

Response ask_team(const Gateway& gateway, const std::string& name_space) {
    Request request = chat();
    request.target = "/" + name_space + "/1.0/chat/completions";
    return ask(gateway, request);
}

TEST(Namespaces, BackendsOfOneNameHaveTheirOwnKeysAndStates) {
    const auto mock = start_mock();
    GatewayOptions options = rotating(*mock, {{"usual"}});
    options.resources = team("team-a", *mock) + team("team-b", *mock);
    Gateway gateway(options);
    for (const std::string name_space : {"team-a", "team-b"}) {
        mock->reset();
        const Response response = ask_team(gateway, name_space);
        ASSERT_EQ(response.status, 200U) << response.body;
        EXPECT_EQ(response.header("x-rotary-backend"), name_space + "/shared");
        ASSERT_EQ(mock->requests().size(), 1U);
        EXPECT_EQ(mock->requests()[0].header("authorization"), "Bearer key-of-" + name_space);
    }
    EXPECT_EQ(ask(gateway).header("x-rotary-backend"), "backend-0") << "no namespace is written";

    const std::string id = "team-a/shared/production/gpt@team-a/shared";
    EXPECT_EQ(entry_field(gateway, "gpt", "id", "production", "team-a/shared"), id);
    change_entry(gateway, id, "suspend");
    gateway.files().write(options);
    ASSERT_TRUE(gateway.server().reload().ok);
    EXPECT_EQ(entry_field(gateway, "gpt", "state", "production", "team-a/shared"), "suspended");
    EXPECT_EQ(entry_field(gateway, "gpt", "state", "production", "team-b/shared"), "active");
    EXPECT_NE(ask_team(gateway, "team-a").status, 200U);
    EXPECT_EQ(ask_team(gateway, "team-b").status, 200U);

    const std::string metrics = gateway.admin("/metrics");
    for (const std::string name_space : {"team-a", "team-b"}) {
        EXPECT_NE(metrics.find("{policy=\"" + name_space +
                               "/shared\",env=\"production\",model=\"gpt\",backend=\"" +
                               name_space + "/shared\""),
                  std::string::npos)
            << metrics;
    }
}

}  // namespace
}  // namespace rotary::test
