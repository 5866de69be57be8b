#include <rotary/llm/json_scanner.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace rotary::llm {
namespace {

using namespace std::string_literals;

constexpr std::size_t kDepth = 64;
const std::vector<std::string> kModel{"model"};

std::string slice(std::string_view text, const MemberRange& range) {
    if (!range.found) return "<absent>";
    return std::string(text.substr(range.begin, range.end - range.begin));
}

// The fault's kind, or none.
FaultKind verdict(std::string_view text, std::size_t depth = kDepth) {
    const auto body = scan_body(text, kModel, depth);
    return body ? FaultKind::none : body.error().kind;
}

struct GrammarRow {
    const char* name;
    std::string text;
};

// Values, each put into {"a":…} by the test.
const std::vector<GrammarRow> kGoodValues{
    {"zero", "0"},
    {"minus_zero", "-0"},
    {"integer", "123"},
    {"negative", "-1"},
    {"thirty_digits", "123456789012345678901234567890"},
    {"fraction", "0.5"},
    {"long_fraction", "0.30000000000000004"},
    {"exponent", "1e5"},
    {"capital_exponent", "1E5"},
    {"plus_exponent", "1e+5"},
    {"minus_exponent", "1e-5"},
    {"zero_exponent", "0e1"},
    {"zero_plus_exponent", "0e+1"},
    {"fraction_exponent", "123.456e78"},
    {"leading_zero_exponent", "1e05"},
    {"beyond_double", "1e400"},
    {"rapidjson_crasher", "1.00000000001e-2147483638"},
    {"true", "true"},
    {"false", "false"},
    {"null", "null"},
    {"empty_string", R"("")"},
    {"string", R"("text")"},
    {"escaped_quote", R"("a\"b")"},
    {"escaped_backslash", R"("a\\")"},
    {"two_backslashes", R"("\\\\")"},
    {"escaped_slash", R"("\/")"},
    {"plain_slash", R"("/")"},
    {"all_escapes", R"("\b\f\n\r\t\"\\\/")"},
    {"unicode_escape", R"("\u0041")"},
    {"unicode_escape_hex_cases", R"("\uaBcD")"},
    {"escaped_nul", R"("gpt\u0000evil")"},
    {"surrogate_pair", R"("\ud83d\ude00")"},
    {"lone_high_surrogate", R"("\ud800")"},
    {"lone_low_surrogate", R"("\udc00")"},
    {"delete_character", "\"\x7f\""},
    {"two_bytes", "\"\xc3\xa9\""},
    {"three_bytes", "\"\xe4\xb8\xad\""},
    {"four_bytes", "\"\xf0\x9f\x98\x80\""},
    {"u_10ffff", "\"\xf4\x8f\xbf\xbf\""},
    {"u_ffff", "\"\xef\xbf\xbf\""},
    {"u_2028", "\"\xe2\x80\xa8\""},
    {"bom_inside_string", "\"\xef\xbb\xbf\""},
    {"brackets_in_string", R"("]}[{,:")"},
    {"comment_in_string", R"("/* */ //")"},
    {"empty_array", "[]"},
    {"empty_array_space", "[ ]"},
    {"is_empty", "{}"},
    {"is_empty_space", "{ \n}"},
    {"array_one", "[1]"},
    {"array_mixed", R"([null, 1, "1", {}, [], true])"},
    {"array_spaces", "[ 1 , 2 ]"},
    {"array_tabs_newlines", "[\t1\r\n,\n2\t]"},
    {"nested_empty", "[[[]],{},[{}]]"},
    {"object_one", R"({"b":1})"},
    {"object_two", R"({"b":1,"c":2})"},
    {"object_empty_key", R"({"":0})"},
    {"object_escaped_key", R"({"\u0000\n":0})"},
    {"object_duplicate_key", R"({"b":1,"b":2})"},
    {"object_spaces", "{ \"b\" : 1 , \"c\" : 2 }"},
    {"nested_model_twice", R"({"model":1,"model":2})"},
    {"deep_mix", R"([{"b":[{"c":[{}]}]}])"},
    {"closing_pairs", R"([[1],[2],{"b":{"c":{}}}])"},
    {"space_after_value", "1 \t\r\n"},
    {"space_before_value", " \t\r\n1"},
};

const std::vector<GrammarRow> kBadValues{
    {"nothing", ""},
    {"leading_zero", "01"},
    {"minus_leading_zero", "-01"},
    {"two_zeros", "00"},
    {"plus", "+1"},
    {"minus_alone", "-"},
    {"minus_space", "- 1"},
    {"minus_minus", "--1"},
    {"minus_word", "-foo"},
    {"dot_first", ".5"},
    {"minus_dot", "-.5"},
    {"dot_last", "1."},
    {"dot_then_exponent", "1.e5"},
    {"two_dots", "1.2.3"},
    {"exponent_alone", "1e"},
    {"exponent_sign_alone", "1e+"},
    {"exponent_fraction", "1e1.5"},
    {"two_exponents", "1e1e1"},
    {"exponent_two_signs", "1e+-1"},
    {"zero_exponent_alone", "0e"},
    {"hexadecimal", "0x42"},
    {"underscore", "1_000"},
    {"space_within_number", "1 000"},
    {"infinity", "Infinity"},
    {"minus_infinity", "-Infinity"},
    {"nan", "NaN"},
    {"full_width_digit", "\xef\xbc\x91"},
    {"number_then_word", "123abc"},
    {"capital_true", "True"},
    {"true_cut", "tru"},
    {"true_longer", "truex"},
    {"true_true", "true true"},
    {"false_cut", "fals"},
    {"false_wrong", "folse"},
    {"null_cut", "nul"},
    {"null_longer", "nulls"},
    {"undefined", "undefined"},
    {"bare_word", "a"},
    {"single_quotes", "'a'"},
    {"backquotes", "`a`"},
    {"unclosed_string", "\"a"},
    {"quote_alone", "\""},
    {"escape_at_end", "\"\\"},
    {"escaped_closing_quote", "\"a\\\""},
    {"bad_escape_a", R"("\a")"},
    {"bad_escape_x", R"("\x41")"},
    {"bad_escape_octal", R"("\012")"},
    {"bad_escape_quote", R"("\'")"},
    {"bad_escape_capital_u", R"("\U0041")"},
    {"bad_escape_space", R"("\ ")"},
    {"unicode_escape_three_digits", R"("\u004")"},
    {"unicode_escape_none", R"("\u")"},
    {"unicode_escape_bad_digit", R"("\u00g0")"},
    {"unicode_escape_cut", "\"\\u00"},
    {"second_unicode_escape_cut", R"("\ud83d\ud")"},
    {"escaped_multibyte", "\"\\\xc3\xa9\""},
    {"newline_in_string", "\"a\nb\""},
    {"carriage_return_in_string", "\"a\rb\""},
    {"tab_in_string", "\"a\tb\""},
    {"nul_in_string", "\"a\0b\""s},
    {"control_in_string", "\"a\x1f\""},
    {"lone_continuation", "\"\x80\""},
    {"lone_lead", "\"\xc3\""},
    {"lead_then_ascii",
     "\"\xc3"
     "a\""},
    {"overlong_two", "\"\xc0\xaf\""},
    {"overlong_c1", "\"\xc1\xbf\""},
    {"overlong_three", "\"\xe0\x80\xaf\""},
    {"overlong_four", "\"\xf0\x80\x80\xaf\""},
    {"surrogate_bytes", "\"\xed\xa0\x80\""},
    {"above_10ffff", "\"\xf4\x90\x80\x80\""},
    {"lead_f5", "\"\xf5\x80\x80\x80\""},
    {"byte_ff", "\"\xff\""},
    {"latin1", "\"\xe9\""},
    {"cut_three_bytes", "\"\xe4\xb8\""},
    {"cut_four_bytes", "\"\xf0\x9f\x98\""},
    {"invalid_utf8_outside", "\xff"},
    {"array_open", "["},
    {"array_unclosed", "[1"},
    {"array_comma_unclosed", "[1,"},
    {"array_trailing_comma", "[1,]"},
    {"array_leading_comma", "[,1]"},
    {"array_comma_alone", "[,]"},
    {"array_two_commas", "[1,,2]"},
    {"array_no_comma", "[1 2]"},
    {"array_colon", "[1:2]"},
    {"array_semicolon", "[1;2]"},
    {"array_closed_by_brace", "[1}"},
    {"array_extra_close", "[1]]"},
    {"array_of_key", R"(["b":1])"},
    {"insert_at", "{"},
    {"object_closed_by_bracket", R"({"b":1])"},
    {"object_trailing_comma", R"({"b":1,})"},
    {"object_comma_alone", "{,}"},
    {"object_leading_comma", R"({,"b":1})"},
    {"object_two_commas", R"({"b":1,,"c":2})"},
    {"object_no_comma", R"({"b":1 "c":2})"},
    {"object_no_colon", R"({"b" 1})"},
    {"object_two_colons", R"({"b"::1})"},
    {"object_comma_for_colon", R"({"b",1})"},
    {"object_no_value", R"({"b":})"},
    {"object_key_alone", R"({"b"})"},
    {"object_bare_key", "{b:1}"},
    {"object_single_quoted_key", "{'b':1}"},
    {"object_number_key", "{1:1}"},
    {"object_null_key", "{null:1}"},
    {"object_bad_key_escape", R"({"\x":1})"},
    {"object_bad_key_bytes", "{\"\xff\":1}"},
    {"object_extra_close", R"({"b":1}})"},
    {"comment", "1 /* no */"},
    {"line_comment", "1 // no\n"},
    {"hash_comment", "1 # no\n"},
    {"form_feed_space", "\f1"},
    {"vertical_tab_space", "\v1"},
    {"no_break_space",
     "\xc2\xa0"
     "1"},
    {"nul_after", "1\0"s},
    {"two_values", R"("a" "b")"},
    {"close_only", "]"},
    {"colon_only", ":"},
};

TEST(JsonScanner, AcceptsEveryRuleOfTheGrammar) {
    for (const auto& row : kGoodValues) {
        SCOPED_TRACE(row.name);
        const std::string text = "{\"a\":" + row.text + "}";
        EXPECT_EQ(verdict(text), FaultKind::none) << text;
        // As the last, a middle and an inner value.
        EXPECT_EQ(verdict("{\"x\":[" + row.text + "],\"a\":" + row.text + ",\"model\":\"m\"}"),
                  FaultKind::none);
    }
}

TEST(JsonScanner, RefusesEveryBreachOfTheGrammar) {
    for (const auto& row : kBadValues) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(verdict("{\"a\":" + row.text + "}"), FaultKind::invalid_json);
        EXPECT_EQ(verdict("{\"a\":[" + row.text + ",1]}"), FaultKind::invalid_json);
        EXPECT_EQ(verdict("{\"a\":{\"b\":" + row.text + "},\"c\":1}"), FaultKind::invalid_json);
        EXPECT_EQ(verdict("{\"model\":\"m\",\"a\":" + row.text + ",\"c\":1}"),
                  FaultKind::invalid_json);
    }
}

TEST(JsonScanner, TakesOneObjectAndNothingElse) {
    struct Row {
        const char* name;
        std::string text;
        FaultKind kind;
    };
    const std::vector<Row> rows{
        {"is_empty", "{}", FaultKind::none},
        {"spaces_around", " \t\r\n{ } \n", FaultKind::none},
        {"empty", "", FaultKind::invalid_json},
        {"spaces_only", " \n", FaultKind::invalid_json},
        {"array", "[]", FaultKind::invalid_json},
        {"array_of_objects", "[{}]", FaultKind::invalid_json},
        {"string", R"("a")", FaultKind::invalid_json},
        {"number", "1", FaultKind::invalid_json},
        {"null", "null", FaultKind::invalid_json},
        {"bom", "\xef\xbb\xbf{}", FaultKind::invalid_json},
        {"utf16", "{\0}\0"s, FaultKind::invalid_json},
        {"two_objects", "{}{}", FaultKind::invalid_json},
        {"two_lines", "{}\n{}", FaultKind::invalid_json},
        {"trailing_comma", "{},", FaultKind::invalid_json},
        {"trailing_nul", "{}\0"s, FaultKind::invalid_json},
        {"trailing_brace", "{}}", FaultKind::invalid_json},
        {"member_trailing_comma", R"({"a":1,})", FaultKind::invalid_json},
        {"member_leading_comma", R"({,"a":1})", FaultKind::invalid_json},
        {"member_bare_key", "{a:1}", FaultKind::invalid_json},
        {"member_no_colon", R"({"a"1})", FaultKind::invalid_json},
        {"member_semicolon", R"({"a":1;"b":2})", FaultKind::invalid_json},
        {"closed_by_bracket", R"({"a":1])", FaultKind::invalid_json},
        {"model_twice", R"({"model":"a","model":"b"})", FaultKind::duplicate_model},
        {"model_twice_same", R"({"model":"a","model":"a"})", FaultKind::duplicate_model},
        {"model_three_times", R"({"model":1,"model":2,"model":3})", FaultKind::duplicate_model},
        {"model_twice_escaped", R"({"model":"a","\u006dodel":"b"})", FaultKind::duplicate_model},
        {"model_escaped_first", R"({"mod\u0065l":"a","model":"b"})", FaultKind::duplicate_model},
        {"both_escaped", R"({"mod\u0065l":"a","\u006Dodel":"b"})", FaultKind::duplicate_model},
        {"model_null_twice", R"({"model":null,"x":1,"model":null})", FaultKind::duplicate_model},
        {"broken_and_twice", R"({"model":"a","model":"b")", FaultKind::invalid_json},
        {"nested_is_not_twice", R"({"model":"a","x":{"model":"b"}})", FaultKind::none},
        {"other_case_is_not_twice", R"({"model":"a","Model":"b"})", FaultKind::none},
        {"longer_is_not_twice", R"({"model":"a","models":"b","mode":"c"})", FaultKind::none},
        {"nul_suffix_is_not_twice", R"({"model":"a","model\u0000":"b"})", FaultKind::none},
        {"stream_twice", R"({"stream":true,"stream":false})", FaultKind::none},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        EXPECT_EQ(verdict(row.text), row.kind);
    }
}

TEST(JsonScanner, FindsMembers) {
    struct Row {
        const char* name;
        const char* text;
        const char* model;
        const char* stream;
        const char* options;
    };
    const std::vector<Row> rows{
        {"plain", R"({"model":"gpt","stream":true,"stream_options":{"include_usage":true}})",
         R"("gpt")", "true", R"({"include_usage":true})"},
        {"last", R"({"messages":[{"model":"inner","stream":1}],"model":"gpt"})", R"("gpt")",
         "<absent>", "<absent>"},
        {"spaces", "{ \"model\" :\n \"gpt\" , \"stream\":\tfalse }", R"("gpt")", "false",
         "<absent>"},
        {"null_model", R"({"model":null})", "null", "<absent>", "<absent>"},
        {"object_model", R"({"model":{"a":[1, 2]} })", R"({"a":[1, 2]})", "<absent>", "<absent>"},
        {"number_model", R"({"model":12})", "12", "<absent>", "<absent>"},
        {"escaped_value", R"({"model":"g\"p\\t"})", R"("g\"p\\t")", "<absent>", "<absent>"},
        {"escaped_keys",
         R"({"\u006d\u006F\u0064\u0065\u006c":1,"stre\u0061m":2,"stream\u005foptions":3})", "1",
         "2", "3"},
        {"last_stream_wins",
         R"({"stream":true,"stream":false,"stream_options":1,"stream_options":2})", "<absent>",
         "false", "2"},
        {"prefixes", R"({"mode":1,"models":2,"strea":3,"streams":4,"stream_option":5})", "<absent>",
         "<absent>", "<absent>"},
        {"empty", "{}", "<absent>", "<absent>", "<absent>"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto body = scan_body(row.text, kModel, kDepth);
        ASSERT_TRUE(body.has_value());
        EXPECT_EQ(slice(row.text, body->model), row.model);
        EXPECT_EQ(slice(row.text, body->stream), row.stream);
        EXPECT_EQ(slice(row.text, body->stream_options), row.options);
    }
}

TEST(JsonScanner, TellsWhereAMemberMayBeInserted) {
    const auto empty = scan_body("  { }", kModel, kDepth);
    ASSERT_TRUE(empty.has_value());
    EXPECT_TRUE(empty->is_empty);
    EXPECT_EQ(empty->insert_at, 3U);
    const auto full = scan_body(R"({"a":1})", kModel, kDepth);
    ASSERT_TRUE(full.has_value());
    EXPECT_FALSE(full->is_empty);
    EXPECT_EQ(full->insert_at, 1U);
}

TEST(JsonScanner, ComparesTheModelKeyDecoded) {
    struct Row {
        const char* name;
        const char* key;
        const char* text;
        bool found;
    };
    const std::vector<Row> rows{
        {"other_name", "deployment", R"({"model":1,"deployment":2})", true},
        {"stream_as_model", "stream", R"({"stream":"m"})", true},
        {"two_bytes", "mod\xc3\xa8l", "{\"mod\\u00e8l\":1}", true},
        {"three_bytes", "\xe4\xb8\xad", "{\"\\u4e2d\":1}", true},
        {"four_bytes", "\xf0\x9f\x98\x80", "{\"\\ud83d\\ude00\":1}", true},
        {"half_a_pair", "\xf0\x9f\x98\x80", "{\"\\ud83d\":1}", false},
        {"pair_split_by_text", "\xf0\x9f\x98\x80", "{\"\\ud83dx\\ude00\":1}", false},
        {"slash", "a/b", R"({"a\/b":1})", true},
        {"control", "a\nb", R"({"a\nb":1})", true},
        {"all_short_escapes", "\b\f\n\r\t\"\\/", R"({"\b\f\n\r\t\"\\\/":1})", true},
        {"decoded_longer", "model", R"({"model\u0041":1})", false},
        {"decoded_shorter", "model", R"({"mod\u0065":1})", false},
        {"wrong_letter", "model", R"({"mod\u0045l":1})", false},
        {"backslash_is_not_escape", "model", R"({"mod\\u0065l":1})", false},
        {"absent", "model", R"({"x":1})", false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto body = scan_body(row.text, std::vector<std::string>{row.key}, kDepth);
        ASSERT_TRUE(body.has_value());
        EXPECT_EQ(body->model.found, row.found);
    }
}

TEST(JsonScanner, FindsAModelWithinObjects) {
    struct Row {
        const char* name;
        const char* text;
        const char* model;
        std::size_t levels;  // of "input.model" that are there
        std::size_t insert_at;
        bool is_empty;
    };
    const std::vector<std::string> path{"input", "model"};
    const std::vector<Row> rows{
        {"there", R"({"a":[{"model":0}],"input":{"x":{"model":1},"model":"m"},"model":2})", "\"m\"",
         1, 28, false},
        {"escaped", R"({"\u0069nput":{"mod\u0065l":"m"}})", "\"m\"", 1, 15, false},
        {"no_model", R"({"input":{"x":1}})", "<absent>", 1, 10, false},
        {"empty_input", R"({"input": { } })", "<absent>", 1, 11, true},
        {"no_input", R"({"model":"m"})", "<absent>", 0, 1, false},
        {"nothing", "{}", "<absent>", 0, 1, true},
        {"stream_inside", R"({"input":{"stream":true}})", "<absent>", 1, 10, false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto body = scan_body(row.text, path, kDepth);
        ASSERT_TRUE(body.has_value());
        EXPECT_EQ(slice(row.text, body->model), row.model);
        EXPECT_EQ(body->levels, row.levels);
        EXPECT_EQ(body->insert_at, row.insert_at);
        EXPECT_EQ(body->is_empty, row.is_empty);
        EXPECT_FALSE(body->stream.found);
    }
}

TEST(JsonScanner, RefusesAWayToTheModelThatIsInDoubt) {
    const std::vector<std::string> path{"input", "model"};
    const auto kind = [&](std::string_view text, std::size_t depth = kDepth) {
        const auto body = scan_body(text, path, depth);
        return body ? FaultKind::none : body.error().kind;
    };
    EXPECT_EQ(kind(R"({"input":{"model":1,"mod\u0065l":2}})"), FaultKind::duplicate_model);
    EXPECT_EQ(kind(R"({"input":{"model":1},"input":{}})"), FaultKind::duplicate_model);
    EXPECT_EQ(kind(R"({"input":{},"\u0069nput":7})"), FaultKind::duplicate_model);
    EXPECT_EQ(kind(R"({"input":"text"})"), FaultKind::bad_request);
    EXPECT_EQ(kind(R"({"input":[{"model":1}]})"), FaultKind::bad_request);
    EXPECT_EQ(kind(R"({"input":null})"), FaultKind::bad_request);
    EXPECT_EQ(kind(R"({"input":{"model":1})"), FaultKind::invalid_json);
    EXPECT_EQ(kind(R"({"input":{"model":1]})"), FaultKind::invalid_json);
    EXPECT_EQ(kind(R"({"input":{"model":[]}})", 2), FaultKind::invalid_json);
    EXPECT_EQ(kind(R"({"input":{"model":[]}})", 3), FaultKind::none);
    EXPECT_EQ(kind(R"({"model":1,"model":2,"input":{}})"), FaultKind::none) << "not on the way";
}

// `levels` arrays or objects within the top object, which is level one itself.
std::string nested(std::size_t levels, bool objects, bool closed = true) {
    std::string text = "{\"a\":";
    for (std::size_t i = 0; i < levels; ++i) text += objects ? "{\"k\":" : "[";
    if (objects || levels == 0) text += '1';
    if (closed) {
        for (std::size_t i = 0; i < levels; ++i) text += objects ? '}' : ']';
        text += '}';
    }
    return text;
}

TEST(JsonScanner, HoldsTheDepth) {
    for (const bool objects : {false, true}) {
        for (const std::size_t depth : {1U, 2U, 63U, 64U, 65U, 128U, 1023U, 1024U}) {
            SCOPED_TRACE(depth);
            EXPECT_EQ(verdict(nested(depth - 1, objects), depth), FaultKind::none);
            EXPECT_EQ(verdict(nested(depth, objects), depth), FaultKind::invalid_json);
        }
        EXPECT_EQ(verdict(nested(1023, objects), 100000), FaultKind::none);
        EXPECT_EQ(verdict(nested(1024, objects), 100000), FaultKind::invalid_json);
        EXPECT_EQ(verdict(nested(500000, objects, false), 100000), FaultKind::invalid_json);
    }
    EXPECT_EQ(verdict("{}", 0), FaultKind::invalid_json);
    EXPECT_EQ(verdict("{}", 1), FaultKind::none);
    // Levels are given back: a thousand neighbours are not a thousand levels.
    std::string wide = "{\"a\":[";
    for (int i = 0; i < 1000; ++i) wide += "[{}],";
    EXPECT_EQ(verdict(wide + "0]}", 4), FaultKind::none);
}

TEST(JsonScanner, RemembersTheKindOfEachLevel) {
    // Closing brackets in the wrong order must fail at every level, also across words of bits.
    for (std::size_t levels = 1; levels < 140; ++levels) {
        std::string open;
        std::string close;
        for (std::size_t i = 0; i < levels; ++i) {
            const bool object = i * 7 % 3 == 0;
            open += object ? "{\"k\":" : "[";
            close.insert(close.begin(), object ? '}' : ']');
        }
        const std::string good = "{\"a\":" + open + "1" + close + "}";
        ASSERT_EQ(verdict(good, 200), FaultKind::none) << levels;
        for (std::size_t i = 0; i < close.size(); ++i) {
            std::string wrong = close;
            wrong[i] = wrong[i] == '}' ? ']' : '}';
            ASSERT_EQ(verdict("{\"a\":" + open + "1" + wrong + "}", 200), FaultKind::invalid_json);
        }
    }
}

// The text is put into a buffer of just its size, so that ASan sees a read behind it.
FaultKind verdict_exact(const std::string& text) {
    const std::vector<char> copy(text.begin(), text.end());
    return verdict(std::string_view(copy.data(), copy.size()));
}

TEST(JsonScanner, SeesSpecialBytesAtEveryOffsetOfABlock) {
    struct Row {
        const char* name;
        std::string piece;
        bool good;
    };
    const std::vector<Row> rows{
        {"quote_ends", "\",\"b\":\"", true},
        {"escape", "\\n", true},
        {"escaped_quote", "\\\"", true},
        {"escaped_backslash", "\\\\", true},
        {"unicode", "\\u00e9", true},
        {"utf8", "\xe4\xb8\xad", true},
        {"bad_escape", "\\q", false},
        {"bad_unicode", "\\u00", false},
        {"control", "\x01", false},
        {"nul", "\0"s, false},
        {"newline", "\n", false},
        {"bad_utf8", "\xff", false},
        {"cut_utf8", "\xe4\xb8", false},
        {"quote_alone", "\"", false},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        for (std::size_t before = 0; before <= 130; ++before) {
            for (const std::size_t after : {0U, 1U, 15U, 16U, 17U, 70U}) {
                const std::string text = "{\"a\":\"" + std::string(before, 'x') + row.piece +
                                         std::string(after, 'y') + "\",\"model\":\"m\"}";
                ASSERT_EQ(verdict_exact(text) == FaultKind::none, row.good)
                    << before << ' ' << after;
            }
        }
    }
}

TEST(JsonScanner, FindsTheModelBehindPaddingOfEveryLength) {
    for (std::size_t padding = 0; padding <= 130; ++padding) {
        for (const char* key : {"model", "mod\\u0065l", "\\u006dodel"}) {
            const std::string text = "{\"" + std::string(padding, 'k') + "\":\"" +
                                     std::string(padding, 'v') + "\",\"" + key + "\":\"m\"}";
            const auto body = scan_body(text, kModel, kDepth);
            ASSERT_TRUE(body.has_value()) << padding;
            ASSERT_EQ(slice(text, body->model), "\"m\"");
        }
    }
}

TEST(JsonScanner, RefusesATextCutAnywhere) {
    const std::string text =
        R"({"model":"gpt-4o","stream":true,"n":-1.5e+3,"messages":[{"role":"user","content":)"
        "\"\xe4\xb8\xad \\\"quoted\\\" \\u00e9\"},{\"a\":[null,false,{}]}],\"z\":[]}";
    ASSERT_EQ(verdict(text), FaultKind::none);
    for (std::size_t size = 0; size < text.size(); ++size) {
        ASSERT_EQ(verdict_exact(text.substr(0, size)), FaultKind::invalid_json) << size;
    }
}

TEST(JsonScanner, SaysWhatIsWrong) {
    const auto detail = [](std::string_view text) {
        return std::string(scan_body(text, kModel, 2).error().detail);
    };
    EXPECT_EQ(detail("[]"), "not a JSON object");
    EXPECT_EQ(detail("{\"a\":[[1]]}"), "nested too deeply");
    EXPECT_EQ(detail("{\"a\":\"\xff\"}"), "a string is not UTF-8");
    EXPECT_EQ(detail("{} x"), "something follows the object");
}

TEST(JsonScanner, ReadsPlainStringsAndTruths) {
    const auto model = [](std::string_view text) {
        return plain_string(text, scan_body(text, kModel, kDepth)->model);
    };
    EXPECT_EQ(model(R"({"model":"gpt"})"), "gpt");
    EXPECT_EQ(model(R"({"model":""})"), "");
    EXPECT_EQ(model(R"({"model":"a\nb"})"), std::nullopt);
    EXPECT_EQ(model(R"({"model":7})"), std::nullopt);
    EXPECT_EQ(model(R"({"model":["a"]})"), std::nullopt);
    EXPECT_EQ(model("{}"), std::nullopt);
    const auto streams = [](std::string_view text) {
        return is_true(text, scan_body(text, kModel, kDepth)->stream);
    };
    EXPECT_TRUE(streams(R"({"stream" : true })"));
    EXPECT_FALSE(streams(R"({"stream":false})"));
    EXPECT_FALSE(streams(R"({"stream":"true"})"));
    EXPECT_FALSE(streams(R"({"stream":1})"));
    EXPECT_FALSE(streams("{}"));
}

}  // namespace
}  // namespace rotary::llm
