// What comments and pages say: nothing that is not there, nothing undone, no riddles.
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <regex>
#include <string>
#include <string_view>

#include "unit/tidy/source_tree.hpp"

namespace rotary::tidy {

namespace {

// The words are put together here, so that this file does not find itself.
const std::string kUnfinished = std::string("TO") + "DO|FIX" + "ME|XX" + "X";

Findings nothing_is_left_undone(const File& file) {
    static const std::regex kMark("\\b(" + kUnfinished + ")\\b");
    const std::string text = is_cpp(file) ? blanked(file.text, Blank::strings) : file.text;
    return matches(text, kMark, "an unfinished mark: do it, or open an issue");
}

Findings no_machine_paths(const File& file) {
    static const std::regex kPath(std::string("(^|[^\\w.}~-])/(ho") + "me|wo" + "rk|Users)/\\w");
    return matches(file.text, kPath, "a path of somebody's machine");
}

// Whether a file, or a folder, has a path that ends so.
bool is_known(const std::string& name) {
    static constexpr std::string_view kEndings[] = {"", ".hpp", ".cpp"};
    return std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) {
        return known_paths().contains(name + std::string(ending));
    });
}

// What comments and pages name: files by the end of their path, in pages `room/stem` too.
Findings named_files_exist(const File& file) {
    static const std::regex kFile(
        R"((^|[^\w./~{$*-])((?:[a-z_0-9]+/)*[a-z_0-9]+\.(?:cpp|hpp|md|sh|cmake|lua))(?![\w/*]))");
    static const std::regex kStem(R"((`)([a-z_0-9]+/[a-z_0-9]+)`)");
    const bool is_page = file.path.ends_with(".md");
    if (!is_cpp(file) && !is_page) return {};
    Findings findings;
    const std::vector<std::string> lines = lines_of(file.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t from = is_page ? 0 : std::min(lines[i].find("//"), lines[i].size());
        const std::string prose = lines[i].substr(from);
        const auto look = [&](const std::regex& pattern) {
            for (std::sregex_iterator it(prose.begin(), prose.end(), pattern), end; it != end;
                 ++it) {
                const std::string name = (*it)[2];
                const bool of_house =
                    &pattern == &kFile || floors().contains(name.substr(0, name.find('/')));
                if (of_house && !is_known(name))
                    findings.push_back({i + 1, name + " is not in the tree"});
            }
        };
        look(kFile);
        if (is_page) look(kStem);
    }
    return findings;
}

// A comment speaks of a thing of the house: the entry, the session, the caller.
Findings comments_have_subjects(const File& file) {
    static const std::regex kRiddle(
        R"((//|^\s*\*).*\b(some|no|every|any)(body|one)('s)?\b(?! of\b)|//.*\bwhoever\b)",
        std::regex::icase);
    const bool of_house = is_cpp(file) && starts_with_any(file.path, {"src/", "include/"});
    if (!of_house) return {};
    return matches(blanked(file.text, Blank::strings), kRiddle,
                   "a comment without a subject: name the thing of the house that it is");
}

// The names of tests are sentences in PascalCase.
Findings tests_are_named_alike(const File& file) {
    static const std::regex kTest(R"(^(TYPED_)?TEST(_F|_P)?\()");
    static const std::regex kNamed(
        R"(^(TYPED_)?TEST(_F|_P)?\([A-Z][A-Za-z0-9]*, (DISABLED_)?[A-Z][A-Za-z0-9]*\) \{)");
    if (!is_cpp(file) || !file.path.starts_with("tests/")) return {};
    Findings findings;
    for (const auto& found : matches(file.text, kTest, "a test's name is PascalCase")) {
        const std::string line = lines_of(file.text)[found.line - 1];
        if (!std::regex_search(line, kNamed)) findings.push_back(found);
    }
    return findings;
}

TEST(Tidy, NothingIsLeftUndone) {
    const std::string mark = kUnfinished.substr(0, 4);
    expect_rule_finds(nothing_is_left_undone,
                      {
                          {"comment", "src/a.cpp", "// " + mark + ": later\n", 1},
                          {"script", "a.sh", "# " + mark + "\n", 1},
                          {"a string", "src/a.cpp", "f(\"" + mark + "\");\n", 0},
                          {"part of a word", "src/a.cpp", "int " + mark + "S;\n", 0},
                      });
    expect_tree_keeps(nothing_is_left_undone);
}

TEST(Tidy, NamedFilesExist) {
    const std::string gone = "gone";
    expect_rule_finds(named_files_exist,
                      {
                          {"there", "src/a.cpp", "// As dev says, see ARCHITECTURE.md.\n", 0},
                          {"by its ending", "src/a.cpp", "// See net/reactor.hpp.\n", 0},
                          {"not there", "src/a.cpp", "// See net/" + gone + ".hpp.\n", 1},
                          {"a page", "src/a.cpp", "int a;  // " + gone + ".md, section 6\n", 1},
                          {"in code", "src/a.cpp", "f(\"" + gone + ".md\");\n", 0},
                          {"in a page", "a.md", "| a limit | `net/" + gone + ".cpp` |\n", 1},
                          {"a stem", "a.md", "`net/reactor` and `net/" + gone + "`\n", 1},
                          {"no room", "a.md", "`other/" + gone + "`\n", 0},
                      });
    expect_tree_keeps(named_files_exist);
}

TEST(Tidy, NoPathOfAMachine) {
    const std::string ho = "/ho";
    expect_rule_finds(no_machine_paths,
                      {
                          {"in a string", "src/a.cpp", "f(\"" + ho + "me/me/x\");\n", 1},
                          {"in a script", "a.sh", "cd " + ho + "me/me\n", 1},
                          {"below a folder", "a.md", "see build" + ho + "me/x\n", 0},
                          {"an URL's path", "a.md", "https://example.com" + ho + "me/x\n", 0},
                      });
    expect_tree_keeps(no_machine_paths);
}

TEST(Tidy, CommentsHaveSubjects) {
    expect_rule_finds(
        comments_have_subjects,
        {
            {"a thing", "src/net/a.cpp", "// The session waits.\n", 0},
            {"a riddle", "src/net/a.cpp", "// Somebody waits.\n", 1},
            {"behind code", "include/rotary/net/a.hpp", "int a;  // nobody reads it\n", 1},
            {"whose it is", "src/net/a.cpp", "// It is nobody's.\n", 1},
            {"who comes", "src/net/a.cpp", "// Whoever comes is let in.\n", 1},
            {"one word", "src/net/a.cpp", "// As anyone may.\n", 1},
            {"of things", "src/net/a.cpp", "// No one of them is first, any one of these is.\n", 0},
            {"in a string", "src/net/a.cpp", "f(\"nobody\");\n", 0},
            {"in code", "src/net/a.cpp", "f(nobody);\n", 0},
            {"a test may", "tests/unit/a_test.cpp", "// Nobody comes.\n", 0},
        });
    expect_tree_keeps(comments_have_subjects);
}

TEST(Tidy, TestsAreNamedAlike) {
    expect_rule_finds(tests_are_named_alike,
                      {
                          {"a sentence", "tests/unit/a_test.cpp", "TEST(Heads, AreRead) {\n", 0},
                          {"a fixture's", "tests/unit/a_test.cpp", "TEST_F(Heads, Are2) {\n", 0},
                          {"snakes", "tests/unit/a_test.cpp", "TEST(Heads, are_read) {\n", 1},
                          {"a snake", "tests/unit/a_test.cpp", "TEST_F(Heads, Are_read) {\n", 1},
                          {"a small one", "tests/unit/a_test.cpp", "TEST_P(Heads, are) {\n", 1},
                          {"a suite's", "tests/unit/a_test.cpp", "TEST(heads, Are) {\n", 1},
                      });
    expect_tree_keeps(tests_are_named_alike);
}

}  // namespace

}  // namespace rotary::tidy
