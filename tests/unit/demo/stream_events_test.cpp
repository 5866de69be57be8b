#include "demo/stream_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::demo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> data_of(const std::vector<StreamSeen::Event>& events) {
    std::vector<std::string> out;
    for (const auto& event : events) out.push_back(event.data);
    return out;
}

TEST(DemoStreamEvents, AreTakenWhole) {
    struct Row {
        const char* name;
        std::string pending;
        std::vector<std::string> taken;
        std::string left;
    };
    const Row rows[] = {
        {"nothing", "", {}, ""},
        {"half of one", "data: a", {}, "data: a"},
        {"one but for its end", "data: a\n", {}, "data: a\n"},
        {"one", "data: a\n\n", {"a"}, ""},
        {"two", "data: a\n\ndata: b\n\n", {"a", "b"}, ""},
        {"one and a half", "data: a\n\ndata: b", {"a"}, "data: b"},
        {"a comment", ": ping\n\n", {": ping"}, ""},
        {"no blank behind the colon", "data:a\n\n", {"data:a"}, ""},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        std::string pending = row.pending;
        std::vector<StreamSeen::Event> events;
        take_events(pending, 5ms, events);
        EXPECT_EQ(data_of(events), row.taken);
        EXPECT_EQ(pending, row.left);
        for (const auto& event : events) EXPECT_EQ(event.at, 5ms);
    }
}

TEST(DemoStreamEvents, KeepTheTimeAtWhichTheirEndCame) {
    std::string pending = "data: a\n\ndata: ";
    std::vector<StreamSeen::Event> events;
    take_events(pending, 1ms, events);
    take_events(pending.append("b\n\n"), 9ms, events);
    EXPECT_THAT(data_of(events), ElementsAre("a", "b"));
    EXPECT_EQ(events.front().at, 1ms);
    EXPECT_EQ(events.back().at, 9ms);
}

TEST(DemoStreamEvents, AddText) {
    struct Row {
        const char* name;
        const char* data;
        std::optional<std::string> text;
    };
    const Row rows[] = {
        {"a word", R"({"choices":[{"delta":{"content":" wheel"}}]})", " wheel"},
        {"an empty one", R"({"choices":[{"delta":{"content":""}}]})", ""},
        {"the last", R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", {}},
        {"of two the first", R"({"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]})",
         "a"},
        {"no choice", R"({"choices":[]})", {}},
        {"no choices", R"({"error":{"code":"x"}})", {}},
        {"a number", R"({"choices":[{"delta":{"content":7}}]})", {}},
        {"choices that are none", R"({"choices":7})", {}},
        {"no JSON", "[DONE]", {}},
        {"nothing", "", {}},
    };
    for (const Row& row : rows) EXPECT_EQ(delta_of(row.data), row.text) << row.name;
}

TEST(DemoStreamEvents, AreShownWhenTheyAddTextOrEndIt) {
    EXPECT_EQ(event_row({7ms, R"({"choices":[{"delta":{"content":"The"}}]})"}),
              "    7 ms  \"The\"");
    EXPECT_EQ(event_row({12345ms, "[DONE]"}), "12345 ms  [DONE]");
    EXPECT_THAT(event_row({7ms, R"({"choices":[{"delta":{"content":""}}]})"}), IsEmpty());
    EXPECT_THAT(event_row({7ms, R"({"choices":[{"delta":{}}]})"}), IsEmpty());
    EXPECT_THAT(event_row({7ms, ": ping"}), IsEmpty());
}

}  // namespace
}  // namespace rotary::demo
