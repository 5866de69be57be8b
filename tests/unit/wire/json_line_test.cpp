#include <rotary/wire/json_line.hpp>

#include <rotary/wire/json_writer.hpp>

#include <gtest/gtest.h>

#include <string>

namespace rotary::wire {
namespace {

using namespace std::chrono_literals;

TEST(JsonLine, WritesEachKindOfValue) {
    std::string out = "before\n";
    JsonLine line(out);
    line.string(R"({"text":)", "plain");
    line.string(R"(,"empty":)", "");
    line.string(R"(,"none":)", std::string_view());
    line.number(R"(,"count":)", 18446744073709551615ULL);
    line.milliseconds(R"(,"took":)", 1'234'567ns);
    line.milliseconds(R"(,"back":)", -2'000'000ns);
    line.raw(R"(,"yes":true)");
    line.end();
    EXPECT_EQ(out,
              "before\n"
              R"({"text":"plain","empty":"","none":"","count":18446744073709551615,"took":1.234,)"
              R"("back":-2.000,"yes":true})"
              "\n");
}

// Wherever the block's end falls, and whatever the value needs, the text is the one that the
// general writer makes.
TEST(JsonLine, SaysWhatTheWriterSays) {
    const std::string values[] = {"x", "a\"b\\c\n", "caf\xC3\xA9", "\xFF", std::string(70, 'm')};
    for (std::size_t size = 0; size < 5000; size += size < 1900 || size > 2200 ? 97 : 1) {
        for (const std::string& value : values) {
            const std::string first(size, 'f');
            std::string expected;
            JsonWriter writer(expected);
            writer.begin_object().string("first", first).string("second", value);
            writer.number("n", 123456U).milliseconds("t", 7ms).end_object();
            std::string out;
            JsonLine line(out);
            line.string(R"({"first":)", first);
            line.string(R"(,"second":)", value);
            line.number(R"(,"n":)", 123456U);
            line.milliseconds(R"(,"t":)", 7ms);
            line.end();
            ASSERT_EQ(out, expected + "\n") << size;
        }
    }
}

}  // namespace
}  // namespace rotary::wire
