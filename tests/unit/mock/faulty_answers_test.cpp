// What goes wrong with an answer, told by the test or by the request's own x-mock-fault.
#include "mock/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

namespace rotary::mock {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kUncut = std::numeric_limits<std::uint64_t>::max();

std::shared_ptr<const Captured> chat(const std::string& fault = "",
                                     const std::string& model = "m") {
    auto request = std::make_shared<Captured>();
    request->method = "POST";
    request->target = "/v1/chat/completions";
    request->body = R"({"model":")" + model + "\"}";
    if (!fault.empty()) request->headers = {{"X-Mock-Fault", fault}};
    return request;
}

class MockFaultyAnswersTest : public testing::Test {
protected:
    Answer ask(const std::string& fault = "", const std::string& model = "m") {
        return answers_.answer(chat(fault, model));
    }

    State state_{MockOptions()};

private:
    Answers answers_{state_};
};

TEST_F(MockFaultyAnswersTest, ACutAnswerIsTheRegularOneUpToThere) {
    struct Row {
        const char* fault;
        End end;
        std::uint64_t cut_at;
    };
    const Row rows[] = {
        {"reset", End::reset, 0},         {"reset=7", End::reset, 7},
        {"stall", End::stall, 0},         {"stall=8", End::stall, 8},
        {"close-after=9", End::fin, 9},   {"truncate=10", End::truncate, 10},
        {"truncate=0", End::truncate, 0},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.fault);
        const Answer answer = ask(row.fault);
        EXPECT_EQ(answer.status, 200U);
        EXPECT_THAT(answer.body, HasSubstr("chat.completion"));
        EXPECT_EQ(answer.end, row.end);
        EXPECT_EQ(answer.cut_at, row.cut_at);
        EXPECT_FALSE(answer.bare);
    }
}

TEST_F(MockFaultyAnswersTest, ASlowHeadIsNothingButSlow) {
    const Answer answer = ask("slow-head=250ms");
    EXPECT_EQ(answer.delay, 250ms);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.end, End::keep_alive);
    EXPECT_EQ(answer.cut_at, kUncut);
}

TEST_F(MockFaultyAnswersTest, AStatusIsAnErrorOfThatStatus) {
    const Answer answer = ask("status=503");
    EXPECT_EQ(answer.status, 503U);
    EXPECT_THAT(answer.body, HasSubstr("server_is_overloaded"));
    EXPECT_EQ(answer.end, End::keep_alive);
}

TEST_F(MockFaultyAnswersTest, GarbageAndRawBytesHaveNoHead) {
    const Answer garbage = ask("garbage");
    EXPECT_TRUE(garbage.bare);
    EXPECT_EQ(garbage.end, End::fin);
    EXPECT_THAT(garbage.body, Not(HasSubstr("HTTP/1")));
    state_.set_fault("m", MockFault::raw("HTTP/1.1 200 OK\r\n\r\n"), 1);
    const Answer raw = ask();
    EXPECT_TRUE(raw.bare);
    EXPECT_EQ(raw.body, "HTTP/1.1 200 OK\r\n\r\n");
}

TEST_F(MockFaultyAnswersTest, ACannedAnswerHasItsOwnHeadersAlone) {
    state_.set_fault("m", MockFault::canned(302, {{"Location", "/x"}, {"Set-Cookie", "a=b"}}, "go"),
                     1);
    const Answer answer = ask();
    EXPECT_EQ(answer.status, 302U);
    EXPECT_EQ(answer.header_lines, "Location: /x\r\nSet-Cookie: a=b\r\n");
    EXPECT_EQ(answer.body, "go");
    EXPECT_EQ(ask().status, 200U);
}

TEST_F(MockFaultyAnswersTest, TheRequestsOwnGoesBeforeTheTests) {
    state_.set_fault("m", MockFault::reset(), 1);
    EXPECT_EQ(ask("stall").end, End::stall);
    EXPECT_EQ(ask().end, End::reset);
    EXPECT_EQ(ask().end, End::keep_alive);
}

TEST_F(MockFaultyAnswersTest, OfAModelMeetsThatModel) {
    state_.set_fault("n", MockFault::reset(), MockProvider::kAlways);
    EXPECT_EQ(ask("", "m").end, End::keep_alive);
    EXPECT_EQ(ask("", "n").end, End::reset);
}

TEST_F(MockFaultyAnswersTest, OneThatIsNotKnownIsToldOf) {
    const Answer answer = ask("explode");
    EXPECT_EQ(answer.status, 400U);
    EXPECT_THAT(answer.body, HasSubstr("unknown_fault"));
    EXPECT_EQ(answer.end, End::keep_alive);
}

TEST_F(MockFaultyAnswersTest, OtherPathsMeetTheOneForAny) {
    state_.set_fault("*", MockFault::answer_status(500), 1);
    auto request = std::make_shared<Captured>();
    request->method = "GET";
    request->target = "/v1/models";
    Answers answers(state_);
    EXPECT_EQ(answers.answer(request).status, 500U);
    EXPECT_EQ(answers.answer(request).status, 200U);
}

}  // namespace
}  // namespace rotary::mock
