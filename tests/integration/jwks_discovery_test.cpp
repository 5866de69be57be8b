// How the keys of an issuer are found that says itself where they are.
#include "jwks_fixture.hpp"

namespace rotary::control {
namespace {

using testing::ElementsAre;

constexpr const char* kOpenId = "/.well-known/openid-configuration";
constexpr const char* kOAuth = "/.well-known/oauth-authorization-server";

// The issuer is the server itself, verified by the tests' authority.
JwksSource issuer_at(const std::string& issuer) {
    JwksSource source;
    source.issuer = issuer;
    source.ca_pem = test::read_file(certificates().ca);
    return source;
}

std::string document(const std::string& issuer, const std::string& keys) {
    return R"({"issuer":")" + issuer + R"(","jwks_uri":")" + keys + "\"}";
}

class DiscoveryTest : public JwksTest {
protected:
    DiscoveryTest() : idp_(server(&certificates().server)) { idp_.serve("{}", "404 Not Found"); }

    KeyServer& idp_;
    const std::string issuer_ = idp_.origin("localhost");
};

TEST_F(DiscoveryTest, KeysAreFetchedFromWhereTheDocumentSays) {
    idp_.serve_at(kOpenId, document(issuer_, issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"a"}));
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_published(1)) << fetcher().status(0).last_error;
    EXPECT_EQ(published_.back(), "0: a ");
    EXPECT_THAT(idp_.paths, ElementsAre(kOpenId, "/jwks"));
    EXPECT_EQ(fetcher().status(0).fetches_ok, 1u);
}

TEST_F(DiscoveryTest, OAuthsDocumentIsAskedForNext) {
    idp_.serve_at(kOAuth, document(issuer_, issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"a"}));
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_published(1)) << fetcher().status(0).last_error;
    EXPECT_THAT(idp_.paths, ElementsAre(kOpenId, kOAuth, "/jwks"));
}

TEST_F(DiscoveryTest, DocumentOfAnotherIssuerIsRefusedAndItsKeysAreNotAskedFor) {
    idp_.serve_at(kOpenId, document("https://evil.example", issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"evil"}));
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_THAT(fetcher().status(0).last_error, HasSubstr("of another issuer"));
    EXPECT_EQ(kids(fetcher().keys(0)), "none");
    EXPECT_THAT(idp_.paths, testing::Not(testing::Contains("/jwks")));
}

TEST_F(DiscoveryTest, FailureNamesBothAddressesAndIsTriedAgain) {
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_THAT(fetcher().status(0).last_error,
                testing::AllOf(HasSubstr(std::string(kOpenId) + ": refused: status 404"),
                               HasSubstr(std::string(kOAuth) + ": refused: status 404")));
    idp_.serve_at(kOpenId, document(issuer_, issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"a"}));
    ASSERT_TRUE(run_until_published(1)) << fetcher().status(0).last_error;
}

TEST_F(DiscoveryTest, LastGoodKeysStayWhileTheDocumentIsGone) {
    idp_.serve_at(kOpenId, document(issuer_, issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"a"}));
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_published(1));
    idp_.serve_at(kOpenId, "{}", "503 Service Unavailable");
    ASSERT_TRUE(fetcher().refresh_for_unknown_kid(0));
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_EQ(kids(fetcher().keys(0)), "a ");
    EXPECT_EQ(published_.size(), 1u);
}

TEST_F(DiscoveryTest, KeysThatMovedAreFoundWhereTheyAreNow) {
    idp_.serve_at(kOpenId, document(issuer_, issuer_ + "/jwks"));
    idp_.serve_at("/jwks", jwks_of({"a"}));
    fetcher().set_sources({issuer_at(issuer_)});
    ASSERT_TRUE(run_until_published(1));
    idp_.serve_at(kOpenId, document(issuer_, issuer_ + "/moved"));
    idp_.serve_at("/moved", jwks_of({"b"}));
    ASSERT_TRUE(fetcher().refresh_for_unknown_kid(0));
    ASSERT_TRUE(run_until_published(2));
    EXPECT_EQ(published_.back(), "0: b ");
}

TEST_F(DiscoveryTest, IssuerWithAnotherCertificateIsNotEvenAsked) {
    KeyServer& wrong = server(&certificates().wrong_host);
    const std::string issuer = wrong.origin("localhost");
    wrong.serve_at(kOpenId, document(issuer, issuer + "/jwks"));
    fetcher().set_sources({issuer_at(issuer)});
    ASSERT_TRUE(run_until_failed(1));
    EXPECT_EQ(wrong.requests, 0);
}

}  // namespace
}  // namespace rotary::control
