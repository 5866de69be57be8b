#include <rotary/config/check/check.hpp>

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

// Objects made by hand: what a file would be long for.
std::string findings_of(const Resources& resources, const Config& config = {}) {
    std::vector<Finding> findings;
    check(config, resources, {}, findings);
    return to_text(findings);
}

Resources with_list(const std::vector<ModelEntry>& entries) {
    Resources resources;
    ApiPolicy policy;
    policy.defaults.rotation.emplace().production = entries;
    policy.defaults.rotation->production_mark = {"f", 1, 1, "list"};
    resources.policies.push_back(policy);
    return resources;
}

std::vector<ModelEntry> entries_with(const std::vector<std::uint32_t>& weights) {
    std::vector<ModelEntry> entries;
    for (const std::uint32_t weight : weights) {
        ModelEntry entry;
        entry.model = "m" + std::to_string(entries.size());
        entry.weight = weight;
        entries.push_back(entry);
    }
    return entries;
}

struct WeightRow {
    const char* name;
    std::vector<std::uint32_t> weights;
    const char* message;  // empty: fine
};

void PrintTo(const WeightRow& row, std::ostream* out) { *out << row.name; }

class Weights : public testing::TestWithParam<WeightRow> {};

TEST_P(Weights, OfAList) {
    const std::string text = findings_of(with_list(entries_with(GetParam().weights)));
    if (*GetParam().message == '\0') {
        EXPECT_EQ(text, "");
    } else {
        EXPECT_NE(text.find(GetParam().message), std::string::npos) << text;
    }
}

const WeightRow kWeights[] = {
    {"none", {}, ""},
    {"one", {1}, ""},
    {"zero_among_others", {0, 3}, ""},
    {"all_zero", {0, 0}, "warning: list: every weight is 0"},
    {"as_much_as_possible", {99'999, 1}, ""},
    {"more_than_a_table_holds", {99'991, 70'001, 1}, ""},
    {"divided", {1'000'000'000, 500'000'000}, ""},
    {"sum_beyond_32_bits", {4'000'000'000, 4'000'000'001}, ""},
    {"most_entries", std::vector<std::uint32_t>(1000, 1), ""},
    {"too_many_entries", std::vector<std::uint32_t>(1001, 1),
     "error: list: has 1001 entries, at most 1000 may be (limits.rotation_entries)"},
};
INSTANTIATE_TEST_SUITE_P(Rows, Weights, testing::ValuesIn(kWeights),
                         [](const auto& row) { return row.param.name; });

TEST(Weights, AListMayBeAsLongAsTheLimitSays) {
    Config config;
    config.limits.rotation_entries = 2;
    EXPECT_EQ(findings_of(with_list(entries_with({1, 1})), config), "");
    const std::string text = findings_of(with_list(entries_with({1, 1, 1})), config);
    EXPECT_NE(text.find("has 3 entries, at most 2 may be"), std::string::npos) << text;
}

// One API with one route, whose requests hold no model.
Resources one_api() {
    Resources resources;
    HttpRouteRule rule;
    rule.matches.emplace_back().method = "GET";
    HttpRoute route;
    route.metadata.name = "r";
    route.rules.push_back(rule);
    Api api;
    api.metadata.name = "a";
    api.production.push_back({"r", {}});
    resources.routes.push_back(route);
    resources.apis.push_back(api);
    return resources;
}

Authentication disabled_for(const std::string& api) {
    Authentication authentication;
    authentication.metadata.name = "off";
    authentication.target = {TargetKind::api, api, {}};
    authentication.defaults.disabled = true;
    return authentication;
}

TEST(Issuers, AreMissedOnlyWhereATokenIsNeeded) {
    Resources resources = one_api();
    EXPECT_NE(findings_of(resources).find("no TokenIssuer is there"), std::string::npos);
    resources.authentications.push_back(disabled_for("a"));
    EXPECT_EQ(findings_of(resources), "");
}

TEST(Issuers, MustBeForTheEnvironmentOfTheApi) {
    Resources resources = one_api();
    TokenIssuer issuer;
    issuer.issuer = "https://i";
    issuer.organization = "default";
    issuer.certificate.text = "pem";
    issuer.environments = {"Staging"};
    resources.issuers.push_back(issuer);
    EXPECT_NE(findings_of(resources).find("no TokenIssuer is there"), std::string::npos);
    resources.apis[0].environment = "Staging";
    EXPECT_EQ(findings_of(resources), "");
}

TEST(Issuers, MustBeOfTheOrganizationOfTheApi) {
    Resources resources = one_api();
    TokenIssuer issuer;
    issuer.issuer = "https://i";
    issuer.organization = "acme";
    issuer.certificate.text = "pem";
    resources.issuers.push_back(issuer);
    EXPECT_NE(findings_of(resources).find("no TokenIssuer is there"), std::string::npos);
    resources.apis[0].organization = "acme";
    EXPECT_EQ(findings_of(resources), "");
}

TEST(Issuers, MayShareAnIssUnlessOneApiWouldTrustBoth) {
    struct Row {
        const char* name;
        const char* organization;
        std::vector<std::string> environments;
        bool is_error;
    };
    const Row rows[] = {
        {"another organization", "other", {}, false},
        {"the same", "default", {}, true},
        {"another environment", "default", {"Test"}, false},
        {"one environment in common", "default", {"Test", "Dev"}, true},
        {"every environment", "default", {"*"}, true},
    };
    for (const Row& row : rows) {
        Resources resources;
        TokenIssuer issuer;
        issuer.metadata.name = "first";
        issuer.issuer = "https://i";
        issuer.organization = "default";
        issuer.certificate.text = "pem";
        if (std::string_view(row.name) != "the same") issuer.environments = {"Dev"};
        resources.issuers.push_back(issuer);
        issuer.metadata.name = "second";
        issuer.organization = row.organization;
        issuer.environments = row.environments;
        resources.issuers.push_back(issuer);
        const std::string findings = findings_of(resources);
        EXPECT_EQ(findings.find("is for this issuer already") != std::string::npos, row.is_error)
            << row.name << findings;
    }
}

TEST(Authentications, ClientCertificatesAreAnErrorUntilTheyAreServed) {
    Resources resources = one_api();
    Authentication one = disabled_for("a");
    one.defaults.disabled.reset();
    one.defaults.types.emplace().mtls.emplace();
    resources.authentications.push_back(one);
    EXPECT_NE(findings_of(resources).find("error: mtls is not served yet: clients' certificates"),
              std::string::npos)
        << findings_of(resources);
    Config accepting;
    accepting.accept_unserved = {"mtls"};
    const std::string accepted = findings_of(resources, accepting);
    EXPECT_EQ(accepted.find("error:"), std::string::npos) << accepted;
    EXPECT_NE(accepted.find("warning: mtls is not served yet: clients' certificates"),
              std::string::npos);
    resources.authentications[0].defaults.types->mtls->disabled = true;
    EXPECT_EQ(findings_of(resources).find("error:"), std::string::npos);
}

TEST(Authentications, WithEveryTypeOffAreToldToBeOpen) {
    Resources resources = one_api();
    Authentication one = disabled_for("a");
    one.defaults.types.emplace().oauth2.emplace().disabled = true;
    resources.authentications.push_back(one);
    EXPECT_EQ(findings_of(resources), "");
    resources.authentications[0].defaults.disabled.reset();
    EXPECT_NE(findings_of(resources).find("warning: every type is off"), std::string::npos);
}

TEST(Rotations, AreMissedWhereRequestsHoldAModel) {
    Resources resources = one_api();
    resources.authentications.push_back(disabled_for("a"));
    resources.apis[0].sandbox.push_back({"r-sandbox", {}});
    resources.routes.push_back(resources.routes[0]);
    resources.routes[1].metadata.name = "r-sandbox";
    resources.routes[1].hostnames = {"sandbox.example.com"};
    EXPECT_EQ(findings_of(resources), "");
    for (HttpRoute& route : resources.routes) {
        route.rules[0].matches[0].method = "POST";
    }
    const std::string none = findings_of(resources);
    EXPECT_NE(none.find("in production for the HTTPRoute \"r\": its clients choose the model"),
              std::string::npos)
        << none;
    EXPECT_NE(none.find("in sandbox for the HTTPRoute \"r-sandbox\""), std::string::npos) << none;
    Config refusing;
    refusing.routing.without_rotation = WithoutRotation::refuse;
    EXPECT_NE(findings_of(resources, refusing).find("routing.without_rotation refuses"),
              std::string::npos);

    Resources half = resources;
    ApiPolicy policy;
    policy.metadata.name = "turns";
    policy.target = {TargetKind::api, "a", {}};
    policy.defaults.rotation.emplace().production = entries_with({1});
    half.policies.push_back(policy);
    half.routes[0].rules[0].backends.emplace_back().name = "b";
    half.backends.emplace_back().metadata.name = "b";
    const std::string sandbox = findings_of(half);
    EXPECT_EQ(sandbox.find("in production"), std::string::npos) << sandbox;
    EXPECT_NE(sandbox.find("in sandbox"), std::string::npos) << sandbox;

    resources.routes[0].rules[0].redirect.emplace();
    EXPECT_EQ(findings_of(resources).find("in production"), std::string::npos);
    resources.incomplete = true;
    EXPECT_EQ(findings_of(resources), "");
}

TEST(Issuers, UseJwksBeforeACertificate) {
    Resources resources;
    TokenIssuer issuer;
    issuer.certificate.text = "pem";
    issuer.jwks.emplace().url = "http://[::1]:8080/jwks";
    resources.issuers.push_back(issuer);
    EXPECT_NE(findings_of(resources).find("warning: is not used: jwks is there"),
              std::string::npos);
}

TEST(References, AreNotMissedInWhatWasNotRead) {
    Resources resources = one_api();
    resources.authentications.push_back(disabled_for("a"));
    resources.apis[0].production.push_back({"lost", {}});
    EXPECT_NE(findings_of(resources).find("there is no HTTPRoute \"lost\""), std::string::npos);
    resources.unread = "metadata: {name: other}";
    EXPECT_NE(findings_of(resources).find("there is no HTTPRoute \"lost\""), std::string::npos);
    resources.unread = "metadata: {name: lost}";
    EXPECT_EQ(findings_of(resources), "");
    resources.unread.clear();
    resources.incomplete = true;
    EXPECT_EQ(findings_of(resources), "");
}

TEST(Routes, OfTwoApisMayNotTakeTheSamePlace) {
    Resources resources = one_api();
    resources.authentications.push_back(disabled_for("a"));
    resources.authentications.push_back(disabled_for("b"));
    resources.authentications[1].metadata.name = "off-b";
    resources.apis[0].base_path = "/x/v1";
    resources.apis[0].version = "v1";
    resources.apis.push_back(resources.apis[0]);
    resources.apis[1].metadata.name = "b";
    resources.apis[1].base_path = "/x/v2";
    resources.apis[1].version = "v2";
    EXPECT_EQ(findings_of(resources), "");
    // Both would be served without their version.
    resources.apis[0].is_default_version = true;
    resources.apis[1].is_default_version = true;
    EXPECT_NE(findings_of(resources).find("/x/ on any host is matched already"), std::string::npos);
}

}  // namespace
}  // namespace rotary::config
