#include "demo/calls.hpp"

#include "demo/stage.hpp"

#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rotary::demo {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DemoChatCall, NamesHostTargetAndToken) {
    const Call call = chat_call("h", "a.b.c", false);
    EXPECT_EQ(call.method, "POST");
    EXPECT_EQ(call.host, "h");
    EXPECT_EQ(call.target, kTarget);
    const mock::HeaderList headers = {{"Content-Type", "application/json"},
                                      {"Authorization", "Bearer a.b.c"}};
    EXPECT_EQ(call.headers, headers);
}

TEST(DemoChatCall, WithoutATokenHasNoAuthorization) {
    const Call call = chat_call("h", "", false);
    ASSERT_EQ(call.headers.size(), 1U);
    EXPECT_EQ(call.headers[0].first, "Content-Type");
}

TEST(DemoChatCall, AsksForAStreamWhenToldTo) {
    for (const bool streams : {false, true}) {
        const auto body = wire::JsonDocument::parse(chat_call("h", "t", streams).body);
        ASSERT_TRUE(body);
        EXPECT_EQ(body->root().find("model")->string(), "whatever");
        EXPECT_EQ(body->root().find("messages")->size(), 1U);
        const auto stream = body->root().find("stream");
        EXPECT_EQ(stream.has_value(), streams);
        if (stream) {
            EXPECT_EQ(stream->boolean(), true);
        }
    }
}

TEST(DemoForgedToken, DiffersInTheFirstCharacterOfItsSignature) {
    const std::pair<const char*, const char*> rows[] = {
        {"h.p.sig", "h.p.Aig"},
        {"h.p.Aig", "h.p.Big"},
        {"A.A.A", "A.A.B"},
        {"sig", "Aig"},
    };
    for (const auto& [token, other] : rows) EXPECT_EQ(forged(token), other);
}

TEST(DemoCurlLine, IsACommandThatAShellTakes) {
    EXPECT_EQ(curl_line(9095, "/tmp/x/ca.crt", "a.b.c"),
              "curl -i --cacert '/tmp/x/ca.crt' "
              "--resolve default.gw.wso2.com:9095:127.0.0.1 \\\n"
              "  https://default.gw.wso2.com:9095/chat-service-prod-sand/1.0/chat/completions \\\n"
              "  -H 'Authorization: Bearer a.b.c' \\\n"
              "  -H 'Content-Type: application/json' \\\n"
              "  -d '{\"model\": \"any\", "
              "\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'");
}

}  // namespace
}  // namespace rotary::demo
