// What `rotary top` draws of three answers of the admin listener.
#include "tools/top_screen.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::tools {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kStatus =
    R"({"ready":true,"draining":false,"uptime_seconds":61,"generation":3,"in_flight":2,)"
    R"("last_reload":"ok","last_reload_ok":true,"requests_per_second":12.34,)"
    R"("overhead_p50_us":90,"overhead_p99_us":800,"client_errors_percent":1.5,)"
    R"("server_errors_percent":0.25})";

std::string model(const std::string& name, const std::string& more) {
    return R"({"id":"chat/production/)" + name +
           R"(@one","api":"chat","env":"production","model":")" + name +
           R"(","backend":"one","tokens_per_minute":7,)" + more + "}";
}

TopSnapshot snapshot() {
    TopSnapshot out;
    out.status = kStatus;
    out.models = R"({"models":[)" +
                 model("few", R"("weight":3,"share":0.5,"requests":10,"state":"active",)"
                              R"("latency_p50_ms":12.4,"latency_p95_ms":80.6)") +
                 "," + model("many", R"("weight":1,"share":0.4,"requests":900,"state":"active")") +
                 "," +
                 model("gone", R"("weight":0,"share":0.1,"requests":5,"state":"suspended",)"
                               R"("seconds_left":42,"reason":"rate_limited")") +
                 "]}\n";
    out.requests =
        R"({"requests":[{"time":"T1","status":200,"model":"few","attempts":1,"duration_ms":5.5},)"
        R"({"time":"T2","status":429,"client_model":"x","attempts":0,"duration_ms":0.1,)"
        R"("consumer":"team-a","error":"cost_budget_exceeded"}]})";
    return out;
}

std::string drawn(const TopSnapshot& of, const TopView& view = {}, bool colour = false) {
    std::string all;
    for (const std::string& line : top_lines(of, view, {colour})) all.append(line).append("\n");
    return all;
}

std::size_t columns_of(std::string_view line) {
    std::size_t columns = 0;
    bool in_escape = false;
    for (const char c : line) {
        if (c == '\x1b') in_escape = true;
        if (!in_escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++columns;
        if (in_escape && c == 'm') in_escape = false;
    }
    return columns;
}

TEST(TopScreen, TellsHowItIs) {
    TopView view;
    view.width = 160;
    const std::string screen = drawn(snapshot(), view);
    for (const char* part :
         {"rotary ready", "up 61s", "configuration #3", "in flight 2", "12.3 req/s",
          "overhead p50 90 p99 800 us", "4xx 1.5% 5xx 0.2%", "chat/production", "75.0%", "50.0%",
          "suspended 42s rate_limited", "P50 MS", " 12 ", " 81 "}) {
        EXPECT_THAT(screen, HasSubstr(part));
    }
    EXPECT_THAT(screen, Not(HasSubstr("\x1b"))) << "no colour was asked for";
    EXPECT_THAT(screen, Not(HasSubstr("reload")));
}

TEST(TopScreen, TheHeadSaysWhatIsNotRight) {
    struct Row {
        const char* name;
        const char* from;
        const char* to;
        const char* says;
    };
    for (const Row& row :
         {Row{"not ready", "\"ready\":true", "\"ready\":false", "rotary not ready"},
          Row{"draining", "\"draining\":false", "\"draining\":true", "rotary draining"},
          Row{"failed reload", "\"last_reload\":\"ok\",\"last_reload_ok\":true",
              "\"last_reload\":\"a.yaml:3:1: error\",\"last_reload_ok\":false",
              "the last reload failed: a.yaml:3:1: error"}}) {
        TopSnapshot of = snapshot();
        of.status.replace(of.status.find(row.from), std::string_view(row.from).size(), row.to);
        EXPECT_THAT(drawn(of), HasSubstr(row.says)) << row.name;
    }
    TopView paused;
    paused.width = 160;
    paused.paused = true;
    EXPECT_THAT(drawn(snapshot(), paused), HasSubstr("PAUSED"));
}

TEST(TopScreen, OneOfSeveralSaysSo) {
    const auto with_fleet = [](const std::string& fleet) {
        TopSnapshot of = snapshot();
        of.status.pop_back();
        of.status += R"(,"fleet":{"replicas":3,"redis":"redis:6379",)" + fleet + "}}";
        TopView view;
        view.width = 160;
        return drawn(of, view);
    };
    EXPECT_THAT(drawn(snapshot()), Not(HasSubstr("Redis")));
    EXPECT_THAT(with_fleet(R"("state":"connected","since":"T1","last_error":"")"),
                HasSubstr("3 replicas, Redis redis:6379 connected"));
    EXPECT_THAT(with_fleet(R"("state":"away","since":"T1","last_error":"refused")"),
                HasSubstr("on its own: Redis redis:6379 away since T1: refused"));
    EXPECT_THAT(with_fleet(R"("state":"slow","since":"T1","last_error":"")"),
                HasSubstr("on its own: Redis redis:6379 slow since T1"));
}

TEST(TopScreen, NoLineIsWiderThanTheView) {
    for (const bool colour : {false, true}) {
        for (const std::size_t width : {20U, 40U, 80U, 100U, 123U, 300U}) {
            TopView view;
            view.width = width;
            view.note = std::string(400, 'n');
            view.only_errors = false;
            for (const std::string& line : top_lines(snapshot(), view, {colour})) {
                EXPECT_LE(columns_of(line), width) << line;
            }
        }
    }
}

TEST(TopScreen, AScreenIsAsHighAsItIs) {
    for (const std::size_t height : {4U, 10U, 60U}) {
        TopView view;
        view.height = height;
        view.note = "q quit";
        const auto lines = top_lines(snapshot(), view, {});
        EXPECT_THAT(lines, SizeIs(height));
        EXPECT_THAT(lines.back(), StartsWith("q quit"));
    }
}

TEST(TopScreen, ModelsStandInTheOrderOfTheView) {
    const auto ids = [](TopOrder order) {
        std::vector<std::string> names;
        for (const std::string& id : top_ids(snapshot(), order)) {
            names.push_back(id.substr(16, id.find('@') - 16));
        }
        return names;
    };
    EXPECT_THAT(ids(TopOrder::as_configured), ElementsAre("few", "many", "gone"));
    EXPECT_THAT(ids(TopOrder::requests), ElementsAre("many", "few", "gone"));
    EXPECT_THAT(ids(TopOrder::state), ElementsAre("gone", "few", "many"));
    TopView view;
    view.order = TopOrder::requests;
    const std::string screen = drawn(snapshot(), view);
    EXPECT_LT(screen.find("many"), screen.find("few"));
}

TEST(TopScreen, RequestsAreErrorsOrAll) {
    TopView view;
    EXPECT_THAT(drawn(snapshot(), view), HasSubstr("LAST ERRORS"));
    EXPECT_THAT(drawn(snapshot(), view), HasSubstr("429  x  tries 0  0.1 ms  team-a"));
    EXPECT_THAT(drawn(snapshot(), view), Not(HasSubstr("T1")));
    view.only_errors = false;
    EXPECT_THAT(drawn(snapshot(), view), HasSubstr("LAST REQUESTS"));
    EXPECT_THAT(drawn(snapshot(), view), HasSubstr("T1  200  few"));
}

TEST(TopScreen, TheChosenRowStandsOut) {
    TopView view;
    view.shows_choice = true;
    view.chosen = 1;
    for (const std::string& line : top_lines(snapshot(), view, {true})) {
        const bool is_chosen = line.find("\x1b[7m") != std::string::npos;
        EXPECT_EQ(is_chosen, line.find("many") != std::string::npos) << line;
    }
}

// Names come from clients: none of them may be a command to the terminal.
TEST(TopScreen, ControlCharactersAreShownAsNone) {
    struct Row {
        const char* name;
        const char* json;
        const char* shown;
    };
    for (const Row& row :
         {Row{"escape", R"(a\u001b[2Jb)", "a?[2Jb"}, Row{"bell", R"(a\u0007b)", "a?b"},
          Row{"line feed", R"(a\nb)", "a?b"}, Row{"delete", R"(a\u007fb)", "a?b"},
          Row{"C1's escape", R"(a\u009b2Jb)", "a?2Jb"},
          Row{"a letter", R"(a\u00e9b)", "a\u00e9b"}}) {
        TopSnapshot of = snapshot();
        of.requests = std::string(R"({"requests":[{"status":429,"client_model":")") + row.json +
                      R"(","attempts":0}]})";
        EXPECT_THAT(drawn(of), HasSubstr(row.shown)) << row.name;
    }
}

TEST(TopScreen, WhatIsNoAnswerIsSaid) {
    TopSnapshot of = snapshot();
    of.models = "<html>";
    EXPECT_THAT(top_lines(of, {}, {}), ElementsAre("what answered is no admin listener"));
    EXPECT_THAT(top_ids(of, TopOrder::state), IsEmpty());
    of = snapshot();
    of.requests = "";
    EXPECT_THAT(drawn(of), Not(HasSubstr("LAST"))) << "the rest is shown all the same";
}

// Who types fast has several read at once.
TEST(TopKeys, AreTakenOneByOne) {
    struct Row {
        const char* name;
        std::string_view typed;
        std::vector<std::string> keys;
    };
    for (const Row& row :
         {Row{"nothing", "", {}}, Row{"a letter", "q", {"q"}},
          Row{"the same twice", "jj", {"j", "j"}}, Row{"an arrow", "\x1b[A", {"\x1b[A"}},
          Row{"arrows and letters",
              "\x1b[B\x1b[Bs\x1b[Aq",
              {"\x1b[B", "\x1b[B", "s", "\x1b[A", "q"}},
          Row{"with parameters", "\x1b[1;5Bq", {"\x1b[1;5B", "q"}},
          Row{"cut off", "\x1b[1", {"\x1b[1"}}, Row{"escape alone", "\x1b", {"\x1b"}},
          Row{"escape and a letter", "\x1bq", {"\x1b", "q"}}}) {
        std::vector<std::string> keys;
        std::string_view rest = row.typed;
        while (!rest.empty()) keys.emplace_back(take_key(rest));
        EXPECT_EQ(keys, row.keys) << row.name;
    }
}

TEST(TopScreen, AsJsonItIsOneObject) {
    const std::string json = top_json({"{\"a\":1}\n", "{\"b\":2}\n", ""});
    EXPECT_THAT(json, HasSubstr(R"("status":{"a":1},"models":{"b":2})"));
    EXPECT_THAT(json, HasSubstr("null"));
}

}  // namespace

}  // namespace rotary::tools
