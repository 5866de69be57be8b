#include "config/prices/json_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rotary::config {
namespace {

std::string error_of(std::string_view text) {
    JsonReader reader(text);
    reader.skip();
    reader.finish();
    return reader.error();
}

TEST(JsonReader, GivesMembersAndNumbersAsWritten) {
    JsonReader reader(R"( {"a": 7.5e-08, "b":{"c":[1,{"d":null}], "e":"x\"y"},
        "f": true , "g": "text"} )");
    std::vector<std::string> seen;
    reader.object([&](std::string_view name) {
        seen.emplace_back(name);
        if (name == "a") seen.emplace_back(reader.number());
        if (name == "b") reader.object([&](std::string_view inner) { seen.emplace_back(inner); });
        if (name == "g") seen.emplace_back(reader.string());
    });
    reader.finish();
    EXPECT_EQ(reader.error(), "");
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "7.5e-08", "b", "c", "e", "f", "g", "text"}));
    EXPECT_EQ(reader.line(), 2);
}

TEST(JsonReader, TakesWhatIsJson) {
    for (const char* text : {"{}", "[]", "[1, 2]", "\"\"", "null", "[[],{}]", R"("\\")"}) {
        EXPECT_EQ(error_of(text), "") << text;
    }
}

TEST(JsonReader, StopsAtTheFirstMistake) {
    for (const char* text :
         {"", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\" 1}", "{a:1}", "[1 2]",
          "[1,,2]", "[1,]", "\"a", "\"a\\", "nothing", "{} {}", "[1]]", "{\"a\":}", "@"}) {
        EXPECT_NE(error_of(text), "") << text;
    }
    EXPECT_NE(error_of(std::string(100'000, '[')), "");
    EXPECT_NE(error_of(std::string(100'000, '{')), "");
}

// Cut at every byte: an error, and never a read beyond the end.
TEST(JsonReader, IsAtHomeInAnyPieceOfAText) {
    const std::string text = R"({"m": {"p": "x\"", "c": [1.5e-7, {"d": false}]}, "n": {}})";
    for (std::size_t size = 0; size < text.size(); ++size) {
        const std::string piece = text.substr(0, size);
        EXPECT_NE(error_of(piece), "") << piece;
    }
    EXPECT_EQ(error_of(text), "");
}

}  // namespace
}  // namespace rotary::config
