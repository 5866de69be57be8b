#include <rotary/wire/json_document.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Row {
    const char* name;
    std::string text;
};

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string nested_objects(std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += R"({"a":)";
    return text + "1" + std::string(depth, '}');
}

const Row kRefused[] = {
    {"empty", ""},
    {"blank", " \t\n"},
    {"two values", "{} {}"},
    {"trailing garbage", "{}x"},
    {"trailing nul", "{}\0"s},
    {"trailing after nul", "{}\0garbage"s},
    {"nul inside a string", "\"a\0b\""s},
    {"byte order mark", "\xEF\xBB\xBF{}"},
    {"open object", R"({"a":1)"},
    {"trailing comma", "[1,]"},
    {"comment", "/* x */ 1"},
    {"single quotes", "{'a':1}"},
    {"leading zero", "01"},
    {"plus", "+1"},
    {"lone minus", "-"},
    {"no fraction", "1."},
    {"no exponent", "1e"},
    {"nan", "NaN"},
    {"infinity", "-Infinity"},
    {"beyond a double", R"({"exp":1e400})"},
    {"capital true", "True"},
    {"control character", "\"a\nb\""},
    {"bad escape", R"("\x41")"},
    {"short escape", R"("\u12")"},
    {"invalid utf-8", "\"\xFF\""},
    {"overlong utf-8", "\"\xC0\xAF\""},
    {"cut utf-8", "\"\xE2\x82\""},
    {"raw surrogate", "\"\xED\xA0\x80\""},
    {"lone high surrogate", R"("\ud800")"},
    {"lone low surrogate", R"("\udc00")"},
    {"low surrogate in a key", R"({"\udc00":1})"},
    {"duplicate members", R"({"a":1,"a":2})"},
    {"duplicate by escape", R"({"model":1,"\u006dodel":2})"},
    {"duplicate further down", R"({"x":[{"a":1,"b":2,"a":3}]})"},
    {"duplicate empty names", R"({"":1,"":2})"},
    {"duplicate around a nested object", R"({"a":{"b":1},"a":0})"},
    {"depth 65", nested(65)},
    {"objects of depth 65", nested_objects(65)},
    {"depth 100000", nested(100000)},
    {"100000 open brackets", std::string(100000, '[')},
    {"100000 open objects", nested_objects(100000)},
};

TEST(JsonDocument, Refuses) {
    JsonLimits limits;
    limits.bytes = 10'000'000;
    for (const Row& row : kRefused) {
        EXPECT_FALSE(JsonDocument::parse(row.text, limits).has_value()) << row.name;
    }
}

const Row kAccepted[] = {
    {"depth 64", nested(64)},
    {"objects of depth 64", nested_objects(64)},
    {"blanks around", " \r\n\t{ \"a\" : [ ] } \n"},
    {"same name in two objects", R"({"a":{"a":1},"b":{"a":1}})"},
    {"names that differ in case", R"({"a":1,"A":2})"},
    {"names that one NUL tells apart", R"({"a":1,"a\u0000":2})"},
    {"surrogate pair", R"("\ud83d\ude00")"},
    {"scalar", "null"},
    {"code point before the surrogates", "\"\xED\x9F\xBF\""},
};

TEST(JsonDocument, Accepts) {
    for (const Row& row : kAccepted) {
        EXPECT_TRUE(JsonDocument::parse(row.text).has_value()) << row.name;
    }
}

// Plain RapidJSON 1.1.0 crashes on it, while converting the number.
TEST(JsonDocument, SurvivesTheNumberThatKillsTheParser) {
    const std::string text = R"({"t":1.00000000001e-2147483638})";
    ASSERT_EQ(text.size(), 31u);
    const auto document = JsonDocument::parse(text);
    ASSERT_TRUE(document.has_value());
    const JsonValue value = *document->root().find("t");
    EXPECT_EQ(value.number_text(), "1.00000000001e-2147483638");
    EXPECT_FALSE(value.number().has_value());
    EXPECT_FALSE(value.integer().has_value());
}

TEST(JsonDocument, BytesLimit) {
    JsonLimits limits;
    limits.bytes = 4;
    EXPECT_TRUE(JsonDocument::parse("[12]", limits).has_value());
    EXPECT_FALSE(JsonDocument::parse("[123]", limits).has_value());
}

struct Number {
    const char* text;
    std::optional<std::int64_t> integer;
    std::optional<double> number;
};

const Number kNumbers[] = {
    {"0", 0, 0.0},
    {"-0", 0, -0.0},
    {"42", 42, 42.0},
    {"-7", -7, -7.0},
    {"1.5", std::nullopt, 1.5},
    {"1.0", std::nullopt, 1.0},
    {"1e3", std::nullopt, 1000.0},
    {"1E+3", std::nullopt, 1000.0},
    {"25e-1", std::nullopt, 2.5},
    {"9223372036854775807", INT64_MAX, 9223372036854775807.0},
    {"9223372036854775808", std::nullopt, 9223372036854775808.0},
    {"-9223372036854775808", INT64_MIN, -9223372036854775808.0},
    {"123456789012345678901234567890", std::nullopt, 123456789012345678901234567890.0},
    {"0.30000000000000004", std::nullopt, 0.30000000000000004},
};

TEST(JsonDocument, Numbers) {
    for (const Number& row : kNumbers) {
        SCOPED_TRACE(row.text);
        const auto document = JsonDocument::parse("["s + row.text + "]");
        ASSERT_TRUE(document.has_value());
        const JsonValue value = *document->root().at(0);
        EXPECT_TRUE(value.is_number());
        EXPECT_EQ(value.number_text(), row.text);
        EXPECT_EQ(value.integer(), row.integer);
        EXPECT_EQ(value.number(), row.number);
        EXPECT_FALSE(value.string().has_value());
    }
}

TEST(JsonDocument, StringsKeepTheirNul) {
    const auto document = JsonDocument::parse(R"({"model":"gpt\u0000evil"})");
    ASSERT_TRUE(document.has_value());
    const auto model = document->root().find("model")->string();
    EXPECT_EQ(model, "gpt\0evil"sv);
    EXPECT_NE(model, "gpt"sv);
}

TEST(JsonDocument, WrongKindsGiveNothing) {
    const auto document = JsonDocument::parse(R"([null,true,1,"s",[],{}])");
    ASSERT_TRUE(document.has_value());
    const JsonKind kinds[] = {JsonKind::null,   JsonKind::boolean, JsonKind::number,
                              JsonKind::string, JsonKind::array,   JsonKind::object};
    std::size_t i = 0;
    for (const JsonValue value : document->root().elements()) {
        SCOPED_TRACE(i);
        EXPECT_EQ(value.kind(), kinds[i]);
        EXPECT_EQ(value.string().has_value(), value.is_string());
        EXPECT_EQ(value.boolean().has_value(), value.is_boolean());
        EXPECT_EQ(value.number().has_value(), value.is_number());
        EXPECT_EQ(value.number_text().empty(), !value.is_number());
        EXPECT_FALSE(value.find("x").has_value());
        EXPECT_FALSE(value.at(0).has_value());
        EXPECT_EQ(value.size(), 0u);
        EXPECT_TRUE(value.members().begin() == value.members().end());
        EXPECT_TRUE(value.elements().begin() == value.elements().end());
        ++i;
    }
    EXPECT_EQ(i, 6u);
}

TEST(JsonDocument, WalksMembersAndElements) {
    auto parsed = JsonDocument::parse(
        R"({"first":{"deep":[1,[2,3],{"x":"y"}]},"second":[10,20],"":"empty"})");
    ASSERT_TRUE(parsed.has_value());
    const JsonValue root = parsed->root();
    const JsonDocument document = std::move(*parsed);  // values stay valid

    std::vector<std::string> names;
    for (const JsonValue member : root.members()) names.emplace_back(member.key());
    EXPECT_EQ(names, (std::vector<std::string>{"first", "second", ""}));
    EXPECT_EQ(root.size(), 3u);
    EXPECT_EQ(root.find("")->string(), "empty");
    EXPECT_FALSE(root.find("deep").has_value());
    EXPECT_TRUE(root.elements().begin() == root.elements().end());

    const JsonValue deep = *root.find("first")->find("deep");
    EXPECT_EQ(deep.size(), 3u);
    EXPECT_EQ(deep.at(1)->at(1)->integer(), 3);
    EXPECT_EQ(deep.at(2)->find("x")->string(), "y");
    EXPECT_FALSE(deep.at(3).has_value());
    EXPECT_EQ(root.find("second")->at(1)->integer(), 20);
    EXPECT_EQ(root.at(1)->key(), "second");
}

TEST(JsonDocument, ManyMembersCostNoSquare) {
    std::string text = "{";
    for (int i = 0; i < 20000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    JsonLimits limits;
    limits.bytes = 1'000'000;
    EXPECT_TRUE(JsonDocument::parse(text + R"("last":0})", limits).has_value());
    EXPECT_FALSE(JsonDocument::parse(text + R"("k0":0})", limits).has_value());
}

}  // namespace
}  // namespace rotary::wire
