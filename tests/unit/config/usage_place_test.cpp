#include <rotary/config/kinds/usage_place.hpp>

#include <gtest/gtest.h>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using In = ValueLocation::In;

TEST(UsagePlace, IsReadAsItIsMeant) {
    struct Row {
        const char* name;
        In in;
        const char* value;
        UsageField field;
        std::vector<std::string> members;
        const char* header;
        const char* finding;
    };
    const std::vector<Row> rows{
        {"none", In::body, "", UsageField::prompt, {}, "", ""},
        {"OpenAI's", In::body, "$.usage.prompt_tokens", UsageField::prompt, {}, "", ""},
        {"without a dollar", In::body, "usage.total_tokens", UsageField::total, {}, "", ""},
        {"APK's",
         In::body,
         "$usage.promptTokens",
         UsageField::prompt,
         {},
         "",
         R"("$usage.promptTokens" is read as $.usage.prompt_tokens)"},
        {"APK's, the other side",
         In::body,
         "$usage.completionTokens",
         UsageField::completion,
         {},
         "",
         R"("$usage.completionTokens" is read as $.usage.completion_tokens)"},
        {"APK's with its dot",
         In::body,
         "$.usage.totalTokens",
         UsageField::total,
         {},
         "",
         R"("$.usage.totalTokens" is read as $.usage.total_tokens)"},
        {"another side's is taken at its word",
         In::body,
         "$.usage.prompt_tokens",
         UsageField::total,
         {"usage", "prompt_tokens"},
         "",
         ""},
        {"a place of its own",
         In::body,
         "$.meta.tokens.in",
         UsageField::prompt,
         {"meta", "tokens", "in"},
         "",
         ""},
        {"as deep as may be",
         In::body,
         "a.b.c.d.e.f",
         UsageField::prompt,
         {"a", "b", "c", "d", "e", "f"},
         "",
         ""},
        {"deeper",
         In::body,
         "a.b.c.d.e.f.g",
         UsageField::prompt,
         {},
         "",
         R"(is not served: "a.b.c.d.e.f.g" is no path of members such as $.usage.prompt_tokens)"},
        {"a list",
         In::body,
         "$.usage[0].in",
         UsageField::prompt,
         {},
         "",
         R"(is not served: "$.usage[0].in" is no path of members such as $.usage.prompt_tokens)"},
        {"two dots",
         In::body,
         "$..in",
         UsageField::completion,
         {},
         "",
         R"(is not served: "$..in" is no path of members such as $.usage.completion_tokens)"},
        {"a header", In::header, "x-total", UsageField::total, {}, "x-total", ""},
        {"no header",
         In::header,
         "x total",
         UsageField::total,
         {},
         "",
         "is not served: no header has such a name"},
        {"a query",
         In::query,
         "x",
         UsageField::total,
         {},
         "",
         "is not served: an answer has neither a query nor a path"},
        {"a path",
         In::path,
         "x",
         UsageField::total,
         {},
         "",
         "is not served: an answer has neither a query nor a path"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const UsagePlace place = usage_place({row.in, row.value, {}}, row.field);
        EXPECT_EQ(place.members, row.members);
        EXPECT_EQ(place.header, row.header);
        EXPECT_EQ(place.finding, row.finding);
    }
}

TEST(UsagePlace, OfTheModelThatAnswered) {
    struct Row {
        const char* name;
        In in;
        const char* value;
        std::vector<std::string> members;
        std::string header;
        std::string finding;
    };
    const std::vector<Row> rows{
        {"a member", In::body, "model", {"model"}, "", ""},
        {"a path", In::body, "$.meta.model", {"meta", "model"}, "", ""},
        {"nothing", In::body, "", {}, "", ""},
        {"through a list",
         In::body,
         "$.models[0]",
         {},
         "",
         "is not served: \"$.models[0]\" is no path of members such as $.model"},
        {"a header", In::header, "x-model", {}, "x-model", ""},
        {"no header", In::header, "x model", {}, "", "is not served: no header has such a name"},
        {"a query",
         In::query,
         "x",
         {},
         "",
         "is not served: an answer has neither a query nor a path"},
        {"a path of a URL",
         In::path,
         "x",
         {},
         "",
         "is not served: an answer has neither a query nor a path"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        const UsagePlace place = response_model_place({row.in, row.value, {}});
        EXPECT_EQ(place.members, row.members);
        EXPECT_EQ(place.header, row.header);
        EXPECT_EQ(place.finding, row.finding);
    }
}

}  // namespace
}  // namespace rotary::config
