#include <rotary/config/yaml/node.hpp>

#include <gtest/gtest.h>

#include "config/yaml/utf8.hpp"

namespace rotary::config {
namespace {

struct Parsed {
    std::vector<Document> documents;
    std::vector<Finding> findings;
    std::string unread;
};

Parsed parse(const std::string& text) {
    Parsed parsed;
    parsed.documents = parse_yaml("f.yaml", text, parsed.findings, parsed.unread);
    return parsed;
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

TEST(Yaml, ScalarsAreTextWhateverTheyLookLike) {
    const Parsed parsed = parse("a: 010\nb: yes\nc: !!python/object:x 1.0\nd: 'x'\ne: ~\nf:\n");
    ASSERT_EQ(parsed.findings.size(), 0U) << to_text(parsed.findings);
    const Node& root = parsed.documents.at(0).root;
    EXPECT_EQ(root.find("a")->text, "010");
    EXPECT_EQ(root.find("b")->text, "yes");
    EXPECT_EQ(root.find("c")->text, "1.0");
    EXPECT_EQ(root.find("d")->text, "x");
    EXPECT_EQ(root.find("e")->kind, Node::Kind::null);
    EXPECT_EQ(root.find("f")->kind, Node::Kind::null);
    EXPECT_EQ(root.find("g"), nullptr);
}

TEST(Yaml, PlacesCountFromOneThroughAllDocuments) {
    const Parsed parsed = parse("# head\na: 1\n---\n\nb:\n  - c: 2\n--- # next\nd: 3\n");
    ASSERT_EQ(parsed.documents.size(), 3U);
    const Node* b = parsed.documents[1].root.find("b");
    EXPECT_EQ(b->items[0].find("c")->line, 6);
    EXPECT_EQ(b->items[0].find("c")->column, 8);
    EXPECT_EQ(parsed.documents[2].root.find("d")->line, 8);
    EXPECT_EQ(parsed.documents[2].root.members[0].column, 1);
}

TEST(Yaml, EmptyDocumentsAreNone) {
    EXPECT_TRUE(parse("").documents.empty());
    EXPECT_TRUE(parse("---\n---\n# only a comment\n").documents.empty());
    EXPECT_EQ(parse("%YAML 1.2\n---\na: 1\n").documents.size(), 1U);
    EXPECT_EQ(parse("a: 1\r\n---\r\nb: 2\r\n").documents.size(), 2U);
    EXPECT_EQ(parse("\xEF\xBB\xBF"
                    "a: 1\n")
                  .documents.at(0)
                  .root.members.at(0)
                  .key,
              "a");
}

TEST(Yaml, DashesInsideABlockAreText) {
    const Parsed parsed = parse("pem: |\n  -----BEGIN\n  ---\n  x\nb: 1\n");
    ASSERT_EQ(parsed.documents.size(), 1U);
    EXPECT_EQ(parsed.documents[0].root.find("pem")->text, "-----BEGIN\n---\nx\n");
}

struct Row {
    const char* name;
    std::string text;
    int line;
    int column;
    const char* path;
    const char* message;
    bool complete = true;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class RefusedYaml : public testing::TestWithParam<Row> {};

TEST_P(RefusedYaml, IsReportedAtItsPlace) {
    const Parsed parsed = parse(GetParam().text);
    ASSERT_FALSE(parsed.findings.empty());
    const Finding& first = parsed.findings[0];
    EXPECT_EQ(first.line, GetParam().line) << to_text(parsed.findings);
    EXPECT_EQ(first.column, GetParam().column) << to_text(parsed.findings);
    EXPECT_EQ(first.path, GetParam().path);
    EXPECT_NE(first.message.find(GetParam().message), std::string::npos) << first.message;
    EXPECT_EQ(parsed.unread.empty(), GetParam().complete);
}

const Row kRefused[] = {
    {"anchor", "a: &x 1\n", 1, 4, "a", "anchors are not accepted"},
    {"anchor_of_a_list", "a:\n  b: &x [1]\n", 2, 6, "a.b", "anchors are not accepted"},
    {"cycle", "a: &a [*a]\n", 1, 4, "a", "anchors are not accepted"},
    {"alias_of_nothing", "a: *x\n", 1, 4, "", "YAML: ", false},
    {"duplicate", "a: 1\nb: 2\na: 3\n", 3, 1, "a", "is there twice; the first is on line 1"},
    {"duplicate_deep", "a:\n  - b: 1\n    b: 2\n", 3, 5, "a[0].b", "is there twice"},
    {"duplicate_quoted", "a: 1\n\"a\": 2\n", 2, 1, "a", "is there twice"},
    {"key_is_a_list", "? [a]\n: 1\n", 1, 3, "", "a key must be plain text"},
    {"key_is_nothing", "~: 1\n", 1, 1, "", "a key must be plain text"},
    {"tab", "a:\n\tb: 1\n", 2, 3, "", "YAML: ", false},
    {"unclosed_list", "a: [1, 2\n", 2, 1, "", "YAML: ", false},
    {"unclosed_quote", "a: \"x\n", 2, 1, "", "YAML: ", false},
    {"stray_bracket", "a: 1\n]\nb: 2\n", 2, 1, "", "illegal flow end", false},
    {"stray_comma", ",\n", 1, 1, "", "does not belong here", false},
    {"deep", repeated("[", 65) + repeated("]", 65), 1, 65, "", "deeper than 64", false},
    // Unclosed, each is taken for the key of a mapping as well.
    {"very_deep", repeated("[", 100'000), 1, 33, "", "deeper than 64", false},
    {"deep_block", repeated("- ", 300) + "a", 1, 129, "", "deeper than 64", false},
    {"many", "[" + repeated("1,", 100'001) + "]", 1, 200'000, "[99999]", "more than 100000", false},
    {"nul", std::string("a: 1\nb: \0x\n", 11), 2, 4, "", "NUL", false},
    {"latin_1", "a: 1\nb: caf\xE9\n", 2, 7, "", "UTF-8", false},
    {"utf_16",
     std::string("\xFF\xFE"
                 "a\0",
                 4),
     1, 1, "", "UTF-8", false},
};
INSTANTIATE_TEST_SUITE_P(Rows, RefusedYaml, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.name; });

TEST(Yaml, ABrokenDocumentHidesNoOther) {
    const Parsed parsed = parse("a: 1\n---\nb: [\n---\nc: 3\n---\nd: \"\n---\ne: 5\n");
    ASSERT_EQ(parsed.documents.size(), 3U) << to_text(parsed.findings);
    EXPECT_NE(parsed.documents[1].root.find("c"), nullptr);
    EXPECT_NE(parsed.documents[2].root.find("e"), nullptr);
    ASSERT_EQ(parsed.findings.size(), 2U);
    EXPECT_EQ(parsed.unread, "---\nb: [\n---\nd: \"\n");
}

TEST(Yaml, TheFirstOfTwoKeysStays) {
    const Parsed parsed = parse("a: 1\na: {b: 2}\nc: 3\n");
    EXPECT_EQ(parsed.documents.at(0).root.find("a")->text, "1");
    EXPECT_EQ(parsed.documents.at(0).root.find("c")->text, "3");
}

TEST(Yaml, ReportsOfOneDocumentAreBounded) {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += "k" + std::to_string(i) + ": &a" + std::to_string(i) + " 1\n";
    }
    EXPECT_EQ(parse(text).findings.size(), 100U);
}

TEST(Yaml, AnAliasBombStaysSmall) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
                repeated("*a" + std::to_string(i - 1) + ", ", 9) + "x]\n";
    }
    EXPECT_TRUE(has_errors(parse(text).findings));
}

struct Utf8Row {
    const char* name;
    std::string text;
    bool good;
};

void PrintTo(const Utf8Row& row, std::ostream* out) { *out << row.name; }

class Utf8 : public testing::TestWithParam<Utf8Row> {};

TEST_P(Utf8, IsShortestAndComplete) { EXPECT_EQ(!find_bad_text(GetParam().text), GetParam().good); }

const Utf8Row kUtf8[] = {
    {"two_bytes", "\xC2\x80\xDF\xBF", true},
    {"three_bytes", "\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF", true},
    {"four_bytes", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", true},
    {"continuation_alone", "\x80", false},
    {"overlong_two", "\xC0\xAF", false},
    {"overlong_three", "\xE0\x9F\xBF", false},
    {"overlong_four", "\xF0\x8F\xBF\xBF", false},
    {"surrogate", "\xED\xA0\x80", false},
    {"beyond_the_last", "\xF4\x90\x80\x80", false},
    {"cut_two", "\xC2", false},
    {"cut_three", "\xE2\x82", false},
    {"cut_four", "\xF0\x9F\x98", false},
    {"no_lead", "\xF5\x80\x80\x80", false},
};
INSTANTIATE_TEST_SUITE_P(Rows, Utf8, testing::ValuesIn(kUtf8),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace rotary::config
