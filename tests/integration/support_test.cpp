// The helpers of the tests, where a mistake of theirs could let another test pass.
#include <support/certificates.hpp>
#include <support/encoding.hpp>
#include <support/json.hpp>
#include <support/process.hpp>
#include <support/temp_dir.hpp>
#include <support/test_client.hpp>
#include <support/tokens.hpp>

#include <rotary/mock/provider.hpp>

#include <gtest/gtest.h>

#include <csignal>

namespace rotary::test {
namespace {

using namespace std::chrono_literals;

TEST(SupportTest, CertificatesAreWhatTheySay) {
    const Certificates& all = certificates();
    struct Row {
        const char* name;
        const PemFiles& files;
        const char* ca;
        bool accepted;
    };
    const Row rows[] = {
        {"server", all.server, all.ca.c_str(), true},
        {"wrong_host", all.wrong_host, all.ca.c_str(), false},
        {"expired", all.expired, all.ca.c_str(), false},
        {"not_yet", all.not_yet, all.ca.c_str(), false},
        {"client_only", all.client_only, all.ca.c_str(), false},
        {"self_signed", all.self_signed, all.ca.c_str(), false},
        {"self_signed, trusted", all.self_signed, all.self_signed.certificate.c_str(), true},
        {"unknown_ca", all.unknown_ca, all.ca.c_str(), false},
        {"unknown_ca, trusted", all.unknown_ca, all.other_ca.c_str(), true},
        {"expired, unverified", all.expired, "", true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        mock::MockOptions options;
        options.tls = mock::MockTls{row.files.certificate, row.files.key};
        mock::MockProvider provider(options);
        provider.start();
        ClientOptions to;
        to.port = provider.port();
        to.ca = row.ca;
        to.sni = "a.example.test";
        bool accepted = true;
        try {
            TestClient client(to);
        } catch (const ClientError& error) {
            accepted = false;
        }
        EXPECT_EQ(accepted, row.accepted);
    }
}

TEST(SupportTest, KeySetHoldsEveryIssuersKey) {
    const std::string& jwks = issuers().jwks;
    EXPECT_EQ(read_file(issuers().jwks_file), jwks);
    ASSERT_EQ(json_size(jwks, "keys"), 4U);
    EXPECT_EQ(json_at(jwks, "keys.0.kty"), "RSA");
    EXPECT_EQ(json_at(jwks, "keys.0.e"), "AQAB");
    EXPECT_EQ(from_base64url(json_at(jwks, "keys.0.n")).size(), 256U);
    EXPECT_EQ(json_at(jwks, "keys.1.crv"), "P-256");
    EXPECT_EQ(from_base64url(json_at(jwks, "keys.1.y")).size(), 32U);
    EXPECT_EQ(json_at(jwks, "keys.2.crv"), "P-384");
    EXPECT_EQ(from_base64url(json_at(jwks, "keys.2.x")).size(), 48U);
    EXPECT_EQ(json_at(jwks, "keys.3.kty"), "OKP");
    EXPECT_EQ(from_base64url(json_at(jwks, "keys.3.x")).size(), 32U);
}

TEST(SupportTest, TokensCarryWhatTheyAreTold) {
    tools::TokenOptions options = token_options();
    options.audiences = {"chat"};
    const std::string token = make_token(options);
    EXPECT_EQ(json_at(token_part(token, 0), "alg"), "RS256");
    EXPECT_EQ(json_at(token_part(token, 0), "kid"), "rsa");
    EXPECT_EQ(json_at(token_part(token, 1), "iss"), kIssuer);
    EXPECT_EQ(json_at(token_part(token, 1), "aud"), "chat");
    EXPECT_EQ(token_part(token, 2).size(), 256U);
    EXPECT_TRUE(bearer().starts_with("Bearer ey"));
    EXPECT_EQ(forge_token(R"({"alg":"none"})", "{}", ""), "eyJhbGciOiJub25lIn0.e30.");
    options.key_file = certificates().ca;
    EXPECT_THROW(make_token(options), std::runtime_error);
}

TEST(SupportTest, JsonIsReadByPaths) {
    const char* text = R"({"a":{"b":[1,{"c":"d\u0065"},null]},"e":1.50,"f":true})";
    const std::pair<const char*, const char*> rows[] = {
        {"a.b.1.c", "de"}, {"a.b", "[3]"},         {"a", "{1}"},       {"e", "1.50"}, {"f", "true"},
        {"a.b.2", "null"}, {"a.b.3", "<missing>"}, {"x", "<missing>"}, {"", "{3}"},
    };
    for (const auto& [path, value] : rows) EXPECT_EQ(json_at(text, path), value) << path;
    EXPECT_EQ(json_at("{", "a"), "<not json>");
    EXPECT_EQ(json_keys(text, ""), (std::vector<std::string>{"a", "e", "f"}));
}

TEST(SupportTest, ProcessesAreRunAndEnded) {
    const TempDir folder;
    const ProcessResult result = run_process(
        {{"/bin/sh", "-c", "echo out $X; pwd; echo err >&2; exit 3"}, {{"X", "x"}}, folder / "."});
    EXPECT_EQ(result.status.code, 3);
    EXPECT_EQ(result.output, "out x\n" + folder.path().string() + "\n");
    EXPECT_EQ(result.errors, "err\n");
    EXPECT_EQ(run_process({{"/nowhere/at/all"}, {}, ""}).status.code, 127);

    ChildProcess child({{"/bin/sh", "-c", "echo up; exec sleep 60"}, {}, ""});
    EXPECT_TRUE(child.wait_for_output("up\n", 5s));
    EXPECT_FALSE(child.wait(1ms));
    child.signal(SIGKILL);
    const auto status = child.wait(5s);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->signal, SIGKILL);
    EXPECT_FALSE(child.wait_for_output("bye", 1ms));
}

}  // namespace
}  // namespace rotary::test
