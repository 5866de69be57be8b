// Streams whose first event takes its time: the head goes out all the same, and what then.
#include "fault_fixture.hpp"
#include "scripted_provider.hpp"

namespace rotary::test {
namespace {

using namespace std::chrono_literals;
using Link = ScriptedProvider::Link;

const std::string kComment = ": processing\n\n";

GatewayOptions options_of(const ScriptedProvider& provider, const FaultyProvider& other,
                          const std::string& process) {
    GatewayOptions options;
    options.workers = 1;
    options.backends = {provider.backend(), other.backend()};
    options.production = {{"a", 0}, {"b", 1}};
    options.process = process;
    return options;
}

constexpr const char* kShort = "timeouts: {stream_head_patience: 200ms}\n";

// The provider thinks until the client has the head, and says so or does not.
TEST(StreamHeadTest, GoesOutWithTheCommentsThatCameWhenNoEventDoes) {
    for (const bool says_so : {false, true}) {
        SCOPED_TRACE(says_so ? "comments" : "silence");
        std::atomic<bool> seen{false};
        const ScriptedProvider provider([&](Link& link) {
            link.read_request();
            link.write(kStreamHead);
            do {
                if (says_so) link.write(chunk_of(kComment));
            } while (link.pause(20ms) && !seen);
            for (const std::string& event : events_of(recorded_stream()))
                link.write(chunk_of(event));
            link.write("0\r\n\r\n");
            link.wait_until_gone();
        });
        const FaultyProvider other;
        const Gateway gateway(options_of(provider, other, kShort));
        TestClient client = gateway.connect();
        const auto begun = Clock::now();
        client.send(chat(kStreamed));
        ASSERT_EQ(client.read_head().status, 200U);
        EXPECT_GE(Clock::now() - begun, 200ms);
        if (says_so) {
            const auto comment = client.read_event();
            ASSERT_TRUE(comment);
            EXPECT_EQ(comment->text + "\n\n", kComment);
        }
        seen = true;
        std::string body;
        while (const auto piece = client.read_body_piece()) body += *piece;
        EXPECT_TRUE(body.ends_with(recorded_stream()));
        EXPECT_EQ(body.find("error"), std::string::npos);
        EXPECT_EQ(client.ending(), Ending::framed);
        EXPECT_EQ(other.request_count(), 0U);
        EXPECT_TRUE(all_settled(gateway));
        EXPECT_EQ(sum_of(gateway, "rotary_upstream_failures_total"), 0.0);
    }
}

TEST(StreamHeadTest, PingsFollowItBeforeAnyEvent) {
    std::atomic<bool> seen{false};
    const ScriptedProvider provider([&](Link& link) {
        link.read_request();
        link.write(kStreamHead);
        while (link.pause(20ms) && !seen) {
        }
        link.write(chunk_of("data: [DONE]\n\n") + "0\r\n\r\n");
        link.wait_until_gone();
    });
    const FaultyProvider other;
    const Gateway gateway(
        options_of(provider, other, std::string("routing: {stream_ping_seconds: 1}\n") + kShort));
    TestClient client = gateway.connect();
    client.send(chat(kStreamed));
    ASSERT_EQ(client.read_head().status, 200U);
    const auto ping = client.read_event();
    ASSERT_TRUE(ping);
    EXPECT_EQ(ping->text, ": ping");
    seen = true;
    auto last = client.read_event();
    while (last && last->text == ": ping") last = client.read_event();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->data(), "[DONE]");
}

// From the head on there is no other entry, and whatever goes wrong is told as an event.
TEST(StreamHeadTest, BehindItAFailureIsAnErrorEvent) {
    struct Row {
        const char* name;
        std::string more;  // before the end of the connection
    };
    const Row rows[] = {{"dies", ""},
                        {"in the first event", "1f\r\ndata: {\"choices"},
                        {"ends without an event", "0\r\n\r\n"}};
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        std::atomic<bool> seen{false};
        const ScriptedProvider provider([&](Link& link) {
            link.read_request();
            link.write(kStreamHead + chunk_of(kComment));
            while (link.pause(20ms) && !seen) {
            }
            link.write(row.more);
        });
        const FaultyProvider other;
        const Gateway gateway(options_of(provider, other, kShort));
        TestClient client = gateway.connect();
        client.send(chat(kStreamed));
        ASSERT_EQ(client.read_head().status, 200U);
        seen = true;
        std::string body;
        while (const auto piece = client.read_body_piece()) body += *piece;
        ASSERT_TRUE(body.starts_with(kComment));
        EXPECT_TRUE(is_interruption(body.substr(kComment.size()))) << body;
        EXPECT_EQ(client.ending(), Ending::cut);
        EXPECT_EQ(other.request_count(), 0U);
        EXPECT_TRUE(all_settled(gateway));
        EXPECT_EQ(failures(gateway, "production", "interrupted"), 1.0);
    }
}

}  // namespace
}  // namespace rotary::test
