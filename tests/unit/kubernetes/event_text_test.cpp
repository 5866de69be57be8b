// Events, as they are posted.
#include "kubernetes/event_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace rotary::kubernetes {
namespace {

using testing::StartsWith;
using namespace std::chrono_literals;

const Regarded kBackend{"dp.wso2.com/v1alpha2", "Backend", "shop", "openai", "u-1"};
constexpr WallTime kNow{1'772'600'767'123ms};  // 2026-03-04T05:06:07.123Z

config::Finding finding(config::Severity severity, const std::string& message) {
    return {severity, "Backend shop/openai", 0, 0, "spec.services", message};
}

TEST(EventText, NamesTheObjectByItsUid) {
    const EventText event =
        event_of(kBackend, finding(config::Severity::error, "must not be empty"), "gw-1", kNow);
    EXPECT_THAT(event.name, StartsWith("openai."));
    EXPECT_EQ(event.body,
              R"({"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":")" +
                  event.name +
                  R"(","namespace":"shop"},"eventTime":"2026-03-04T05:06:07.123000Z",)"
                  R"("type":"Warning","reason":"Invalid","action":"Load",)"
                  R"("note":"spec.services: must not be empty",)"
                  R"("reportingController":"rotary.dev/gateway","reportingInstance":"gw-1",)"
                  R"("regarding":{"apiVersion":"dp.wso2.com/v1alpha2","kind":"Backend",)"
                  R"("namespace":"shop","name":"openai","uid":"u-1"}})");
}

TEST(EventText, TheReasonIsTheSortOfTheFinding) {
    const auto reason = [](config::Severity severity, const std::string& message) {
        const std::string body = event_of(kBackend, finding(severity, message), "", kNow).body;
        const std::size_t at = body.find("\"reason\":\"") + 10;
        return body.substr(at, body.find('"', at) - at);
    };
    EXPECT_EQ(reason(config::Severity::error, "there is no Secret \"s\""), "ReferenceNotFound");
    EXPECT_EQ(reason(config::Severity::error, "must not be empty"), "Invalid");
    EXPECT_EQ(reason(config::Severity::warning, "is not served: x"), "NotServed");
    EXPECT_EQ(reason(config::Severity::warning, "has no value: 1 is taken"), "Noticed");
}

// Replicas that find the same make one Event of it.
TEST(EventText, TheSameNewsHaveTheSameNameForTenMinutes) {
    const config::Finding one = finding(config::Severity::error, "one");
    const std::string name = event_of(kBackend, one, "gw-1", kNow).name;
    EXPECT_EQ(event_of(kBackend, one, "gw-2", kNow + 1s).name, name);
    EXPECT_NE(event_of(kBackend, one, "gw-1", kNow + 10min).name, name);
    EXPECT_NE(event_of(kBackend, finding(config::Severity::error, "two"), "gw-1", kNow).name, name);
    Regarded again = kBackend;
    again.uid = "u-2";
    EXPECT_NE(event_of(again, one, "gw-1", kNow).name, name);
}

TEST(EventText, StaysWithinTheServersBounds) {
    Regarded object = kBackend;
    object.name = std::string(253, 'n');
    const EventText event =
        event_of(object, finding(config::Severity::error, std::string(5000, 'x')), "gw", kNow);
    EXPECT_EQ(event.name.size(), 253U);
    const std::size_t note = event.body.find("\"note\":\"") + 8;
    EXPECT_EQ(event.body.find('"', note) - note, 1024U);
}

TEST(WholeSeconds, AreRfc3339) { EXPECT_EQ(whole_seconds(kNow), "2026-03-04T05:06:07Z"); }

}  // namespace
}  // namespace rotary::kubernetes
