#include <rotary/wire/json_document.hpp>
#include <rotary/wire/json_writer.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace rotary::wire {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(JsonWriter, WritesNestedValuesWithTheirCommas) {
    std::string out = "before ";
    JsonWriter writer(out);
    writer.begin_object()
        .string("a", "x")
        .number("b", -1)
        .begin_array("c")
        .number(1U)
        .string("y")
        .begin_object()
        .end_object()
        .begin_array()
        .end_array()
        .null()
        .end_array()
        .begin_object("d")
        .boolean("e", true)
        .boolean("f", false)
        .null("g")
        .raw("h", "[1]")
        .end_object()
        .key("i")
        .real(0.5)
        .end_object();
    EXPECT_EQ(out, R"(before {"a":"x","b":-1,"c":[1,"y",{},[],null],)"
                   R"("d":{"e":true,"f":false,"g":null,"h":[1]},"i":0.5})");
}

TEST(JsonWriter, WritesNumbers) {
    std::string out;
    JsonWriter(out)
        .begin_array()
        .number(std::numeric_limits<std::int64_t>::min())
        .number(std::numeric_limits<std::uint64_t>::max())
        .number(std::uint16_t{429})
        .real(0.1)
        .real(1e300)
        .real(std::numeric_limits<double>::infinity())
        .real(std::numeric_limits<double>::quiet_NaN())
        .end_array();
    EXPECT_EQ(out, "[-9223372036854775808,18446744073709551615,429,0.1,1e+300,null,null]");
}

TEST(JsonWriter, WritesMilliseconds) {
    struct Row {
        std::chrono::nanoseconds value;
        const char* text;
    };
    const std::vector<Row> rows{{0ns, "0.000"},       {999ns, "0.000"},     {1us, "0.001"},
                                {1234567ns, "1.234"}, {1s, "1000.000"},     {50ms + 50us, "50.050"},
                                {-1500us, "-1.500"},  {24h, "86400000.000"}};
    for (const auto& row : rows) {
        std::string out;
        JsonWriter(out).milliseconds(row.value);
        EXPECT_EQ(out, row.text);
    }
}

TEST(JsonWriter, EscapesStrings) {
    struct Row {
        const char* name;
        std::string value;
        const char* text;
    };
    const std::vector<Row> rows{
        {"empty", "", R"("")"},
        {"quote", "a\"b", R"("a\"b")"},
        {"backslash", "a\\b", R"("a\\b")"},
        {"short_escapes", "\n\r\t", R"("\n\r\t")"},
        {"controls", "\x01\x1f\x7f", R"("\u0001\u001f\u007f")"},
        {"nul", "a\0b"s, R"("a\u0000b")"},
        {"slash_stays", "a/b", R"("a/b")"},
        {"utf8", "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80",
         "\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\""},
        {"bad_byte",
         "a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"cut_sequence", "\xe4\xb8", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        std::string out;
        JsonWriter(out).string(row.value);
        EXPECT_EQ(out, row.text);
    }
}

TEST(JsonWriter, WritesValidJsonForEveryByte) {
    for (int byte = 0; byte < 256; ++byte) {
        std::string out;
        JsonWriter(out)
            .begin_object()
            .string("k", std::string(3, static_cast<char>(byte)))
            .end_object();
        EXPECT_TRUE(JsonDocument::parse(out).has_value()) << byte;
    }
}

TEST(JsonWriter, KeepsTheBufferOnceItIsLargeEnough) {
    std::string out;
    out.reserve(512);
    const char* const place = out.data();
    for (int i = 0; i < 100; ++i) {
        out.clear();
        JsonWriter(out).begin_object().string("a", "value \n").milliseconds("b", 3ms).end_object();
    }
    EXPECT_EQ(out.data(), place);
}

}  // namespace
}  // namespace rotary::wire
