#include "edge_support.hpp"

#include <support/certificates.hpp>
#include <support/mounted_volume.hpp>
#include <support/sanitized.hpp>
#include <support/system_figures.hpp>
#include <support/tokens.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

// Configurations that change under traffic, by order and by themselves.
namespace rotary::test {
namespace {

namespace fs = std::filesystem;

std::string model_of(const Gateway& gateway) {
    return std::string(fetch(gateway.client(), chat()).header("x-rotary-model"));
}

std::string generation_of(const Gateway& gateway) {
    return json_at(gateway.admin("/api/v1/status"), "generation");
}

std::string last_reload_of(const Gateway& gateway) {
    return json_at(gateway.admin("/api/v1/status"), "last_reload");
}

GatewayOptions watching(std::string model = "gpt") {
    GatewayOptions options = with_process("timeouts: {watch_settle: 50ms}\n");
    options.production = {{std::move(model)}};
    return options;
}

GatewayOptions unwatched() {
    return with_process("watch: false\ntimeouts: {watch_settle: 50ms}\n");
}

// The resources of a configuration that serves this model.
std::string resources_with(const Edge& edge, const std::string& model) {
    GatewayOptions options = in_front_of(*edge.mock, watching(model));
    const GatewayFiles files(options);
    return read_file(files.dir() / "apis/api.yaml");
}

// What differs between the mock's answers.
std::string without_ids(const std::string& stream) {
    static const std::regex varying(R"RX("(id|created)":("[^"]*"|[0-9]+))RX");
    return std::regex_replace(stream, varying, R"("$1":0)");
}

TEST(Reload, WhatIsEqualIsKept) {
    Edge edge(unwatched());
    const admin::ReloadOutcome outcome = edge.gateway.server().reload();
    EXPECT_TRUE(outcome.ok);
    EXPECT_THAT(outcome.findings, testing::HasSubstr("nothing has changed"));
    EXPECT_EQ(generation_of(edge.gateway), "1");
    EXPECT_EQ(last_reload_of(edge.gateway), "ok, nothing has changed");

    Request post;
    post.method = "POST";
    post.target = "/api/v1/reload";
    const Response again = edge.gateway.admin_request(post);
    EXPECT_EQ(again.status, 200U);
    EXPECT_EQ(json_at(again.body, "reloaded"), "true");
    EXPECT_THAT(json_at(again.body, "findings"), testing::HasSubstr("nothing has changed"));
    EXPECT_EQ(generation_of(edge.gateway), "1");

    GatewayOptions commented = unwatched();
    commented.process += "# one byte differs\n";
    edge.gateway.files().write(in_front_of(*edge.mock, commented));
    EXPECT_THAT(edge.gateway.server().reload().findings,
                testing::Not(testing::HasSubstr("nothing has changed")));
    EXPECT_EQ(generation_of(edge.gateway), "2");
    EXPECT_EQ(last_reload_of(edge.gateway), "ok");
}

TEST(Reload, AnEqualOneAfterABrokenOneIsASuccess) {
    Edge edge(unwatched());
    const std::string broken = edge.gateway.files().dir().write("apis/broken.yaml", "kind: [\n");
    EXPECT_FALSE(edge.gateway.server().reload().ok);
    EXPECT_EQ(edge.gateway.metric("rotary_config_last_reload_successful"), 0);
    EXPECT_EQ(model_of(edge.gateway), "gpt");
    fs::remove(broken);
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(edge.gateway.metric("rotary_config_last_reload_successful"), 1);
    EXPECT_EQ(generation_of(edge.gateway), "1");
}

// The first line of why is an error: a page has room for no more.
TEST(Reload, ARefusedOneTellsItsErrorsFirst) {
    Edge edge(unwatched());
    edge.gateway.files().dir().write("apis/broken.yaml",
                                     "kind: ConfigMap\napiVersion: v1\nmetadata: {name: unused}\n"
                                     "surprise: 1\n---\nkind: [\n");
    const std::string findings = edge.gateway.server().reload().findings;
    const std::string first = findings.substr(0, findings.find('\n'));
    EXPECT_THAT(first, testing::HasSubstr(": error: ")) << findings;
    EXPECT_THAT(last_reload_of(edge.gateway), testing::StartsWith("failed: " + first));
}

TEST(Reload, TheEnvironmentIsAPartOfIt) {
    GatewayOptions options = unwatched();
    options.production = {{"${ROTARY_TEST_MODEL:-gpt}"}};
    Edge edge(options);
    EXPECT_EQ(model_of(edge.gateway), "gpt");
    ::setenv("ROTARY_TEST_MODEL", "from-outside", 1);
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    ::unsetenv("ROTARY_TEST_MODEL");
    EXPECT_EQ(model_of(edge.gateway), "from-outside");
    EXPECT_EQ(generation_of(edge.gateway), "2");
}

// Keys of an issuer in a file are a part of it, wherever the file lies.
TEST(Reload, KeySetsAreAPartOfIt) {
    const TempDir keys;
    const Issuers& all = issuers();
    const std::string file = keys.write("jwks.json", make_jwks({{"ec", all.ec384.key, "ES384"}}));
    GatewayOptions options = unwatched();
    options.resources = R"(---
kind: TokenIssuer
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: second}
spec:
  name: second
  organization: default
  issuer: https://second.test
  consumerKeyClaim: azp
  scopesClaim: scope
  signatureValidation: {jwks: {url: "file:)" +
                        file + R"("}}
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: gw}
)";
    Edge edge(options);
    tools::TokenOptions token = token_options();
    token.issuer = "https://second.test";
    Request request = chat();
    set_header(request, "Authorization", "Bearer " + make_token(token));
    EXPECT_EQ(fetch(edge.gateway.client(), request).status, 401U);
    keys.write("jwks.json", all.jwks);
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(fetch(edge.gateway.client(), request).status, 200U);
    EXPECT_EQ(generation_of(edge.gateway), "2");
}

TEST(Reload, AChangedFileNeedsNoSignal) {
    Edge edge(watching());
    ASSERT_EQ(model_of(edge.gateway), "gpt");
    edge.gateway.files().write(in_front_of(*edge.mock, watching("newer")));
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "newer"; }));

    edge.gateway.files().dir().write("more/api.yaml", resources_with(edge, "elsewhere"));
    const std::string process = read_file(edge.gateway.files().config());
    const std::string moved = std::regex_replace(process, std::regex("apis/"), "more/");
    edge.gateway.files().dir().write("rotary.yaml", moved);
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "elsewhere"; }));
    edge.gateway.files().dir().write("more/api.yaml", resources_with(edge, "watched-there-too"));
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "watched-there-too"; }));
}

// The other gateway's folder is written later and watched: once it has noticed two changes, one
// after the other, this one would have noticed its own.
TEST(Reload, AnUnwatchedFileWaitsForItsSignal) {
    Edge edge(unwatched());
    Edge other(watching());
    GatewayOptions next = unwatched();
    next.production = {{"newer"}};
    edge.gateway.files().write(in_front_of(*edge.mock, next));
    for (const char* const model : {"newer", "newest"}) {
        other.gateway.files().write(in_front_of(*other.mock, watching(model)));
        ASSERT_TRUE(eventually([&] { return model_of(other.gateway) == model; }));
    }
    EXPECT_EQ(model_of(edge.gateway), "gpt");
    EXPECT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(model_of(edge.gateway), "newer");
}

TEST(Reload, ABrokenFileIsWatchedUntilItIsRepaired) {
    Edge edge(watching());
    const TempDir& folder = edge.gateway.files().dir();
    for (int round = 0; round < 2; ++round) {
        folder.write("apis/api.yaml", "kind: [\n");
        ASSERT_TRUE(eventually(
            [&] { return edge.gateway.metric("rotary_config_last_reload_successful") == 0; }));
        EXPECT_NE(model_of(edge.gateway), "");
        const std::string model = "repaired-" + std::to_string(round);
        folder.write("apis/api.yaml", resources_with(edge, model));
        EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == model; }));
    }
    // rotary.yaml too, which then names no resources.
    const std::string process = read_file(edge.gateway.files().config());
    folder.write("rotary.yaml", "listeners: [\n");
    ASSERT_TRUE(eventually(
        [&] { return edge.gateway.metric("rotary_config_last_reload_successful") == 0; }));
    folder.write("apis/api.yaml", resources_with(edge, "last"));
    folder.write("rotary.yaml", process);
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "last"; }));
}

TEST(Reload, AFolderThatIsReplacedIsNoticed) {
    Edge edge(watching());
    const TempDir& folder = edge.gateway.files().dir();
    for (const char* const model : {"second", "third"}) {
        folder.write("next/api.yaml", resources_with(edge, model));
        fs::rename(folder / "apis", folder / ("old-" + std::string(model)));
        fs::rename(folder / "next", folder / "apis");
        EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == model; })) << model;
    }
    fs::remove_all(folder / "apis");
    ASSERT_TRUE(eventually(
        [&] { return edge.gateway.metric("rotary_config_last_reload_successful") == 0; }));
    EXPECT_EQ(model_of(edge.gateway), "third");
    folder.write("apis/api.yaml", resources_with(edge, "fourth"));
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "fourth"; }));
}

// The folder of rotary.yaml itself: it goes, and another one comes in its place later.
TEST(Reload, TheWholeFolderMayGoAndComeBack) {
    Edge edge(watching());
    const fs::path folder = edge.gateway.files().dir().path();
    const TempDir aside;
    aside.write("next/rotary.yaml", read_file(edge.gateway.files().config()));
    aside.write("next/apis/api.yaml", resources_with(edge, "newer"));
    fs::rename(folder, aside.path() / "old");
    ASSERT_TRUE(eventually(
        [&] { return edge.gateway.metric("rotary_config_last_reload_successful") == 0; }));
    EXPECT_EQ(model_of(edge.gateway), "gpt");
    fs::rename(aside.path() / "next", folder);
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "newer"; }));
}

TEST(Reload, AConfigMapThatIsSwappedIsNoticed) {
    Edge edge(watching());
    const TempDir& folder = edge.gateway.files().dir();
    MountedVolume resources(folder.path() / "apis");
    resources.publish({{"api.yaml", resources_with(edge, "gpt")}});
    MountedVolume process(folder.path());
    const std::string text = read_file(edge.gateway.files().config());
    process.publish({{"rotary.yaml", text}});
    const std::string before = generation_of(edge.gateway);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    EXPECT_EQ(generation_of(edge.gateway), before) << "the same bytes";
    for (const char* const model : {"second", "third"}) {
        resources.publish({{"api.yaml", resources_with(edge, model)}});
        EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == model; })) << model;
    }
    process.publish({{"rotary.yaml", text + "limits: {body_bytes: 4242}\n"}});
    EXPECT_TRUE(eventually([&] {
        return json_at(edge.gateway.admin("/api/v1/config"), "limits.body_bytes") == "4242";
    }));
}

// A change that comes in many steps is one reload, after the last of them. (The control thread has
// turned after each step: it could have done more.)
TEST(Reload, AChangeInManyStepsIsOneReload) {
    GatewayOptions options = with_process("timeouts: {watch_settle: 500ms}\n");
    Edge edge(options);
    for (int i = 0; i < 40; ++i) {
        edge.gateway.files().dir().write("apis/more.yaml", "# " + std::to_string(i) + "\n");
        EXPECT_EQ(generation_of(edge.gateway), "1") << i;
    }
    GatewayOptions last = options;
    last.production = {{"last"}};
    edge.gateway.files().write(in_front_of(*edge.mock, last));
    EXPECT_TRUE(eventually([&] { return model_of(edge.gateway) == "last"; }));
    EXPECT_LE(std::stoi(generation_of(edge.gateway)), 3);
}

// An exchange goes on with the numbers of the configuration it began with: in the next one the same
// place belongs to another Backend, and one worker has a warm connection to it.
TEST(Reload, ARequestInBetweenReachesTheBackendItWasMeantFor) {
    const auto meant = start_mock();
    const auto other = start_mock();
    GatewayOptions before = unwatched();
    before.workers = 1;
    before.backends = {{.port = meant->port(), .key = "Bearer meant"}};
    before.production = {{"gpt"}};
    Gateway gateway(in_front_of(*meant, before));

    const std::string bytes = chat().bytes();
    TestClient slow = gateway.connect();
    ASSERT_TRUE(slow.send(std::string_view(bytes).substr(0, bytes.size() - 20)));
    ASSERT_TRUE(eventually([&] { return gateway.metric("rotary_client_connections") == 1; }));
    ASSERT_TRUE(eventually([&] { return gateway.metric("rotary_requests_in_flight") == 1; }));

    GatewayOptions after = before;
    after.backends = {{.port = other->port(), .key = "Bearer other"},
                      {.port = meant->port(), .key = "Bearer meant"}};
    after.production = {{"newer", 0}};
    gateway.files().write(in_front_of(*meant, after));
    ASSERT_TRUE(gateway.server().reload().ok);
    ASSERT_EQ(fetch(gateway.client(), chat()).status, 200U);
    ASSERT_EQ(other->request_count(), 1U);

    ASSERT_TRUE(slow.send(std::string_view(bytes).substr(bytes.size() - 20)));
    const Response answer = slow.read_response();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.header("x-rotary-model"), "gpt");
    EXPECT_EQ(other->request_count(), 1U);
    ASSERT_EQ(meant->request_count(), 1U);
    EXPECT_EQ(meant->requests().front().header("authorization"), "Bearer meant");
    EXPECT_EQ(slow.exchange(chat()).header("x-rotary-model"), "newer");
    EXPECT_EQ(other->request_count(), 2U);
}

// A mock whose streams last about that long.
mock::MockOptions streams_of(std::chrono::milliseconds length) {
    mock::MockOptions options;
    options.tokens = 100;
    options.chunk_interval = length / 100;
    options.kept_requests = 0;
    return options;
}

// Two configurations that differ in models, keys and the number of Backends, in turn.
class Alternating {
public:
    Alternating(Gateway& gateway, const mock::MockProvider& mock) : gateway_(gateway) {
        GatewayOptions one = unwatched();
        one.backends = {{.port = mock.port(), .key = "Bearer one"}};
        one.production = {{"gpt"}};
        GatewayOptions other = unwatched();
        other.backends = {{.port = mock.port(), .key = "Bearer two"},
                          {.port = mock.port(), .key = "Bearer three", .base_path = "/v1"}};
        other.production = {{.model = "gpt", .weight = 3}, {"more", 1}};
        for (const GatewayOptions& options : {one, other}) {
            const GatewayFiles files(in_front_of(mock, options));
            texts_.push_back(read_file(files.dir() / "apis/api.yaml"));
        }
    }
    void reload() {
        gateway_.files().dir().write("apis/api.yaml", texts_[++count_ % texts_.size()]);
        const admin::ReloadOutcome outcome = gateway_.server().reload();
        ASSERT_TRUE(outcome.ok) << outcome.findings;
    }

private:
    Gateway& gateway_;
    std::vector<std::string> texts_;
    std::size_t count_ = 0;
};

// Models and Backends that are renamed each time: what counted for them is used again.
TEST(Reload, NamesThatComeAndGoLeaveNothingBehind) {
    Edge edge(unwatched());
    const auto lines = [&] {
        const std::string page = edge.gateway.admin("/metrics");
        return std::count(page.begin(), page.end(), '\n');
    };
    std::ptrdiff_t half = 0;
    for (int i = 0; i < 400; ++i) {
        const std::string model = "model-" + std::to_string(i);
        edge.gateway.files().dir().write("apis/api.yaml", resources_with(edge, model));
        ASSERT_TRUE(edge.gateway.server().reload().ok);
        if (i == 200) half = lines();
    }
    // What was retired last goes with the next second's sweep.
    EXPECT_TRUE(eventually([&] { return lines() <= half + 20; })) << lines() << " after " << half;
    EXPECT_EQ(model_of(edge.gateway), "model-399");  // whose durations are printed from now on
}

TEST(Reload, AThousandUnderTwoHundredStreamsChangeNoByteAndKeepNoMemory) {
    constexpr int kHalf = kSanitized ? 100 : 500;
    constexpr std::size_t kStreams = kSanitized ? 50 : 200;
    Edge edge(unwatched());
    const auto started = std::chrono::steady_clock::now();
    Alternating first(edge.gateway, *edge.mock);
    for (int i = 0; i < 20; ++i) first.reload();
    const auto each = (std::chrono::steady_clock::now() - started) / 20;
    // Reloads beside the streams are slower, more so on a machine that has other work.
    constexpr int kSlower = kSanitized ? 4 : 2;
    const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(
        each * kHalf * 2 * kSlower + std::chrono::seconds(1));
    const auto mock = start_mock(streams_of(length));
    Alternating next(edge.gateway, *mock);
    next.reload();
    next.reload();  // the streams' one has a single model

    std::vector<TestClient> clients;
    for (std::size_t i = 0; i < kStreams; ++i) {
        clients.push_back(edge.gateway.connect());
        Request request = chat(R"({"stream":true,"messages":[]})");
        ASSERT_TRUE(clients.back().send(request));
    }
    for (TestClient& client : clients) EXPECT_EQ(client.read_head().status, 200U);
    for (int i = 0; i < kHalf; ++i) next.reload();
    EXPECT_GT(edge.gateway.metric("rotary_requests_in_flight"), 0);
    const std::size_t half = resident_bytes();
    for (int i = 0; i < kHalf; ++i) next.reload();
    const std::size_t whole = resident_bytes();
    std::cout << "each " << each / std::chrono::microseconds(1) << " us; resident after half "
              << half / 1024 << " KiB, after all " << whole / 1024 << " KiB\n";

    std::set<std::string> bodies;
    for (TestClient& client : clients) {
        std::string body;
        while (const auto piece = client.read_body_piece()) body += *piece;
        EXPECT_EQ(client.ending(), Ending::framed);
        EXPECT_TRUE(body.ends_with("data: [DONE]\n\n"));
        bodies.insert(without_ids(body));
    }
    EXPECT_EQ(bodies.size(), 1U);
    EXPECT_EQ(generation_of(edge.gateway), std::to_string(2 * kHalf + 23));
    if (!kSanitized) {
        EXPECT_LE(whole, half + std::max<std::size_t>(half / 50, 2 * 1024 * 1024));
    }
}

}  // namespace
}  // namespace rotary::test
