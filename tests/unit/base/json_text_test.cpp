#include <rotary/base/json_text.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace rotary::text {
namespace {

using namespace std::string_literals;

std::string written(std::string_view value, const JsonSpelling& spelling = {}) {
    std::string out;
    write_json_string(out, value, spelling);
    return out;
}

struct Row {
    const char* name;
    std::string value;
    std::string usual;
    std::string other;  // only what has to be escaped is
};

TEST(JsonText, IsSpelledAsAskedFor) {
    const JsonSpelling other{.del = "\x7f", .not_utf8 = "?", .short_escapes = false};
    const Row rows[] = {
        {"empty", "", R"("")", R"("")"},
        {"plain", "a/b c", R"("a/b c")", R"("a/b c")"},
        {"quotes", R"(a"b\c)", R"("a\"b\\c")", R"("a\"b\\c")"},
        {"line ends", "\r\n\t", R"("\r\n\t")", R"("\u000d\u000a\u0009")"},
        {"controls", "\0\x1f"s, R"("\u0000\u001f")", R"("\u0000\u001f")"},
        {"DEL", "a\x7f", R"("a\u007f")", "\"a\x7f\""},
        {"UTF-8", "\xc3\xa9", "\"\xc3\xa9\"", "\"\xc3\xa9\""},
        {"a lone byte", "\xff", "\"\xef\xbf\xbd\"", R"("?")"},
        {"cut short", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\"", R"("a??")"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(written(row.value), row.usual) << row.name;
        EXPECT_EQ(written(row.value, other), row.other) << row.name;
    }
}

// Up to sixteen bytes are looked at together.
TEST(JsonText, WhatIsNotPlainIsFoundWhereverItStands) {
    for (std::size_t size = 1; size <= 40; ++size) {
        const std::string plain(size, 'a');
        EXPECT_TRUE(is_plain_json(std::string_view(plain)));
        std::string quoted = "\"";
        quoted.append(plain).append("\"");
        EXPECT_EQ(written(plain), quoted);
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string value = plain;
                value[at] = static_cast<char>(byte);
                ASSERT_EQ(is_plain_json(std::string_view(value)), is_plain_json(value[at]))
                    << size << " " << at << " " << byte;
            }
        }
    }
}

TEST(JsonText, IsAppended) {
    std::string out = "[";
    append_json_string(out, "a\n");
    EXPECT_EQ(out, R"(["a\n")");
}

}  // namespace
}  // namespace rotary::text
