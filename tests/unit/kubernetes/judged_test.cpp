// What has come of each object, of what settling has come to.
#include "kubernetes/judged.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rotary::kubernetes {
namespace {

using testing::ElementsAre;
using testing::Field;

void put(ObjectMap& map, const std::string& name, const std::string& text) {
    map[name] = std::make_shared<const KnownObject>(KnownObject{"uid of " + name, text});
}

config::Finding finding(config::Severity severity, const std::string& file,
                        const std::string& message) {
    return {severity, file, 0, 0, "spec", message};
}

constexpr const char* kApi = R"({"apiVersion":"dp.wso2.com/v1alpha3","kind":"API"})";
constexpr const char* kBackend = R"({"apiVersion":"dp.wso2.com/v1alpha2","kind":"Backend"})";
constexpr const char* kSecret = R"({"apiVersion":"v1","kind":"Secret"})";

TEST(Judge, NamesTheObjectAsTheServerHasIt) {
    ObjectMap now;
    put(now, "API shop/chat", kApi);
    Settled settled;
    settled.chosen = now;
    const std::vector<Judged> all = judge(now, settled);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].object.api_version, "dp.wso2.com/v1alpha3");
    EXPECT_EQ(all[0].object.kind, "API");
    EXPECT_EQ(all[0].object.name_space, "shop");
    EXPECT_EQ(all[0].object.name, "chat");
    EXPECT_EQ(all[0].object.uid, "uid of API shop/chat");
    EXPECT_EQ(all[0].target, "/apis/dp.wso2.com/v1alpha3/namespaces/shop/apis/chat");
    EXPECT_EQ(*all[0].text, kApi);
    EXPECT_EQ(all[0].verdict.outcome, Verdict::Outcome::live);
}

TEST(Judge, OfKindsWithoutAStatusOnlyFindingsAreTold) {
    ObjectMap now;
    put(now, "Backend default/good", kBackend);
    put(now, "Backend default/warned", kBackend);
    put(now, "Secret default/wrong", kSecret);
    Settled settled;
    settled.chosen = now;
    settled.loaded.findings = {
        finding(config::Severity::warning, "Backend default/warned", "is not served: x")};
    settled.findings = {finding(config::Severity::error, "Secret default/wrong", "not valid")};
    const std::vector<Judged> all = judge(now, settled);
    EXPECT_THAT(all,
                ElementsAre(Field(&Judged::target,
                                  "/apis/dp.wso2.com/v1alpha2/namespaces/"
                                  "default/backends/warned"),
                            Field(&Judged::target, "/api/v1/namespaces/default/secrets/wrong")));
}

TEST(Judge, WhatIsHeldServesByAnEarlierVersionOrNotAtAll) {
    ObjectMap now;
    put(now, "API default/held", kApi);
    put(now, "API default/new", kApi);
    Settled settled;
    put(settled.chosen, "API default/held", "an earlier one");
    settled.held = {{"API default/held", "x"}, {"API default/new", "x"}};
    settled.findings = {finding(config::Severity::error, "API default/held", "is wrong")};
    const std::vector<Judged> all = judge(now, settled);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].verdict.outcome, Verdict::Outcome::held);
    ASSERT_EQ(all[0].verdict.findings.size(), 1U);
    EXPECT_EQ(all[0].verdict.findings[0].message, "is wrong");
    EXPECT_EQ(all[1].verdict.outcome, Verdict::Outcome::left_out);
}

}  // namespace
}  // namespace rotary::kubernetes
