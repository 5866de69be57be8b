// The paths under /__mock/: what came, told as JSON, and forgetting it.
#include "mock/answers.hpp"

#include <rotary/wire/json_document.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace rotary::mock {
namespace {

using testing::HasSubstr;

class MockControlTest : public testing::Test {
protected:
    Answer ask(const std::string& method, const std::string& target, HeaderList headers = {},
               std::string body = "") {
        auto request = std::make_shared<Captured>();
        request->method = method;
        request->target = target;
        request->headers = std::move(headers);
        request->body = std::move(body);
        request->connection = 3;
        request->received_on = std::chrono::system_clock::time_point(std::chrono::seconds(86400));
        return answers_.answer(request);
    }
    std::string told() { return ask("GET", "/__mock/requests").body; }

    State state_{MockOptions()};

private:
    Answers answers_{state_};
};

TEST_F(MockControlTest, TellsOfNothing) { EXPECT_EQ(told(), R"({"requests":[],"count":0})"); }

TEST_F(MockControlTest, TellsARequestAsItCame) {
    ask("POST", "/x?y=\"z\"", {{"Host", "a"}, {"X-Two", "1"}, {"X-Two", "2"}}, "line\n");
    EXPECT_EQ(told(), R"({"requests":[{"method":"POST","path":"/x?y=\"z\"",)"
                      R"("time":"1970-01-02T00:00:00.000Z","connection":3,)"
                      R"("headers":[["Host","a"],["X-Two","1"],["X-Two","2"]],)"
                      R"("body":"line\n","body_encoding":"utf-8"}],"count":1})");
}

TEST_F(MockControlTest, LosesNoByteThatIsNotUtf8) {
    ask("POST", "/x", {{"X-Raw", "\xff"}}, "a\x80\xe9");
    const std::string text = told();
    EXPECT_THAT(text, HasSubstr("[[\"X-Raw\",\"\xc3\xbf\"]]"));
    EXPECT_THAT(text, HasSubstr("\"body\":\"a\xc2\x80\xc3\xa9\",\"body_encoding\":\"latin-1\""));
    EXPECT_TRUE(wire::JsonDocument::parse(text));
}

TEST_F(MockControlTest, KeepsUtf8AsItIs) {
    ask("POST", "/x", {}, "\xe2\x82\xac");
    EXPECT_THAT(told(), HasSubstr("\"body\":\"\xe2\x82\xac\",\"body_encoding\":\"utf-8\""));
}

TEST_F(MockControlTest, KeepsTheOrderAndTellsTheCount) {
    ask("GET", "/1");
    ask("GET", "/2");
    const auto document = wire::JsonDocument::parse(told());
    ASSERT_TRUE(document);
    const auto requests = document->root().find("requests");
    ASSERT_TRUE(requests);
    ASSERT_EQ(requests->size(), 2U);
    EXPECT_EQ(requests->at(0)->find("path")->string(), "/1");
    EXPECT_EQ(requests->at(1)->find("path")->string(), "/2");
    EXPECT_EQ(document->root().find("count")->integer(), 2);
}

TEST_F(MockControlTest, ForgetsWhenItIsTold) {
    ask("GET", "/1");
    EXPECT_EQ(ask("POST", "/__mock/reset").body, R"({"reset":true})");
    EXPECT_EQ(told(), R"({"requests":[],"count":0})");
}

TEST_F(MockControlTest, IsNotRecordedItself) {
    told();
    ask("POST", "/__mock/x");
    EXPECT_EQ(state_.request_count(), 0U);
}

TEST_F(MockControlTest, TellsWhatAnswersUsed) {
    EXPECT_EQ(ask("GET", "/__mock/usage").body, R"({"models":[]})");
    MockUsage usage;
    usage.input = 7;
    usage.output = 16;
    usage.was_sent = true;
    for (const char* model : {"b", "a", "b"}) {
        usage.model = model;
        state_.record_usage(usage);
        usage.was_told = true;
    }
    usage.was_sent = false;
    state_.record_usage(usage);
    EXPECT_EQ(ask("GET", "/__mock/usage").body,
              R"({"models":[{"model":"a","answers":1,"told":1,"input_tokens":7,)"
              R"("output_tokens":16},{"model":"b","answers":2,"told":1,"input_tokens":14,)"
              R"("output_tokens":32}]})");
    EXPECT_TRUE(state_.usage().empty()) << "one by one they are kept where that is asked for";
    ask("POST", "/__mock/reset");
    EXPECT_EQ(ask("GET", "/__mock/usage").body, R"({"models":[]})");
}

TEST_F(MockControlTest, KnowsItsPathsAndTheirMethods) {
    struct Row {
        const char* method;
        const char* target;
        unsigned status;
    };
    const Row rows[] = {
        {"GET", "/__mock/requests", 200},  {"GET", "/__mock/requests?x=1", 200},
        {"POST", "/__mock/requests", 404}, {"GET", "/__mock/requests/", 404},
        {"POST", "/__mock/reset", 200},    {"GET", "/__mock/reset", 404},
        {"GET", "/__mock/usage", 200},     {"POST", "/__mock/usage", 404},
        {"GET", "/__mock/", 404},          {"DELETE", "/__mock/faults", 404},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(ask(row.method, row.target).status, row.status)
            << row.method << " " << row.target;
    }
    EXPECT_THAT(ask("GET", "/__mock/").body, HasSubstr("GET /__mock/requests"));
}

}  // namespace
}  // namespace rotary::mock
