#include <rotary/routing/cors.hpp>

#include <gtest/gtest.h>

namespace rotary::routing {
namespace {

TEST(Cors, OriginsAreComparedWhole) {
    config::CorsPolicy policy;
    policy.allow_origins = {"https://app.test", "http://localhost:3000"};
    const Cors cors(policy);
    EXPECT_TRUE(cors.allows("https://app.test"));
    EXPECT_TRUE(cors.allows("HTTPS://App.test"));
    for (const char* other : {"", "null", "https://app.test.evil", "https://app", "http://app.test",
                              "http://localhost:30000"}) {
        EXPECT_FALSE(cors.allows(other)) << other;
    }
    EXPECT_FALSE(cors.is_open());
    EXPECT_FALSE(Cors(config::CorsPolicy{}).allows("https://app.test"));
}

TEST(Cors, LinesSayWhatThePolicySays) {
    config::CorsPolicy policy;
    policy.allow_origins = {"*"};
    policy.allow_methods = {"GET", "POST"};
    policy.allow_headers = {"authorization", "content-type"};
    policy.expose_headers = {"x-rotary-model"};
    policy.max_age = std::chrono::seconds(600);
    const Cors open(policy);
    EXPECT_TRUE(open.is_open());
    EXPECT_EQ(open.answer_lines, "access-control-expose-headers: x-rotary-model\r\n");
    EXPECT_EQ(open.preflight_lines,
              "access-control-allow-methods: GET, POST\r\n"
              "access-control-allow-headers: authorization, content-type\r\n"
              "access-control-max-age: 600\r\n");
    policy.allow_credentials = true;
    policy.allow_methods = policy.allow_headers = {"*"};
    policy.max_age.reset();
    const Cors any(policy);
    EXPECT_FALSE(any.is_open()) << "with credentials the origin is named";
    EXPECT_TRUE(any.any_method && any.any_header);
    EXPECT_EQ(any.preflight_lines, "");
    EXPECT_TRUE(any.answer_lines.starts_with("access-control-allow-credentials: true\r\n"));
}

}  // namespace
}  // namespace rotary::routing
