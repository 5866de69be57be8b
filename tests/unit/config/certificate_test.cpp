#include "config/check/certificate.hpp"

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

struct Coverage {
    const char* name;
    std::vector<std::string> names;
    const char* host;
    bool covered;
};
class CoveredHosts : public testing::TestWithParam<Coverage> {};

TEST_P(CoveredHosts, AreThoseOfRfc6125) {
    const Certificate certificate{"/CN=api.example.com", GetParam().names, {}, {}};
    EXPECT_EQ(covers(certificate, GetParam().host), GetParam().covered);
}

const Coverage kCoverage[] = {
    {"same", {"api.example.com"}, "api.example.com", true},
    {"in_any_case", {"API.Example.com"}, "api.example.com", true},
    {"second", {"a.example.com", "api.example.com"}, "api.example.com", true},
    {"other", {"a.example.com"}, "api.example.com", false},
    {"subject_alone", {}, "api.example.com", false},
    {"wildcard", {"*.example.com"}, "api.example.com", true},
    {"wildcard_for_two_labels", {"*.example.com"}, "a.api.example.com", false},
    {"wildcard_for_none", {"*.example.com"}, "example.com", false},
    {"wildcard_in_a_label", {"a*.example.com"}, "api.example.com", false},
    {"wildcard_alone", {"*"}, "api", false},
    {"wildcard_behind_a_label", {"api.*.com"}, "api.example.com", false},
    {"hosts_of_a_wildcard", {"*.example.com"}, "*.example.com", true},
    {"one_host_of_a_wildcard", {"api.example.com"}, "*.example.com", false},
    {"wider_wildcard", {"*.com"}, "*.example.com", false},
    {"address", {"192.0.2.1"}, "192.0.2.1", true},
};
INSTANTIATE_TEST_SUITE_P(Rows, CoveredHosts, testing::ValuesIn(kCoverage),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Certificates, ThatDoNotCoverAHostAreWarnedOfOnce) {
    const std::string certificate = data_file("listener.crt");
    const std::string tls =
        "tls: {certificate: " + certificate + ", key: " + data_file("listener.key") + "}}\n";
    const std::string process = "listeners:\n  - {port: 1, " + tls + "  - {port: 2, " + tls;
    const auto route = [](const std::string& name, const std::string& hosts) {
        return "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: " +
               name + "}\nspec:\n  hostnames: [" + hosts +
               "]\n  rules: [{filters: [{type: RequestRedirect, requestRedirect: {}}]}]\n";
    };
    const auto warnings = [&](const std::string& routes) {
        std::string text;
        for (const Finding& finding :
             load_texts({"rotary.yaml", process}, {{"r.yaml", routes}}, variables()).findings) {
            if (finding.path == "spec.hostnames") text += to_text(std::vector{finding});
        }
        return text;
    };
    EXPECT_EQ(warnings(route("a", "localhost")), "");
    EXPECT_EQ(warnings(route("a", "localhost, api.example.com, '*.localhost'") +
                       route("b", "API.example.com")),
              "r.yaml:6:14: warning: spec.hostnames: clients that ask for api.example.com, "
              "*.localhost refuse the certificate " +
                  certificate +
                  ", which is for localhost: take one whose names (subjectAltName) cover these "
                  "hosts\n");
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
