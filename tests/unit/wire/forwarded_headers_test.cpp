#include <rotary/wire/forwarded_headers.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
}

// Every letter of a name matters: the same name with one more is another's.
TEST(ForwardedHeaders, TheseAlwaysGoOn) {
    for (const std::string name :
         {"user-agent", "range", "prefer", "traceparent", "tracestate", "idempotency-key",
          "openai-beta", "anthropic-beta", "anthropic-version", "x-request-id", "http-referer",
          "x-title", "accept"}) {
        EXPECT_TRUE(goes_on_to_provider(name)) << name;
        EXPECT_TRUE(goes_on_to_provider(upper(name))) << name;
        EXPECT_FALSE(goes_on_to_provider(name + "z")) << name;
        EXPECT_FALSE(goes_on_to_provider("z" + name)) << name;
    }
    for (const char* name :
         {"content-type", "Content-Encoding", "content-language", "content-disposition",
          "content-md5", "accept-encoding", "Accept-Language", "accept-charset", "if-match",
          "If-None-Match", "if-modified-since", "if-unmodified-since", "if-range"}) {
        EXPECT_TRUE(goes_on_to_provider(name)) << name;
    }
}

// Names under which clients send what lets them in, and what says who they are or where they sit.
constexpr const char* kCredentials[] = {"authorization",
                                        "proxy-authorization",
                                        "cookie",
                                        "cookie2",
                                        "set-cookie",
                                        "x-api-key",
                                        "api-key",
                                        "apikey",
                                        "x-apikey",
                                        "x-goog-api-key",
                                        "x-goog-iam-authorization-token",
                                        "x-auth-token",
                                        "x-access-token",
                                        "x-id-token",
                                        "x-refresh-token",
                                        "x-session-token",
                                        "x-csrf-token",
                                        "x-xsrf-token",
                                        "token",
                                        "auth",
                                        "x-auth",
                                        "x-auth-key",
                                        "x-auth-email-token",
                                        "anthropic-api-key",
                                        "openai-api-key",
                                        "cohere-api-key",
                                        "azure-api-key",
                                        "x-ms-token-aad-id-token",
                                        "ocp-apim-subscription-key",
                                        "x-functions-key",
                                        "x-rapidapi-key",
                                        "subscription-key",
                                        "cf-access-client-secret",
                                        "cf-access-token",
                                        "cf-access-jwt-assertion",
                                        "x-vault-token",
                                        "private-token",
                                        "job-token",
                                        "deploy-token",
                                        "x-gitlab-token",
                                        "x-github-token",
                                        "x-wso2-jwt",
                                        "x-jwt-assertion",
                                        "internal-key",
                                        "x-amz-security-token",
                                        "x-amz-signature",
                                        "x-amzn-oidc-data",
                                        "x-amzn-oidc-accesstoken",
                                        "x-forwarded-access-token",
                                        "x-client-secret",
                                        "client-secret",
                                        "x-password",
                                        "password",
                                        "x-credential",
                                        "x-credentials",
                                        "x-secret",
                                        "secret-key",
                                        "access-key",
                                        "x-access-key-id",
                                        "x-signature",
                                        "signature",
                                        "x-hub-signature-256",
                                        "signature-input",
                                        "x-session-id",
                                        "x-sid",
                                        "x-otp",
                                        "x-saml-response",
                                        "x-client-cert",
                                        "x-bearer",
                                        "bearer",
                                        "authentication",
                                        "x-authenticated-user",
                                        "dpop-token",
                                        "x-huggingface-token",
                                        "hf-token",
                                        "x-databricks-token",
                                        "x-langfuse-secret-key",
                                        "helicone-auth",
                                        "portkey-api-key",
                                        "x-stainless-secret"};

TEST(ForwardedHeaders, CredentialsNeverGoOnWhateverTheirName) {
    for (const std::string name : kCredentials) {
        EXPECT_FALSE(goes_on_to_provider(name)) << name;
        EXPECT_TRUE(names_credential(name)) << name;
        EXPECT_FALSE(may_go_on_to_provider(upper(name))) << name;
    }
    for (const char* name : {"content-token", "accept-secret", "if-api-key", "content-auth"}) {
        EXPECT_FALSE(goes_on_to_provider(name)) << name;
    }
}

TEST(ForwardedHeaders, WhatIsNotListedStaysButMayBeLetThrough) {
    for (const char* name : {"openai-organization",
                             "openai-project",
                             "x-stainless-lang",
                             "x-forwarded-for",
                             "via",
                             "forwarded",
                             "x-real-ip",
                             "baggage",
                             "referer",
                             "origin",
                             "dnt",
                             "x-custom",
                             "from",
                             "x-amz-date",
                             "x-trace",
                             "acceptable",
                             "iffy",
                             "contents",
                             "x-monkey",
                             "x",
                             ""}) {
        EXPECT_FALSE(goes_on_to_provider(name)) << name;
        EXPECT_TRUE(may_go_on_to_provider(name)) << name;
    }
    // Each of these is written anew for every provider.
    for (const char* name : {"host", "Content-Length", "expect", "x-client-request-id"}) {
        EXPECT_FALSE(goes_on_to_provider(name)) << name;
        EXPECT_FALSE(may_go_on_to_provider(name)) << name;
    }
    EXPECT_FALSE(names_credential("idempotency-key"));
}

TEST(ForwardedHeaders, GlobsMatchWholeNames) {
    struct Row {
        const char* glob;
        const char* name;
        bool matches;
    };
    const Row rows[] = {
        {"x-a", "X-A", true},
        {"x-a", "x-ab", false},
        {"x-*", "X-Anything", true},
        {"x-*", "x-", true},
        {"x-*", "y-a", false},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"*-id", "x-tenant-id", true},
        {"*-id", "x-id-x", false},
        {"x-*-id", "x-id", false},
        {"x-*-id", "x-a-id-b-id", true},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"**a", "a", true},
        {"X-A*", "x-abc", true},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(matches_glob(row.glob, row.name), row.matches) << row.glob << " " << row.name;
    }
}

}  // namespace
}  // namespace rotary::wire
