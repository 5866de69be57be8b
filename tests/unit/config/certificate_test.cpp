#include "config/certificate.hpp"

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

TEST(Certificates, AreReadWithTheirNamesAndTheirLife) {
    const CertificateChain chain = read_certificates(read_text(data_file("listener.crt")));
    EXPECT_EQ(chain.error, "");
    ASSERT_EQ(chain.certificates.size(), 1U);
    EXPECT_EQ(chain.certificates[0].subject, "/CN=rotary test");
    EXPECT_EQ(chain.certificates[0].names, std::vector<std::string>{"localhost"});
    EXPECT_EQ(system_clock::to_time_t(chain.certificates[0].not_before), 1577836800);  // 2020
}

TEST(Certificates, AreAChain) {
    const std::string one = read_text(data_file("listener.crt"));
    EXPECT_EQ(read_certificates("a comment\n" + one + one).certificates.size(), 2U);
    const CertificateChain broken =
        read_certificates(one + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    EXPECT_NE(broken.error.find("can't be read: "), std::string::npos) << broken.error;
    EXPECT_NE(read_certificates("").error.find("no certificate is in it"), std::string::npos);
}

TEST(Certificates, KnowTheirKey) {
    const std::string certificate = read_text(data_file("listener.crt"));
    EXPECT_EQ(key_error(read_text(data_file("listener.key")), certificate), "");
    EXPECT_EQ(key_error(read_text(data_file("other.key")), certificate),
              "it does not belong to the certificate");
    EXPECT_EQ(key_error("nothing", certificate), "no private key is in it (PEM is expected)");
    EXPECT_NE(
        key_error("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", certificate)
            .find("can't be read"),
        std::string::npos);
}

TEST(Certificates, HaveAnEnd) {
    const system_clock::time_point born = system_clock::from_time_t(1'600'000'000);
    const auto at = [&](hours age, hours life) {
        return life_of({"", {}, born, born + life}, born + age);
    };
    constexpr hours kYear(365 * 24);
    EXPECT_EQ(at(hours(-1), kYear).error, "is not valid before 2020-09-13 12:26 UTC");
    EXPECT_EQ(at(hours(0), kYear).error + at(hours(0), kYear).warning, "");
    EXPECT_EQ(at(kYear - hours(14 * 24), kYear).warning, "");
    EXPECT_EQ(at(kYear - hours(14 * 24 - 1), kYear).warning,
              "expires on 2021-09-13 12:26 UTC, in 335 hours");
    EXPECT_EQ(at(kYear, kYear).error, "has expired on 2021-09-13 12:26 UTC");
    EXPECT_EQ(at(hours(20), hours(24)).warning, "") << "renewed each day";
    EXPECT_NE(at(hours(21), hours(24)).warning, "");
}

}  // namespace
}  // namespace rotary::config
