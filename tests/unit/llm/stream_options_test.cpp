#include <rotary/llm/stream_options.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::llm {
namespace {

// The body that asks; "": it asks already.
std::string asking(const std::string& body) {
    const std::vector<std::string> path{"model"};
    const auto scan = scan_body(body, path, 64);
    if (!scan) return "no JSON";
    const auto edit = ask_for_usage(body, *scan);
    if (!edit) return "";
    std::string text = body.substr(0, edit->begin);
    text.append(edit->text).append(body.substr(edit->end));
    EXPECT_TRUE(scan_body(text, path, 64)) << text;
    return text;
}

TEST(AskForUsage, ChangesNothingElse) {
    struct Row {
        const char* name;
        const char* body;
        const char* expected;
    };
    const std::vector<Row> rows{
        {"the client did not ask", R"({"model":"m","stream":true})",
         R"({"stream_options":{"include_usage":true},"model":"m","stream":true})"},
        {"white space stays", " { \"stream\" : true }\n",
         " {\"stream_options\":{\"include_usage\":true}, \"stream\" : true }\n"},
        {"it asked", R"({"stream":true,"stream_options":{"include_usage":true}})", ""},
        {"it asked, spaced", R"({"stream":true,"stream_options":{ "include_usage" : true }})", ""},
        {"it asked with an escape in the name",
         R"({"stream":true,"stream_options":{"include\u005fusage":true}})", ""},
        {"it said false", R"({"stream":true,"stream_options":{"include_usage":false},"n":1})",
         R"({"stream":true,"stream_options":{"include_usage":true},"n":1})"},
        {"it said null", R"({"stream":true,"stream_options":{"include_usage":null}})",
         R"({"stream":true,"stream_options":{"include_usage":true}})"},
        {"it has other options",
         R"({"stream":true,"stream_options":{"include_obfuscation":false}})",
         R"({"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}})"},
        {"it has empty options", R"({"stream":true,"stream_options":{ }})",
         R"({"stream":true,"stream_options":{"include_usage":true }})"},
        {"it has no options", R"({"stream":true,"stream_options":null})",
         R"({"stream":true,"stream_options":{"include_usage":true}})"},
        {"options that are none", R"({"stream":true,"stream_options":[1]})",
         R"({"stream":true,"stream_options":{"include_usage":true}})"},
        {"said twice within",
         R"({"stream":true,"stream_options":{"include_usage":true,)"
         R"("include_usage":false}})",
         R"({"stream":true,"stream_options":{"include_usage":true}})"},
        {"options twice: the last count",
         R"({"stream_options":{"include_usage":true},"stream":true,"stream_options":{}})",
         R"({"stream_options":{"include_usage":true},"stream":true,)"
         R"("stream_options":{"include_usage":true}})"},
        {"within a message it is the client's own",
         R"({"stream":true,"messages":[{"stream_options":{"include_usage":true}}]})",
         R"({"stream_options":{"include_usage":true},"stream":true,)"
         R"("messages":[{"stream_options":{"include_usage":true}}]})"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(asking(row.body), row.expected);
    }
}

TEST(NamesStreamOptions, KnowsTheRefusal) {
    EXPECT_TRUE(names_stream_options(R"({"error":{"message":"Unknown field stream_options"}})"));
    EXPECT_TRUE(names_stream_options(R"({"detail":[{"loc":["body","include_usage"]}]})"));
    EXPECT_FALSE(names_stream_options(R"({"error":{"message":"bad messages"}})"));
    EXPECT_FALSE(names_stream_options(""));
}

}  // namespace
}  // namespace rotary::llm
