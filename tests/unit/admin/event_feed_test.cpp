// What is told of events: to those who listen, and to those who ask afterwards.
#include <rotary/admin/event_feed.hpp>

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::admin {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr WallTime kNoon{std::chrono::seconds{1'700'000'000}};

EventFeed feed_of(std::size_t events, std::size_t subscribers = 4) {
    EventFeed feed;
    feed.set_limits(events, subscribers);
    return feed;
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(EventFeed, AnEventIsKeptAndTold) {
    EventFeed feed = feed_of(10);
    std::vector<std::string> heard;
    feed.subscribe([&](std::string_view message) { heard.emplace_back(message); });
    feed.add("suspended", "chat/production/gpt-4o@openai", "quota, 60 s", kNoon);
    const std::string json = R"({"id":1,"time":"2023-11-14T22:13:20.000Z","kind":"suspended",)"
                             R"("what":"chat/production/gpt-4o@openai","detail":"quota, 60 s"})";
    EXPECT_THAT(heard, ElementsAre("id: 1\nevent: event\ndata: " + json + "\n\n"));
    EXPECT_EQ(feed.json(), "{\"events\":[" + json + "]}\n");
    EXPECT_EQ(feed.messages(), heard.front());
}

TEST(EventFeed, TheNewestStandFirstWhereTheyAreAskedForAndLastWhereTheyAreTold) {
    EventFeed feed = feed_of(10);
    for (const char* what : {"a", "b", "c"}) feed.add("resumed", what, "", kNoon);
    const std::string json = feed.json();
    EXPECT_LT(json.find("\"what\":\"c\""), json.find("\"what\":\"a\""));
    const std::string messages = feed.messages();
    EXPECT_LT(messages.find("\"what\":\"a\""), messages.find("\"what\":\"c\""));
}

TEST(EventFeed, OnlySoManyAreKept) {
    struct Row {
        const char* name;
        std::size_t most;
        std::size_t added;
        std::size_t kept;
    };
    for (const Row& row : {Row{"none", 0, 3, 0}, Row{"one", 1, 3, 1}, Row{"room left", 5, 3, 3},
                           Row{"just full", 3, 3, 3}, Row{"one too many", 3, 4, 3}}) {
        EventFeed feed = feed_of(row.most);
        for (std::size_t i = 0; i < row.added; ++i) feed.add("resumed", "x", "", kNoon);
        EXPECT_EQ(count_of(feed.json(), "\"id\":"), row.kept) << row.name;
        const std::string last = "\"id\":" + std::to_string(row.added) + ",";
        if (row.kept > 0) {
            EXPECT_THAT(feed.json(), HasSubstr(last)) << row.name;
        }
    }
}

TEST(EventFeed, ALowerLimitForgetsTheOldest) {
    EventFeed feed = feed_of(5);
    for (const char* what : {"a", "b", "c"}) feed.add("resumed", what, "", kNoon);
    feed.set_limits(1, 1);
    EXPECT_EQ(count_of(feed.json(), "\"id\":"), 1u);
    EXPECT_THAT(feed.json(), HasSubstr("\"what\":\"c\""));
}

// An end of line within the data would end it, and one within a name would begin another field.
TEST(EventFeed, WhatIsToldIsOneLineOfData) {
    EventFeed feed = feed_of(10);
    std::vector<std::string> heard;
    feed.subscribe([&](std::string_view message) { heard.emplace_back(message); });
    feed.tell("snapshot", "{\"status\":{\"ready\":true}\n,\"models\":{}\n}\n");
    EXPECT_THAT(heard, ElementsAre("event: snapshot\n"
                                   "data: {\"status\":{\"ready\":true} ,\"models\":{} }\n\n"));
    heard.clear();
    feed.add("reload failed", "a", "first\nevent: forged\r\nthird", kNoon);
    ASSERT_THAT(heard, SizeIs(1));
    EXPECT_EQ(count_of(heard.front(), "\n"), 4u) << heard.front();
    EXPECT_EQ(count_of(heard.front(), "\r"), 0u) << heard.front();
}

TEST(EventFeed, WhatIsOnlyToldIsNotKept) {
    EventFeed feed = feed_of(10);
    feed.tell("snapshot", "{}");
    EXPECT_THAT(feed.messages(), IsEmpty());
    EXPECT_EQ(feed.json(), "{\"events\":[]}\n");
}

TEST(EventFeed, ListenersComeAndGo) {
    EventFeed feed = feed_of(10, 2);
    EXPECT_FALSE(feed.is_heard());
    int first = 0;
    int second = 0;
    const auto one = feed.subscribe([&](std::string_view) { ++first; });
    EXPECT_TRUE(feed.is_heard());
    EXPECT_TRUE(feed.has_room());
    const auto other = feed.subscribe([&](std::string_view) { ++second; });
    EXPECT_FALSE(feed.has_room());
    feed.tell("snapshot", "{}");
    feed.unsubscribe(one);
    EXPECT_TRUE(feed.has_room());
    feed.add("draining", "x", "", kNoon);
    feed.unsubscribe(other);
    feed.add("draining", "x", "", kNoon);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
    EXPECT_FALSE(feed.is_heard());
}

}  // namespace

}  // namespace rotary::admin
