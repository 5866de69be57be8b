// What `rotary explain` takes from its options, and how it tells what it has found.
#include <rotary/app/explain.hpp>

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace rotary::app {
namespace {

using testing::HasSubstr;
using testing::Not;

AskedOptions url(const std::string& text) {
    AskedOptions options;
    options.url = text;
    return options;
}

TEST(AskedOf, WritesTheRequestThatWasTyped) {
    struct Row {
        const char* name;
        AskedOptions options;
        const char* head;
    };
    AskedOptions with_body = url("https://a.example.com/x");
    with_body.body = "{}";
    with_body.has_body = true;
    AskedOptions typed = with_body;
    typed.headers = {"Content-Type:text/plain", "host: b"};
    AskedOptions deleted = url("a.example.com:9095/x#part");
    deleted.method = "DELETE";
    const Row rows[] = {
        {"a URL alone", url("https://a.example.com"), "GET / HTTP/1.1\r\nHost: a.example.com\r\n"},
        {"a query alone", url("http://a?x=1"), "GET /?x=1 HTTP/1.1\r\nHost: a\r\n"},
        {"no scheme, and a port", deleted, "DELETE /x HTTP/1.1\r\nHost: a.example.com:9095\r\n"},
        {"a body", with_body,
         "POST /x HTTP/1.1\r\nHost: a.example.com\r\ncontent-type: application/json\r\n"
         "content-length: 2\r\n"},
        {"headers that say else", typed,
         "POST /x HTTP/1.1\r\nContent-Type: text/plain\r\nhost: b\r\ncontent-length: 2\r\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(asked_of(row.options).head, std::string(row.head) + "\r\n");
    }
    EXPECT_FALSE(asked_of(url("http://a/")).is_tls);
    EXPECT_TRUE(asked_of(url("a/")).is_tls);
}

TEST(AskedOf, ReadsABodyFromItsFile) {
    const test::TempDir folder;
    AskedOptions options = url("https://a/");
    options.body = "@" + folder.write("body.json", "{\"n\":1}");
    options.has_body = true;
    EXPECT_EQ(asked_of(options).body, "{\"n\":1}");
}

TEST(AskedOf, RefusesWhatIsNoRequest) {
    const auto with_header = [](const std::string& header) {
        AskedOptions options = url("https://a/");
        options.headers = {header};
        return options;
    };
    AskedOptions method = url("https://a/");
    method.method = "GET /";
    AskedOptions file = url("https://a/");
    file.body = "@/no/such/file";
    file.has_body = true;
    const std::pair<AskedOptions, const char*> rows[] = {
        {url("ftp://a/"), "neither https nor http"},
        {url("https:///x"), "names no host"},
        {with_header("nothing"), "'nothing' is no 'name: value'"},
        {with_header("a: b\r\nc: d"), "can't be a header"},
        {method, "is no method"},
        {file, "can't read /no/such/file"},
    };
    for (const auto& [options, says] : rows) {
        SCOPED_TRACE(says);
        try {
            asked_of(options);
            ADD_FAILURE() << "it was taken";
        } catch (const std::invalid_argument& error) {
            EXPECT_THAT(error.what(), HasSubstr(says));
        }
    }
}

proxy::Explanation two_entries() {
    proxy::Explanation told;
    told.api = "chat";
    told.environment = "production";
    told.route = "live";
    told.path = "/chat/1.0/*";
    told.consumer = "team-a";
    told.subject = "someone";
    told.rotates = true;
    told.limits = {{"few", "team-a", "requests", 5, "minute"}};
    told.entries = {{"chat/production/a@x", 3, 1, "it is its turn"},
                    {"chat/production/b@x", 0, 0, "its weight is 0"}};
    told.tries = {{"chat/production/a@x",
                   "a",
                   "x",
                   "POST",
                   "https://x.example.com/v1/chat",
                   {{"Authorization", "***"}},
                   12}};
    return told;
}

TEST(ExplanationText, TellsOrderAndReasons) {
    const std::string text = to_text(two_entries());
    for (const char* line :
         {"route:       /chat/1.0/* of HTTPRoute live\n", "api:         chat, production\n",
          "caller:      team-a (subject someone)\n",
          "limit:       5 requests a minute for team-a (few)\n",
          "  1  chat/production/a@x (weight 3): it is its turn\n",
          "  -  chat/production/b@x (weight 0): its weight is 0\n",
          "  POST https://x.example.com/v1/chat\n  Authorization: ***\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, Not(HasSubstr("answer:")));
}

TEST(ExplanationText, TellsARefusal) {
    proxy::Explanation told;
    told.status = 404;
    told.code = "route_not_found";
    told.message = "There is none.";
    EXPECT_EQ(to_text(told),
              "route:       none\nanswer:      404 route_not_found, by Rotary itself\n"
              "  message:   There is none.\n");
}

TEST(ExplanationJson, HasTheSame) {
    EXPECT_EQ(to_json(two_entries()),
              R"({"answered_by":"provider","api":"chat","environment":"production","route":"live",)"
              R"("path":"/chat/1.0/*","open":false,"consumer":"team-a","subject":"someone",)"
              R"("rotates":true,"max_attempts":0,"limits":[{"policy":"few","for":"team-a",)"
              R"("counts":"requests","amount":5,"per":"minute"}],"entries":[)"
              R"({"id":"chat/production/a@x","weight":3,"turn":1,"why":"it is its turn"},)"
              R"({"id":"chat/production/b@x","weight":0,"turn":0,"why":"its weight is 0"}],)"
              R"("tries":[{"entry":"chat/production/a@x","model":"a","backend":"x",)"
              R"("method":"POST","url":"https://x.example.com/v1/chat","headers":[)"
              R"({"name":"Authorization","value":"***"}],"body_bytes":12}]})"
              "\n");
}

}  // namespace
}  // namespace rotary::app
