#include "edge_support.hpp"

#include <support/certificates.hpp>
#include <support/tokens.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>

// Who may call, at the edge: tokens, issuers and what an Authentication resource changes.
namespace rotary::test {
namespace {

Request with_token(const std::string& token) {
    Request request = chat();
    set_header(request, "Authorization", token.empty() ? "" : "Bearer " + token);
    return request;
}

Response ask(const Gateway& gateway, const std::string& token) {
    return fetch(gateway.client(), with_token(token));
}

std::string token_with(const std::function<void(tools::TokenOptions&)>& change) {
    tools::TokenOptions options = token_options();
    change(options);
    return make_token(options);
}

std::string signed_by(const std::string& key, const std::string& kid, const std::string& alg = {}) {
    return token_with([&](tools::TokenOptions& options) {
        options.key_file = key;
        options.kid = kid;
        options.algorithm = alg;
    });
}

// HS256 with the text of the public key as the secret: RFC 8725 section 2.1.
std::string hmac_forgery() {
    const std::string header = R"({"alg":"HS256","typ":"JWT","kid":"rsa"})";
    const std::string payload = token_part(make_token(token_options()), 1);
    const std::string unsigned_token = forge_token(header, payload, "");
    const std::string signing_input = unsigned_token.substr(0, unsigned_token.size() - 1);
    const std::string secret = read_file(issuers().rsa.certificate);
    std::array<unsigned char, 32> mac;
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(signing_input.data()), signing_input.size(),
         mac.data(), &size);
    return forge_token(header, payload, {reinterpret_cast<const char*>(mac.data()), size});
}

TEST(Authentication, WithoutATokenThereIsAChallenge) {
    Edge edge;
    const Response response = ask(edge.gateway, "");
    expect_problem(response, "missing_credentials");
    EXPECT_TRUE(response.header("www-authenticate").starts_with("Bearer"));

    Request basic = chat();
    set_header(basic, "Authorization", "Basic dXNlcjpwYXNz");
    expect_problem(fetch(edge.gateway.client(), basic), "missing_credentials");
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

TEST(Authentication, EveryAlgorithmOfTheContractIsAccepted) {
    Edge edge;
    const Issuers& keys = issuers();
    TestClient client = edge.gateway.connect();
    for (const char* alg : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) {
        EXPECT_EQ(client.exchange(with_token(signed_by(keys.rsa.key, "rsa", alg))).status, 200U)
            << alg;
    }
    EXPECT_EQ(client.exchange(with_token(signed_by(keys.ec.key, "ec", "ES256"))).status, 200U);
    EXPECT_EQ(client.exchange(with_token(signed_by(keys.ec384.key, "ec384", "ES384"))).status,
              200U);
    EXPECT_EQ(client.exchange(with_token(signed_by(keys.ed25519.key, "ed25519", "EdDSA"))).status,
              200U);
    EXPECT_EQ(client.exchange(with_token(signed_by(keys.ec.key, ""))).status, 200U) << "no kid";
    // "bearer" in any case (RFC 9110 section 11.1).
    Request lower = chat();
    set_header(lower, "Authorization", "bearer " + make_token(token_options()));
    EXPECT_EQ(client.exchange(lower).status, 200U);
    EXPECT_EQ(edge.mock->request_count(), 11U);
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_EQ(captured.header("authorization"), "Bearer sk-up");
    }
}

TEST(Authentication, Es512WithAKeyOfItsOwn) {
    Edge edge;
    const TempDir dir;
    EVP_PKEY* key = EVP_EC_gen("P-521");
    FILE* file = std::fopen((dir / "key.pem").c_str(), "w");
    ASSERT_NE(file, nullptr);
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    EVP_PKEY_free(key);
    dir.write("jwks.json", make_jwks({{"p521", dir / "key.pem", "ES512"}}));
    const std::string text = R"(---
kind: TokenIssuer
apiVersion: dp.wso2.com/v1alpha2
metadata: {name: second}
spec:
  name: second
  organization: default
  issuer: https://second.example.test
  consumerKeyClaim: azp
  scopesClaim: scope
  signatureValidation: {jwks: {url: "file:)" +
                             (dir / "jwks.json") + "\"}}\n";
    Edge second(with_resources(text));
    const std::string token = token_with([&](tools::TokenOptions& options) {
        options.key_file = dir / "key.pem";
        options.issuer = "https://second.example.test";
        options.kid = "p521";
        options.algorithm = "ES512";
    });
    EXPECT_EQ(ask(second.gateway, token).status, 200U);
    expect_problem(ask(edge.gateway, token), "invalid_token");
}

TEST(Authentication, WhatNoIssuerSignedIsRefused) {
    Edge edge;
    const Issuers& keys = issuers();
    const std::string good = make_token(token_options());
    const std::string header = token_part(good, 0);
    const std::string payload = token_part(good, 1);
    const std::string signature = token_part(good, 2);
    std::string other_subject = payload;
    other_subject.replace(other_subject.find("tester"), 6, "admin!");
    std::string bent = signature;
    bent[17] = static_cast<char>(bent[17] ^ 1);
    const std::vector<std::pair<const char*, std::string>> refused = {
        {"garbage", "garbage"},
        {"empty parts", ".."},
        {"a stranger's key", signed_by(keys.stranger.key, "")},
        {"a stranger's key under a known kid", signed_by(keys.stranger.key, "ec")},
        {"alg none", forge_token(R"({"alg":"none"})", payload, "")},
        {"alg None with the signature",
         forge_token(R"({"alg":"None","kid":"rsa"})", payload, signature)},
        {"HS256 with the public key", hmac_forgery()},
        {"a changed payload", forge_token(header, other_subject, signature)},
        {"a changed signature", forge_token(header, payload, bent)},
        {"no signature", forge_token(header, payload, "")},
        {"a fourth part", good + ".x"},
        {"another issuer", token_with([](auto& o) { o.issuer = "https://elsewhere.example"; })},
        {"the issuer with a slash more", token_with([](auto& o) { o.issuer += "/"; })},
        {"not yet valid", token_with([](auto& o) { o.claims = {"nbf=32503680000"}; })},
        {"too long", token_with([](auto& o) { o.subject = std::string(9000, 's'); })},
    };
    for (const auto& [name, token] : refused) {
        SCOPED_TRACE(name);
        const Response response = ask(edge.gateway, token);
        expect_problem(response, "invalid_token");
        EXPECT_THAT(std::string(response.header("www-authenticate")),
                    testing::HasSubstr("error=\"invalid_token\""));
        EXPECT_EQ(response.body.find(token), std::string::npos);
    }
    EXPECT_EQ(edge.mock->request_count(), 0U);
    EXPECT_EQ(ask(edge.gateway, good).status, 200U);
}

TEST(Authentication, AnExpiredTokenIsToldSo) {
    Edge edge;
    const auto expired = [](const char* ttl) {
        return token_with([&](tools::TokenOptions& options) { options.ttl = ttl; });
    };
    expect_problem(ask(edge.gateway, expired("-2m")), "token_expired");
    EXPECT_EQ(ask(edge.gateway, expired("-30s")).status, 200U) << "within the leeway of 60 s";
    Edge strict(with_process("timeouts: {token_leeway: 0s}\n"));
    expect_problem(ask(strict.gateway, expired("-30s")), "token_expired");
}

TEST(Authentication, TwoAuthorizationHeadersAreNoRequest) {
    Edge edge;
    Request request = chat();
    request.headers.emplace_back("authorization", bearer());
    expect_problem(fetch(edge.gateway.client(), request), "bad_request");
    EXPECT_EQ(edge.mock->request_count(), 0U);
}

std::string issuer_with(const std::string& validation) {
    return "---\nkind: TokenIssuer\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: other}\n"
           "spec:\n  name: other\n  organization: default\n  issuer: https://other.example.test\n"
           "  consumerKeyClaim: azp\n  scopesClaim: scope\n  signatureValidation: " +
           validation + "\n";
}

std::string token_of_other(const std::string& key, const std::string& kid = {}) {
    return token_with([&](tools::TokenOptions& options) {
        options.issuer = "https://other.example.test";
        options.key_file = key;
        options.kid = kid;
    });
}

std::string indented(const std::string& text) {
    std::string out = "    ";
    for (const char c : text) out += c == '\n' ? std::string("\n    ") : std::string(1, c);
    return out;
}

TEST(Authentication, AnIssuerMayBeACertificate) {
    Edge edge(with_resources(issuer_with("{certificate: {secretRef: {name: cert, key: crt}}}") +
                             "---\nkind: Secret\napiVersion: v1\nmetadata: {name: cert}\n"
                             "stringData:\n  crt: |\n" +
                             indented(read_file(issuers().stranger.certificate)) + "\n"));
    EXPECT_EQ(ask(edge.gateway, token_of_other(issuers().stranger.key)).status, 200U);
    EXPECT_EQ(ask(edge.gateway, token_of_other(issuers().stranger.key, "any")).status, 200U);
    expect_problem(ask(edge.gateway, token_of_other(issuers().rsa.key, "rsa")), "invalid_token");
    expect_problem(ask(edge.gateway, signed_by(issuers().stranger.key, "")), "invalid_token");
    EXPECT_EQ(ask(edge.gateway, make_token(token_options())).status, 200U);
}

std::string jwks_at(const std::string& url) {
    return issuer_with("{jwks: {url: \"" + url + "\"}}");
}

TEST(Authentication, KeysAreFetchedFromALoopbackUrl) {
    const auto server = start_mock();
    server->respond_with("*", 200, {{"content-type", "application/json"}}, issuers().jwks);
    Edge edge(with_resources(jwks_at(server->url() + "/jwks")));
    EXPECT_TRUE(eventually(
        [&] { return ask(edge.gateway, token_of_other(issuers().ec.key, "ec")).status == 200; }));
    const std::string strange = token_of_other(issuers().stranger.key, "ec");
    expect_problem(ask(edge.gateway, strange), "invalid_token");
    EXPECT_EQ(server->requests().at(0).target, "/jwks");
}

// A client that hears 401 throws its token away, though nothing is wrong with it.
TEST(Authentication, KeysThatAreNotThereYetAre503AndNever401) {
    const auto server = start_mock();
    server->respond_with("*", 500, {}, "down");
    Edge edge(with_resources(jwks_at(server->url() + "/jwks")));
    const std::string token = token_of_other(issuers().ec.key, "ec");
    expect_problem(ask(edge.gateway, token), "issuer_unavailable");
    EXPECT_EQ(ask(edge.gateway, make_token(token_options())).status, 200U) << "the other issuer's";
    Request readyz;
    readyz.target = "/readyz?verbose";
    const Response waiting = edge.gateway.admin_request(readyz);
    EXPECT_EQ(waiting.status, 503U);
    EXPECT_TRUE(waiting.body.starts_with("waiting for the keys of other\n")) << waiting.body;
    EXPECT_THAT(waiting.body, testing::HasSubstr("keys of other: not fetched yet"));
    EXPECT_THAT(waiting.body, testing::ContainsRegex("keys of issuer: [1-9]"));
    server->respond_with("*", 200, {}, issuers().jwks);
    EXPECT_TRUE(eventually([&] { return ask(edge.gateway, token).status == 200; }));
    const Response ready = edge.gateway.admin_request(readyz);
    EXPECT_EQ(ready.status, 200U) << ready.body;
    EXPECT_THAT(ready.body, testing::ContainsRegex("keys of other: [1-9]"));
}

std::string authentication(const std::string& spec) {
    return "---\nkind: Authentication\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: auth}\n"
           "spec:\n  targetRef: {group: dp.wso2.com, kind: API, name: chat-api}\n  default: " +
           spec + "\n";
}

TEST(Authentication, ItMayBeDisabled) {
    Edge edge(with_resources(authentication("{disabled: true}")));
    EXPECT_EQ(ask(edge.gateway, "").status, 200U);
    EXPECT_EQ(ask(edge.gateway, "garbage").status, 200U);
    EXPECT_EQ(edge.mock->requests().at(1).header("authorization"), "Bearer sk-up");
}

TEST(Authentication, TheTokenMayStandInAnotherHeader) {
    Edge edge(with_resources(authentication("{authTypes: {oauth2: {header: X-Token}}}")));
    Request request = chat();
    expect_problem(fetch(edge.gateway.client(), request), "missing_credentials");
    set_header(request, "Authorization", "");
    set_header(request, "x-token", bearer());
    EXPECT_EQ(fetch(edge.gateway.client(), request).status, 200U);
    EXPECT_FALSE(edge.mock->requests().at(0).has_header("x-token"));
}

// Optional makes a type an alternative to others, not the route open.
TEST(Authentication, WhatIsOptionalMustBeThereWhenNothingElseIs) {
    Edge edge(with_resources(authentication("{authTypes: {oauth2: {required: optional}}}")));
    expect_problem(ask(edge.gateway, ""), "missing_credentials");
    expect_problem(ask(edge.gateway, "garbage"), "invalid_token");
    EXPECT_EQ(ask(edge.gateway, make_token(token_options())).status, 200U);
}

TEST(Authentication, AJwtHeaderAsksForItsAudience) {
    Edge edge(with_resources(
        authentication("{authTypes: {oauth2: {disabled: true}, "
                       "jwt: {disabled: false, header: x-jwt, audience: [shop, store]}}}")));
    const auto with = [&](const std::vector<std::string>& audiences) {
        Request request = chat();
        set_header(request, "Authorization", "");
        set_header(request, "x-jwt", token_with([&](auto& o) { o.audiences = audiences; }));
        return fetch(edge.gateway.client(), request);
    };
    EXPECT_EQ(with({"store"}).status, 200U);
    EXPECT_EQ(with({"elsewhere", "shop"}).status, 200U);
    EXPECT_EQ(with({"shop"}).status, 200U);
    expect_problem(with({"elsewhere"}), "invalid_token");
    expect_problem(with({}), "invalid_token");
    expect_problem(fetch(edge.gateway.client(), chat()), "missing_credentials");
    for (const mock::Captured& captured : edge.mock->requests()) {
        EXPECT_FALSE(captured.has_header("x-jwt"));
    }
}

TEST(Authentication, AnApiKeyMayStandInAHeaderOrTheQuery) {
    Edge edge(with_resources(
        authentication("{authTypes: {oauth2: {disabled: true}, apiKey: {required: mandatory, keys: "
                       "[{in: Header, name: X-Api-Key}, {in: Query, name: apikey}]}}}")));
    const std::string token = make_token(token_options());
    Request request = chat();
    set_header(request, "Authorization", "");
    expect_problem(fetch(edge.gateway.client(), request), "missing_credentials");
    Request in_header = request;
    set_header(in_header, "x-api-key", token);
    EXPECT_EQ(fetch(edge.gateway.client(), in_header).status, 200U);
    Request in_query = request;
    in_query.target += "?a=b&apikey=" + token + "&&c=d&";
    EXPECT_EQ(fetch(edge.gateway.client(), in_query).status, 200U);
    in_query.target += "x";
    in_query.target.replace(in_query.target.find("apikey"), 6, "akipey");
    expect_problem(fetch(edge.gateway.client(), in_query), "missing_credentials");
    const auto captured = edge.mock->requests();
    ASSERT_EQ(captured.size(), 2U);
    EXPECT_FALSE(captured[0].has_header("x-api-key"));
    EXPECT_EQ(captured[1].target, "/v1/chat/completions?a=b&&c=d&") << "all but the key";
}

TEST(Authentication, OneOfTheTypesThatAreOnAndEveryMandatoryOne) {
    const std::string keys = "keys: [{in: Header, name: X-Api-Key}]";
    const std::string both_optional =
        "{oauth2: {required: optional}, apiKey: {required: optional, " + keys + "}}";
    const std::string key_mandatory =
        "{oauth2: {required: optional}, apiKey: {required: mandatory, " + keys + "}}";
    const std::string both_mandatory =
        "{oauth2: {required: mandatory}, apiKey: {required: mandatory, " + keys + "}}";
    struct Row {
        const std::string& types;
        unsigned nothing, token, key, both;
    };
    const Row rows[] = {
        {both_optional, 401, 200, 200, 200},
        {key_mandatory, 401, 401, 200, 200},
        {both_mandatory, 401, 401, 401, 200},
    };
    const std::string token = make_token(token_options());
    for (const Row& row : rows) {
        SCOPED_TRACE(row.types);
        Edge edge(with_resources(authentication("{authTypes: " + row.types + "}")));
        const auto status = [&](bool has_token, bool has_key) {
            Request request = chat();
            set_header(request, "Authorization", has_token ? "Bearer " + token : "");
            if (has_key) set_header(request, "x-api-key", token);
            return fetch(edge.gateway.client(), request).status;
        };
        EXPECT_EQ(status(false, false), row.nothing);
        EXPECT_EQ(status(true, false), row.token);
        EXPECT_EQ(status(false, true), row.key);
        EXPECT_EQ(status(true, true), row.both);
        Request bad_key = chat();
        set_header(bad_key, "Authorization", "");
        set_header(bad_key, "x-api-key", "guess");
        expect_problem(fetch(edge.gateway.client(), bad_key), "invalid_token");
    }
}

// A second organization whose tokens have the first one's iss, with keys of its own.
std::string second_organization(const std::string& jwks) {
    return R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: acme}
spec: {apiName: acme, apiType: REST, apiVersion: "1.0", basePath: /acme/1.0,
       organization: acme, production: [{routeRefs: [acme-route]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: acme-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches: [{path: {type: Exact, value: /models}, method: GET}]
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: TokenIssuer
apiVersion: dp.wso2.com/v1alpha1
metadata: {name: acme-issuer}
spec:
  name: acme-issuer
  organization: acme
  issuer: )" +
           std::string(kIssuer) +
           R"(
  consumerKeyClaim: azp
  scopesClaim: scope
  signatureValidation: {jwks: {url: "file:)" +
           jwks + "\"}}\n";
}

TEST(Authentication, OneIssuerOfTwoOrganizations) {
    const TempDir dir;
    dir.write("jwks.json", make_jwks({{"acme", issuers().stranger.key, ""}}));
    GatewayOptions options = with_resources(second_organization(dir / "jwks.json"));
    options.workers = 1;
    Edge edge(options);
    const auto at_acme = [&](const std::string& token) {
        Request request = request_for("GET", "/acme/1.0/models");
        set_header(request, "Authorization", "Bearer " + token);
        return fetch(edge.gateway.client(), request);
    };
    const std::string ours = make_token(token_options());
    const std::string theirs = signed_by(issuers().stranger.key, "acme");
    for (const char* how : {"verified", "remembered"}) {
        SCOPED_TRACE(how);
        EXPECT_EQ(ask(edge.gateway, ours).status, 200U);
        EXPECT_EQ(at_acme(theirs).status, 200U);
        expect_problem(at_acme(ours), "invalid_token");
        expect_problem(ask(edge.gateway, theirs), "invalid_token");
    }
}

TEST(Authentication, TheTokenGoesOnOnlyWhenToldTo) {
    GatewayOptions options = with_resources(
        authentication("{authTypes: {oauth2: {header: X-Token, sendTokenToUpstream: true}}}"));
    Edge edge(options);
    Request request = chat();
    set_header(request, "Authorization", "");
    const std::string token = bearer();
    set_header(request, "x-token", token);
    EXPECT_EQ(fetch(edge.gateway.client(), request).status, 200U);
    const auto captured = edge.mock->requests();
    EXPECT_EQ(captured.at(0).header("x-token"), token);
    EXPECT_EQ(captured.at(0).header("authorization"), "Bearer sk-up");
}

// An API with its own route that asks for scopes: any of each Scope's names, all of the Scopes.
std::string scoped_api() {
    return R"(---
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: scoped}
spec: {apiName: scoped, apiType: REST, apiVersion: "1.0", basePath: /scoped/1.0,
       organization: default, production: [{routeRefs: [scoped-route]}]}
---
kind: HTTPRoute
apiVersion: gateway.networking.k8s.io/v1beta1
metadata: {name: scoped-route}
spec:
  hostnames: [default.gw.wso2.com]
  rules:
    - matches: [{path: {type: Exact, value: /models}, method: GET}]
      filters:
        - {type: ExtensionRef, extensionRef: {group: dp.wso2.com, kind: Scope, name: reading}}
        - {type: ExtensionRef, extensionRef: {group: dp.wso2.com, kind: Scope, name: paying}}
      backendRefs: [{group: dp.wso2.com, kind: Backend, name: backend-0}]
---
kind: Scope
apiVersion: dp.wso2.com/v1alpha1
metadata: {name: reading}
spec: {names: [read, peek]}
---
kind: Scope
apiVersion: dp.wso2.com/v1alpha1
metadata: {name: paying}
spec: {names: [pay]}
)";
}

TEST(Authentication, ScopesAnyOfOneAndAllOfSeveral) {
    Edge edge(with_resources(scoped_api()));
    const auto with = [&](const char* scope) {
        Request request = request_for("GET", "/scoped/1.0/models");
        set_header(request, "Authorization",
                   "Bearer " + token_with([&](auto& o) { o.scope = scope; }));
        return fetch(edge.gateway.client(), request);
    };
    EXPECT_EQ(with("read pay").status, 200U);
    EXPECT_EQ(with("other pay peek").status, 200U);
    for (const char* scope : {"", "read", "pay", "read peek", "readpay", "reader pay"}) {
        SCOPED_TRACE(scope);
        const Response response = with(scope);
        expect_problem(response, "scope_denied");
        EXPECT_THAT(std::string(response.header("www-authenticate")),
                    testing::HasSubstr("insufficient_scope"));
    }
    EXPECT_EQ(edge.mock->request_count(), 2U);
    EXPECT_EQ(fetch(edge.gateway.client(), chat()).status, 200U) << "the other API asks for none";
}

TEST(Authentication, ARememberedTokenEndsWhenItExpires) {
    GatewayOptions options = with_process("timeouts: {token_leeway: 0s}\n");
    options.workers = 1;
    Edge edge(options);
    const std::string token = token_with([](auto& o) { o.ttl = "3s"; });
    EXPECT_EQ(ask(edge.gateway, token).status, 200U);
    EXPECT_EQ(ask(edge.gateway, token).status, 200U);
    Response response;
    ASSERT_TRUE(eventually([&] {
        response = ask(edge.gateway, token);
        return response.status != 200;
    }));
    expect_problem(response, "token_expired");
}

TEST(Authentication, ARememberedTokenEndsWhenItsKeyIsWithdrawn) {
    const TempDir dir;
    const auto write = [&](const std::string& kid, const std::string& key) {
        dir.write("jwks.json", make_jwks({{kid, key, ""}}));
    };
    write("old", issuers().ec.key);
    GatewayOptions options = with_resources(jwks_at("file:" + (dir / "jwks.json")));
    options.workers = 1;
    Edge edge(options);
    const std::string token = token_of_other(issuers().ec.key, "old");
    EXPECT_EQ(ask(edge.gateway, token).status, 200U);
    EXPECT_EQ(ask(edge.gateway, token).status, 200U);
    write("new", issuers().ec384.key);
    ASSERT_TRUE(edge.gateway.server().reload().ok);
    expect_problem(ask(edge.gateway, token), "invalid_token");
    EXPECT_EQ(ask(edge.gateway, token_of_other(issuers().ec384.key, "new")).status, 200U);
}

// An issuer that has rotated is noticed by the first token of the new key, without a reload.
TEST(Authentication, ANewKeyIsFetchedWhenATokenNamesIt) {
    const TempDir dir;
    dir.write("jwks.json", make_jwks({{"old", issuers().ec.key, ""}}));
    Edge edge(with_resources(jwks_at("file:" + (dir / "jwks.json"))));
    const std::string fresh = token_of_other(issuers().ec384.key, "new");
    EXPECT_EQ(ask(edge.gateway, token_of_other(issuers().ec.key, "old")).status, 200U);
    dir.write("jwks.json",
              make_jwks({{"old", issuers().ec.key, ""}, {"new", issuers().ec384.key, ""}}));
    EXPECT_TRUE(eventually([&] { return ask(edge.gateway, fresh).status == 200; }));
}

}  // namespace
}  // namespace rotary::test
