#include "control/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rotary::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Discovery, OpenIdsDocumentIsAskedForFirst) {
    EXPECT_THAT(discovery_urls("https://idp.example.com"),
                ElementsAre("https://idp.example.com/.well-known/openid-configuration",
                            "https://idp.example.com/.well-known/oauth-authorization-server"));
}

TEST(Discovery, PathOfAnIssuerStandsWhereEachDocumentHasIt) {
    EXPECT_THAT(
        discovery_urls("https://idp.example.com/realms/a/"),
        ElementsAre("https://idp.example.com/realms/a/.well-known/openid-configuration",
                    "https://idp.example.com/.well-known/oauth-authorization-server/realms/a"));
}

struct Case {
    const char* name;
    const char* document;
    const char* uri;
    const char* error;
    bool any_http = false;
};

const Case kCases[] = {
    {"AnOrdinaryOne", R"({"issuer":"https://i","jwks_uri":"https://k/keys"})", "https://k/keys",
     ""},
    {"HttpOnLoopback", R"({"issuer":"https://i","jwks_uri":"http://127.0.0.1:1/k"})",
     "http://127.0.0.1:1/k", ""},
    {"HttpElsewhere", R"({"issuer":"https://i","jwks_uri":"http://k/keys"})", "", "neither https"},
    {"HttpWhereAllowed", R"({"issuer":"https://i","jwks_uri":"http://k/keys"})", "http://k/keys",
     "", true},
    {"AFile", R"({"issuer":"https://i","jwks_uri":"file:///etc/passwd"})", "", "neither https"},
    {"AnotherIssuer", R"({"issuer":"https://j","jwks_uri":"https://k"})", "", "another issuer"},
    {"ASlashMore", R"({"issuer":"https://i/","jwks_uri":"https://k"})", "", "another issuer"},
    {"NoIssuer", R"({"jwks_uri":"https://k"})", "", "names no issuer"},
    {"AnIssuerThatIsNoText", R"({"issuer":1,"jwks_uri":"https://k"})", "", "names no issuer"},
    {"NoKeys", R"({"issuer":"https://i"})", "", "no jwks_uri"},
    {"KeysThatAreNoText", R"({"issuer":"https://i","jwks_uri":["https://k"]})", "", "no jwks_uri"},
    {"AList", "[]", "", "not a JSON object"},
    {"NoJson", "<html>", "", "not a JSON object"},
    {"TwoIssuers", R"({"issuer":"https://j","issuer":"https://i","jwks_uri":"https://k"})", "",
     "not a JSON object"},
};

class DiscoveryDocument : public testing::TestWithParam<Case> {};

TEST_P(DiscoveryDocument, IsTakenOrRefused) {
    const Discovery read =
        read_discovery(GetParam().document, "https://i", 4096, GetParam().any_http);
    EXPECT_EQ(read.jwks_uri, GetParam().uri);
    EXPECT_THAT(read.error, HasSubstr(GetParam().error));
    EXPECT_EQ(read.error.empty(), *GetParam().error == '\0');
}

INSTANTIATE_TEST_SUITE_P(Each, DiscoveryDocument, testing::ValuesIn(kCases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Discovery, LargerOneThanAllowedIsRefused) {
    EXPECT_THAT(
        read_discovery(R"({"issuer":"https://i","jwks_uri":"https://k"})", "https://i", 10, false)
            .error,
        HasSubstr("not a JSON object"));
}

}  // namespace
}  // namespace rotary::control
