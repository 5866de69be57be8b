#include "net/tls_peer.hpp"

#include "tls_maker.hpp"

#include <gtest/gtest.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>

namespace rotary::net {
namespace {

using namespace std::string_view_literals;

struct Row {
    const char* name;
    std::string_view host;
    bool good;
    const char* verified;  // the name that the certificate must have; empty: an address
    const char* sni;       // empty: none is sent
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

constexpr Row kRows[] = {
    {"AName", "api.example.com", true, "api.example.com", "api.example.com"},
    {"AFinalDotIsNoPartOfIt", "api.example.com.", true, "api.example.com", "api.example.com"},
    {"IPv4IsNoNameForSni", "192.0.2.1", true, "", ""},
    {"IPv6", "2001:db8::1", true, "", ""},
    {"IPv6InBrackets", "[2001:db8::1]", true, "", ""},
    {"Nothing", "", false, "", ""},
    {"ADot", ".", false, "", ""},
    {"AZeroByte", "good.example\0.evil.example"sv, false, "", ""},
};

class TlsPeerTest : public testing::TestWithParam<Row> {};

TEST_P(TlsPeerTest, IsWhoMustBeProven) {
    const Row& row = GetParam();
    static const auto context = test::client_of(test::make_identity("localhost"));
    const test::SslPointer ssl(SSL_new(context->native()));
    ASSERT_EQ(expect_peer(ssl.get(), row.host), row.good);
    const char* const sni = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    EXPECT_EQ(std::string(sni == nullptr ? "" : sni), row.sni);
    X509_VERIFY_PARAM* const verifies = SSL_get0_param(ssl.get());
    const char* const name = X509_VERIFY_PARAM_get0_host(verifies, 0);
    EXPECT_EQ(std::string(name == nullptr ? "" : name), row.verified);
    char* const address = X509_VERIFY_PARAM_get1_ip_asc(verifies);
    EXPECT_EQ(address != nullptr, row.good && *row.verified == '\0') << "an address is verified";
    OPENSSL_free(address);
    if (*row.verified != '\0') {
        EXPECT_TRUE(X509_VERIFY_PARAM_get_hostflags(verifies) &
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
}

INSTANTIATE_TEST_SUITE_P(All, TlsPeerTest, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace rotary::net
