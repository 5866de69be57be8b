#include <demo/check.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

// A demo that can't fail shows nothing: each check, held and broken.
namespace rotary::demo {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<std::string> kThree = {"a", "b", "c"};

Served by(const std::string& model) { return {200, model, "one", 1, model + "-x", {}}; }

// "abc": a call served by each of these models.
std::vector<Served> calls(std::string_view models) {
    std::vector<Served> list;
    for (const char model : models) list.push_back(by(std::string(1, model)));
    return list;
}

template <class Change>
std::vector<Served> with(std::vector<Served> list, std::size_t at, Change change) {
    change(list.at(at));
    return list;
}

struct Row {
    const char* name;
    Check check;
    bool held;
};

void expect_all(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        EXPECT_EQ(row.check.held, row.held) << row.name << ": " << row.check.came;
        EXPECT_EQ(row.check.expected.empty(), row.held) << row.name;
        EXPECT_EQ(row.check.came.empty(), row.held) << row.name;
    }
}

TEST(DemoCheck, SeesWhetherTurnsAreExact) {
    expect_all({
        {"one round", check_turns(calls("abc"), kThree, "-x"), true},
        {"three rounds", check_turns(calls("abcabcabc"), kThree, "-x"), true},
        {"begun elsewhere", check_turns(calls("cabca"), kThree, "-x"), true},
        {"nothing", check_turns({}, kThree, "-x"), false},
        {"too few", check_turns(calls("ab"), kThree, "-x"), false},
        {"twice in a row", check_turns(calls("abcaacbbc"), kThree, "-x"), false},
        {"right sums, wrong order", check_turns(calls("abccba"), kThree, "-x"), false},
        {"a stranger", check_turns(calls("abd"), kThree, "-x"), false},
        {"a suspended one", check_turns(calls("abcab"), {"a", "b"}, "-x"), false},
        {"an error",
         check_turns(with(calls("abc"), 1, [](Served& c) { c.status = 502; }), kThree, "-x"),
         false},
        {"a second attempt",
         check_turns(with(calls("abc"), 2, [](Served& c) { c.attempts = 2; }), kThree, "-x"),
         false},
        {"the body names another",
         check_turns(with(calls("abc"), 0, [](Served& c) { c.named = "b-x"; }), kThree, "-x"),
         false},
        {"the body was changed",
         check_turns(with(calls("abc"), 0, [](Served& c) { c.named = "a"; }), kThree, "-x"), false},
    });
}

Answer refusal(unsigned status, const std::string& code, bool challenge) {
    Answer answer{status, {}, R"({"error":{"message":"m","code":")" + code + R"("}})"};
    if (challenge) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
}

TEST(DemoCheck, SeesARefusal) {
    expect_all({
        {"as it should", check_refused(refusal(401, "invalid_token", true), "invalid_token"), true},
        {"another status", check_refused(refusal(403, "invalid_token", true), "invalid_token"),
         false},
        {"let in", check_refused({200, {}, "{}"}, "invalid_token"), false},
        {"another code", check_refused(refusal(401, "token_expired", true), "invalid_token"),
         false},
        {"no challenge", check_refused(refusal(401, "invalid_token", false), "invalid_token"),
         false},
        {"no JSON", check_refused({401, {{"www-authenticate", "Bearer"}}, "no"}, "invalid_token"),
         false},
    });
}

TEST(DemoCheck, SeesWhoServed) {
    expect_all({
        {"as it should", check_served_by(by("a"), "a", "one"), true},
        {"another model", check_served_by(by("b"), "a", "one"), false},
        {"another backend", check_served_by(by("a"), "a", "two"), false},
        {"an error",
         check_served_by({502, "a", "one", 1, {}, "upstream_connect_failed"}, "a", "one"), false},
        {"a second attempt", check_served_by({200, "a", "one", 2, {}, {}}, "a", "one"), false},
    });
}

StreamSeen stream(std::vector<StreamSeen::Event> events) { return {200, std::move(events)}; }

TEST(DemoCheck, SeesWhetherAStreamFlows) {
    const milliseconds gap(10);
    expect_all({
        {"event by event",
         check_stream(
             stream(
                 {{milliseconds(1), "{}"}, {milliseconds(11), "{}"}, {milliseconds(21), "[DONE]"}}),
             gap),
         true},
        {"late, but spread",
         check_stream(stream({{milliseconds(91), "{}"},
                              {milliseconds(95), "{}"},
                              {milliseconds(101), "[DONE]"}}),
                      gap),
         true},
        {"all at once",
         check_stream(stream({{milliseconds(21), "{}"},
                              {milliseconds(21), "{}"},
                              {milliseconds(21), "[DONE]"}}),
                      gap),
         false},
        {"cut off",
         check_stream(
             stream({{milliseconds(1), "{}"}, {milliseconds(11), "{}"}, {milliseconds(21), "{}"}}),
             gap),
         false},
        {"an end alone", check_stream(stream({{milliseconds(1), "[DONE]"}}), gap), false},
        {"nothing", check_stream(stream({}), gap), false},
        {"refused", check_stream({429, {}}, gap), false},
    });
}

TEST(DemoCheck, SeesFailoverAndSuspension) {
    const ModelState out{"production", "b", "one", "suspended", "rate_limited", 2};
    const auto changed = [&](auto change) {
        ModelState state = out;
        change(state);
        return std::optional(state);
    };
    expect_all({
        {"failed over", check_failed_over({200, "a", "one", 2, {}, {}}, "b"), true},
        {"at once", check_failed_over({200, "a", "one", 1, {}, {}}, "b"), false},
        {"the client saw it", check_failed_over({429, "a", "one", 2, {}, {}}, "b"), false},
        {"by the refused one", check_failed_over({200, "b", "one", 2, {}, {}}, "b"), false},
        {"by nobody", check_failed_over({200, "", "", 2, {}, {}}, "b"), false},
        {"suspended", check_suspended(out, seconds(2)), true},
        {"no such entry", check_suspended(std::nullopt, seconds(2)), false},
        {"still active", check_suspended(changed([](auto& s) { s.state = "active"; }), seconds(2)),
         false},
        {"for failing", check_suspended(changed([](auto& s) { s.reason = "failing"; }), seconds(2)),
         false},
        {"for too long", check_suspended(changed([](auto& s) { s.seconds_left = 3; }), seconds(2)),
         false},
        {"for no time", check_suspended(changed([](auto& s) { s.seconds_left = 0; }), seconds(2)),
         false},
        {"the state asked for", check_state(out, "suspended"), true},
        {"another state", check_state(out, "active"), false},
        {"no state", check_state(std::nullopt, "active"), false},
    });
}

mock::Captured request(mock::HeaderList headers, const std::string& body = "{}") {
    mock::Captured captured;
    captured.target = "/v1/chat/completions";
    captured.headers = std::move(headers);
    captured.body = body;
    return captured;
}

TEST(DemoCheck, SeesForeignKeys) {
    const std::string own = "Bearer one";
    const std::vector<std::string> secrets = {"e.y.J", "two"};
    const mock::Captured good = request({{"Host", "h"}, {"authorization", own}});
    expect_all({
        {"its own alone", check_keys({good, good}, own, secrets), true},
        {"nobody came", check_keys({}, own, secrets), false},
        {"no key", check_keys({good, request({{"Host", "h"}})}, own, secrets), false},
        {"the other's", check_keys({request({{"Authorization", "Bearer two"}})}, own, {}), false},
        {"both",
         check_keys({request({{"Authorization", own}, {"authorization", "Bearer two"}})}, own, {}),
         false},
        {"the token elsewhere",
         check_keys({request({{"Authorization", own}, {"X-Was", "Bearer e.y.J"}})}, own, secrets),
         false},
        {"the token in the body",
         check_keys({request({{"Authorization", own}}, R"({"t":"e.y.J"})")}, own, secrets), false},
    });
}

TEST(DemoCheck, AllOfGivesTheFirstThatFailed) {
    const Check held = all_of("all", {{}, {}});
    EXPECT_TRUE(held.held);
    EXPECT_EQ(held.claim, "all");
    const Check broken = all_of("all", {{}, {"", false, "x", "y"}, {"", false, "z", "w"}});
    EXPECT_FALSE(broken.held);
    EXPECT_EQ(broken.claim, "all");
    EXPECT_EQ(broken.expected, "x");
    EXPECT_EQ(broken.came, "y");
}

TEST(DemoCheck, ReadsModels) {
    const auto models = read_models(
        R"({"models":[{"env":"production","model":"a","backend":"one","state":"active"},)"
        R"({"env":"sandbox","model":"a","backend":"two","state":"suspended",)"
        R"("reason":"rate_limited","seconds_left":7}]})");
    ASSERT_EQ(models.size(), 2U);
    const auto found = find_model(models, "sandbox", "a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->backend, "two");
    EXPECT_EQ(found->reason, "rate_limited");
    EXPECT_EQ(found->seconds_left, 7);
    EXPECT_FALSE(find_model(models, "sandbox", "b"));
    EXPECT_TRUE(read_models("no json").empty());
    EXPECT_TRUE(read_models("[]").empty());
}

}  // namespace

}  // namespace rotary::demo
