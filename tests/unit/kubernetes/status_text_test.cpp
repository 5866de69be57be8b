// What is written to the status of an object, against what is there.
#include "kubernetes/status_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rotary::kubernetes {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kNow = "2026-03-04T05:06:07Z";

config::Finding error(const std::string& path, const std::string& message) {
    return {config::Severity::error, "HTTPRoute default/r", 0, 0, path, message};
}

config::Finding warning(const std::string& path, const std::string& message) {
    return {config::Severity::warning, "HTTPRoute default/r", 0, 0, path, message};
}

using Function = std::optional<std::string> (*)(wire::JsonValue, const Verdict&, std::string_view);

// Empty: there is nothing to be written.
std::string patch_of(Function status, const std::string& object, const Verdict& verdict) {
    const auto document = wire::JsonDocument::parse(object);
    EXPECT_TRUE(document.has_value()) << object;
    return document ? status(document->root(), verdict, kNow).value_or("") : "no JSON";
}

// A merge patch replaces a list, so the object after it has the patch's.
std::string after(const std::string& patch, const std::string& head) {
    const std::string status = patch.substr(patch.find("\"status\":"));
    return head + "," + status;
}

constexpr const char* kRoute =
    R"({"metadata":{"name":"r","namespace":"default","generation":3,"resourceVersion":"41"},)"
    R"("spec":{"parentRefs":[{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"g"}]})";

std::string route(const std::string& status = "") { return kRoute + status + "}"; }

TEST(RouteStatus, ThreeConditionsAreWrittenForEachParent) {
    EXPECT_EQ(patch_of(route_status, route(), {}),
              R"({"metadata":{"resourceVersion":"41"},"status":{"parents":[{)"
              R"("parentRef":{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"g"},)"
              R"("controllerName":"rotary.dev/gateway","conditions":[)"
              R"({"type":"Accepted","status":"True","reason":"Accepted","message":"",)"
              R"("observedGeneration":3,"lastTransitionTime":"2026-03-04T05:06:07Z"},)"
              R"({"type":"ResolvedRefs","status":"True","reason":"ResolvedRefs","message":"",)"
              R"("observedGeneration":3,"lastTransitionTime":"2026-03-04T05:06:07Z"},)"
              R"({"type":"Programmed","status":"True","reason":"Programmed",)"
              R"("message":"every worker serves by it","observedGeneration":3,)"
              R"("lastTransitionTime":"2026-03-04T05:06:07Z"}]}]}})");
}

TEST(RouteStatus, WhatIsSaidAlreadyIsNotSaidAgain) {
    const std::string there = after(patch_of(route_status, route(), {}), kRoute);
    EXPECT_EQ(patch_of(route_status, there, {}), "");
}

TEST(RouteStatus, WithoutParentsThereIsNoPlaceForIt) {
    EXPECT_EQ(patch_of(route_status, R"({"metadata":{"name":"r"},"spec":{}})", {}), "");
    EXPECT_EQ(patch_of(route_status, R"({"metadata":{"name":"r"},"spec":{"parentRefs":[]}})", {}),
              "");
}

TEST(RouteStatus, AMistakeOfItsOwnIsAnUnsupportedValue) {
    const std::string patch =
        patch_of(route_status, route(),
                 {Verdict::Outcome::held,
                  {error("spec.rules[0].matches[0].path.value", "must begin with '/'")}});
    EXPECT_THAT(
        patch,
        HasSubstr(R"("type":"Accepted","status":"False","reason":"UnsupportedValue",)"
                  R"("message":"spec.rules[0].matches[0].path.value: must begin with '/'")"));
    EXPECT_THAT(patch, HasSubstr(R"("type":"ResolvedRefs","status":"True")"));
    EXPECT_THAT(
        patch,
        HasSubstr(R"("type":"Programmed","status":"False","reason":"Invalid",)"
                  R"("message":"the version that was good before it goes on being served")"));
}

TEST(RouteStatus, ABackendThatIsNotThereIsAReferenceAlone) {
    const std::string patch =
        patch_of(route_status, route(),
                 {Verdict::Outcome::left_out,
                  {error("spec.rules[0].backendRefs[0].name", "there is no Backend \"b\"")}});
    EXPECT_THAT(patch, HasSubstr(R"("type":"Accepted","status":"True","reason":"Accepted")"));
    EXPECT_THAT(
        patch,
        HasSubstr(R"("type":"ResolvedRefs","status":"False","reason":"BackendNotFound",)"
                  R"("message":"spec.rules[0].backendRefs[0].name: there is no Backend \"b\"")"));
    EXPECT_THAT(patch, HasSubstr(R"("type":"Programmed","status":"False","reason":"Invalid",)"
                                 R"("message":"it is not served")"));
}

TEST(RouteStatus, AWarningIsToldWithWhatIsAccepted) {
    EXPECT_THAT(
        patch_of(route_status, route(),
                 {Verdict::Outcome::live, {warning("spec.rules[0].timeouts", "is not served")}}),
        HasSubstr(R"("reason":"Accepted","message":"spec.rules[0].timeouts: is not served")"));
}

// The list is one value to the API server: what is left out of a patch is gone.
TEST(RouteStatus, OtherControllersEntriesAreRepeatedAsTheyAre) {
    const std::string other =
        R"({"parentRef":{"name":"g"},"controllerName":"example.com/other","conditions":[)"
        R"({"type":"Accepted","status":"True","more":{"a":[1,2.50,null,true]}}]})";
    const std::string patch =
        patch_of(route_status, route(R"(,"status":{"parents":[)" + other + "]}"), {});
    EXPECT_THAT(patch, HasSubstr(R"("parents":[)" + other + R"(,{"parentRef")"));
}

TEST(RouteStatus, AConditionThatStaysKeepsItsTime) {
    const Verdict wrong{Verdict::Outcome::held, {error("spec.rules", "must not be empty")}};
    std::string there = after(patch_of(route_status, route(), {}), kRoute);
    const std::string old = "2020-01-01T00:00:00Z";
    for (std::size_t at = there.find(kNow); at != std::string::npos; at = there.find(kNow)) {
        there.replace(at, old.size(), old);
    }
    const std::string patch = patch_of(route_status, there, wrong);
    EXPECT_THAT(patch,
                HasSubstr(R"("message":"spec.rules: must not be empty","observedGeneration":3,)"
                          R"("lastTransitionTime":"2026-03-04T05:06:07Z")"));
    EXPECT_THAT(patch, HasSubstr(R"("reason":"ResolvedRefs","message":"","observedGeneration":3,)"
                                 R"("lastTransitionTime":"2020-01-01T00:00:00Z")"));
}

TEST(RouteStatus, ANewGenerationIsSaidToBeSeen) {
    std::string there = after(patch_of(route_status, route(), {}), kRoute);
    there.replace(there.find("\"generation\":3"), 14, "\"generation\":4");
    EXPECT_THAT(patch_of(route_status, there, {}), HasSubstr("\"observedGeneration\":4"));
}

TEST(RouteStatus, AnEntryOfAParentThatIsNamedNoMoreGoes) {
    std::string there = after(patch_of(route_status, route(), {}), kRoute);
    const std::string spec = there.substr(0, there.find(",\"status\""));
    std::string moved = spec;
    moved.replace(moved.find("\"name\":\"g\"}]"), 10, "\"name\":\"h\"");
    const std::string patch =
        patch_of(route_status, moved + there.substr(there.find(",\"status\"")), {});
    EXPECT_THAT(patch, HasSubstr(R"("name":"h"})"));
    EXPECT_THAT(patch, Not(HasSubstr(R"("name":"g"})")));
}

// Names of a parent that are left out have defaults; a section is another parent.
TEST(RouteStatus, ParentsAreComparedAsTheyAreMeant) {
    const std::string status =
        R"(,"status":{"parents":[{"parentRef":{"name":"g","namespace":"default"},)"
        R"("controllerName":"rotary.dev/gateway","conditions":[{"type":"Accepted","status":"True",)"
        R"("lastTransitionTime":"2020-01-01T00:00:00Z"}]}]})";
    const std::string same = patch_of(route_status, route(status), {});
    EXPECT_THAT(same, HasSubstr("2020-01-01T00:00:00Z"));
    std::string section = route(status);
    section.replace(section.find("\"name\":\"g\"}]"), 10, "\"name\":\"g\",\"sectionName\":\"s\"");
    EXPECT_THAT(patch_of(route_status, section, {}), Not(HasSubstr("2020-01-01T00:00:00Z")));
}

constexpr const char* kApi =
    R"({"metadata":{"name":"a","namespace":"default","resourceVersion":"7"},"spec":{})";

TEST(ApiStatus, SaysWhatHasBecomeOfIt) {
    EXPECT_EQ(
        patch_of(api_status, kApi + std::string("}"), {}),
        R"({"metadata":{"resourceVersion":"7"},"status":{"deploymentStatus":{"accepted":true,)"
        R"("status":"Deployed","message":"every worker serves by it","events":[],)"
        R"("transitionTime":"2026-03-04T05:06:07Z"}}})");
    EXPECT_THAT(
        patch_of(api_status, kApi + std::string("}"),
                 {Verdict::Outcome::left_out, {error("spec.basePath", "is required")}}),
        HasSubstr(R"("accepted":false,"status":"Invalid","message":"spec.basePath: is required")"));
    EXPECT_THAT(
        patch_of(api_status, kApi + std::string("}"),
                 {Verdict::Outcome::held, {error("spec.basePath", "is required")}}),
        HasSubstr(R"("accepted":false,"status":"Held","message":"spec.basePath: is required; )"
                  R"(the version that was good before it goes on being served")"));
    EXPECT_THAT(patch_of(api_status, kApi + std::string("}"),
                         {Verdict::Outcome::live, {warning("spec.systemAPI", "is not served: x")}}),
                HasSubstr(R"("events":["spec.systemAPI: is not served: x"])"));
}

TEST(ApiStatus, WhatIsSaidAlreadyIsNotSaidAgain) {
    const Verdict warned{Verdict::Outcome::live, {warning("spec.systemAPI", "is not served: x")}};
    for (const Verdict& verdict : {Verdict{}, warned}) {
        const std::string there =
            after(patch_of(api_status, kApi + std::string("}"), verdict), kApi);
        EXPECT_EQ(patch_of(api_status, there, verdict), "");
    }
}

TEST(ApiStatus, TheTimeIsThatOfTheStateNotOfItsWords) {
    const std::string there =
        kApi + std::string(R"(,"status":{"deploymentStatus":{"accepted":true,"status":"Deployed",)"
                           R"("message":"m","transitionTime":"2020-01-01T00:00:00Z"}}})");
    EXPECT_THAT(patch_of(api_status, there, {}), HasSubstr("2020-01-01T00:00:00Z"));
    EXPECT_THAT(patch_of(api_status, there, {Verdict::Outcome::held, {error("spec", "x")}}),
                HasSubstr(kNow));
}

TEST(Said, AFewOfManyFindings) {
    std::vector<config::Finding> many(11, error("spec", "x"));
    many.push_back(warning("spec", "w"));
    const std::string text = said(many, config::Severity::error);
    EXPECT_THAT(text, HasSubstr("; and 3 more"));
    EXPECT_THAT(text, Not(HasSubstr("w")));
}

TEST(Said, IsCutBetweenLetters) {
    const config::Finding finding = error("", "äöüäöü");  // two bytes each
    EXPECT_EQ(said(finding, 12), "äöüäöü");
    EXPECT_EQ(said(finding, 11), "äöüä...");
    EXPECT_EQ(said(finding, 10), "äöü...");
}

}  // namespace
}  // namespace rotary::kubernetes
