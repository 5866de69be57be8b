// The authority, the gateway's certificate and the issuer's key that development runs with.
#include <rotary/tools/dev_certificates.hpp>

#include <support/temp_dir.hpp>

#include <rotary/auth/jwt.hpp>
#include <rotary/tools/token.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace rotary::tools {
namespace {

using testing::HasSubstr;

struct Free {
    void operator()(X509* p) const { X509_free(p); }
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

std::unique_ptr<BIO, Free> opened(const std::string& path) {
    return std::unique_ptr<BIO, Free>(BIO_new_file(path.c_str(), "r"));
}

class DevCertificatesTest : public testing::Test {
protected:
    static Certificate certificate(const std::string& path) {
        return Certificate(PEM_read_bio_X509(opened(path).get(), nullptr, nullptr, nullptr));
    }
    static Key key(const std::string& path) {
        return Key(PEM_read_bio_PrivateKey(opened(path).get(), nullptr, nullptr, nullptr));
    }

    const test::TempDir folder_;
    const DevCertificates made_ = make_dev_certificates(folder_.path().string());
    const Certificate ca_ = certificate(made_.ca);
    const Certificate server_ = certificate(made_.certificate);
};

TEST_F(DevCertificatesTest, AreSignedByTheirAuthority) {
    ASSERT_TRUE(ca_ && server_);
    EXPECT_EQ(X509_verify(server_.get(), X509_get0_pubkey(ca_.get())), 1);
    EXPECT_EQ(X509_verify(ca_.get(), X509_get0_pubkey(ca_.get())), 1);
    EXPECT_EQ(X509_check_ca(ca_.get()), 1);
    EXPECT_EQ(X509_check_ca(server_.get()), 0);
    EXPECT_EQ(X509_check_purpose(server_.get(), X509_PURPOSE_SSL_SERVER, 0), 1);
    EXPECT_EQ(X509_check_purpose(server_.get(), X509_PURPOSE_SSL_CLIENT, 0), 0);
}

TEST_F(DevCertificatesTest, NameThisMachineAndTheGateway) {
    const std::pair<const char*, int> hosts[] = {
        {"localhost", 1},   {"default.gw.wso2.com", 1}, {"default.sandbox.gw.wso2.com", 1},
        {"gw.wso2.com", 0}, {"other.gw.wso2.com", 0},   {"Rotary development gateway", 0},
    };
    for (const auto& [host, named] : hosts) {
        EXPECT_EQ(X509_check_host(server_.get(), host, 0, 0, nullptr), named) << host;
    }
    EXPECT_EQ(X509_check_ip_asc(server_.get(), "127.0.0.1", 0), 1);
    EXPECT_EQ(X509_check_ip_asc(server_.get(), "::1", 0), 1);
    EXPECT_EQ(X509_check_ip_asc(server_.get(), "127.0.0.2", 0), 0);
}

TEST_F(DevCertificatesTest, LiveFromAnHourAgoForSomeDays) {
    int days = 0;
    int seconds = 0;
    const ASN1_TIME* const begin = X509_get0_notBefore(server_.get());
    const ASN1_TIME* const end = X509_get0_notAfter(server_.get());
    ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, begin, end), 1);
    EXPECT_EQ(days, 30);
    EXPECT_EQ(seconds, 3600);
    EXPECT_LT(X509_cmp_current_time(begin), 0);
    EXPECT_GT(X509_cmp_current_time(end), 0);
}

TEST_F(DevCertificatesTest, HaveTheirOwnKeys) {
    const Key server = key(made_.key);
    const Key issuer = key(made_.issuer_key);
    ASSERT_TRUE(server && issuer);
    EXPECT_EQ(X509_check_private_key(server_.get(), server.get()), 1);
    EXPECT_EQ(EVP_PKEY_eq(server.get(), issuer.get()), 0);
    EXPECT_EQ(EVP_PKEY_eq(server.get(), X509_get0_pubkey(ca_.get())), 0);
}

TEST_F(DevCertificatesTest, AreMadeAnewEachTime) {
    const test::TempDir folder;
    const DevCertificates others = make_dev_certificates(folder.path().string());
    const Certificate other = certificate(others.certificate);
    ASSERT_TRUE(other);
    EXPECT_NE(X509_verify(other.get(), X509_get0_pubkey(ca_.get())), 1);
    EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(other.get()),
                               X509_get0_serialNumber(server_.get())),
              0);
}

TEST_F(DevCertificatesTest, TheKeySetIsThePublicHalfOfTheIssuersKey) {
    const std::string text = test::read_file(made_.issuer_jwks);
    EXPECT_THAT(text, HasSubstr("\"kid\":\"" + made_.issuer_kid + "\""));
    EXPECT_EQ(text.find("\"d\""), std::string::npos) << "a private member";
    TokenOptions options;
    options.issuer = "i";
    options.kid = made_.issuer_kid;
    const WallTime now{std::chrono::seconds(1'700'000'000)};
    const MintedToken minted = mint(options, test::read_file(made_.issuer_key), now);
    ASSERT_EQ(minted.error, "");
    auth::Issuer issuer;
    issuer.iss = "i";
    issuer.keys = auth::KeySet::from_jwks(text).keys;
    EXPECT_TRUE(auth::verify(minted.token, {std::span(&issuer, 1)}, now, {}).has_value());
}

TEST(DevCertificates, NeedTheirFolder) {
    EXPECT_THROW(make_dev_certificates("/no/such/folder"), std::runtime_error);
}

}  // namespace
}  // namespace rotary::tools
