// A value of a document, written out again.
#include <rotary/wire/json_copy.hpp>

#include <gtest/gtest.h>

namespace rotary::wire {
namespace {

std::string copied(std::string_view text) {
    const std::optional<JsonDocument> document = JsonDocument::parse(text);
    EXPECT_TRUE(document) << text;
    std::string out;
    if (document) {
        append_json(out, document->root());
    }
    return out;
}

TEST(AppendJson, ValuesStandAsTheyWereWritten) {
    for (const char* text :
         {"null", "true", "false", "0", "-1.50e+3", "12345678901234567890", "\"\"", "[]", "{}",
          R"({"a":[1,[2,{"b":null}],"x"],"c":{"d":{}}})", R"(["\"\\\n\u0001"])"}) {
        EXPECT_EQ(copied(text), text);
    }
}

TEST(AppendJson, WhatLiesBetweenIsLeftOut) {
    EXPECT_EQ(copied(" { \"a\" : [ 1 , 2 ] }\n"), R"({"a":[1,2]})");
    EXPECT_EQ(copied(R"("\u00e4\/")"), "\"\xC3\xA4/\"");
}

TEST(AppendJson, WritesBehindWhatIsThere) {
    const std::optional<JsonDocument> document = JsonDocument::parse(R"({"a":{"b":1}})");
    ASSERT_TRUE(document);
    std::string out = "x=";
    append_json(out, *document->root().find("a"));
    EXPECT_EQ(out, R"(x={"b":1})");
}

}  // namespace
}  // namespace rotary::wire
