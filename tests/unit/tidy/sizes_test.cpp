// How long things may grow, and what a header may hold.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/tidy/source_tree.hpp"

namespace rotary::tidy {

namespace {

Findings files_stay_small(const File& file) {
    const bool header = file.path.ends_with(".hpp");
    const bool test_source = file.path.starts_with("tests/") && file.path.ends_with("_test.cpp");
    if (!is_cpp(file) || test_source) return {};
    const std::size_t limit = header ? 200 : 400;
    const std::size_t count = lines_of(file.text).size();
    if (count <= limit) return {};
    return {{0, std::to_string(count) + " lines, and " + std::to_string(limit) + " is the limit"}};
}

Findings lines_stay_short(const File& file) {
    if (!is_cpp(file)) return {};
    Findings findings;
    const auto lines = lines_of(file.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        // Columns, not bytes: the later bytes of a UTF-8 character don't count.
        const auto columns = std::count_if(lines[i].begin(), lines[i].end(),
                                           [](char c) { return (c & 0xC0) != 0x80; });
        if (columns > 100) findings.push_back({i + 1, std::to_string(columns) + " columns"});
    }
    return findings;
}

Findings headers_use_no_namespace(const File& file) {
    static const std::regex kUsing(R"(\busing\s+namespace\b)");
    if (!file.path.ends_with(".hpp")) return {};
    return matches(blanked(file.text, Blank::strings_and_comments), kUsing, "using namespace");
}

Findings headers_are_read_once(const File& file) {
    static const std::regex kOnce(R"(^\s*#\s*pragma\s+once\b)");
    if (!file.path.ends_with(".hpp")) return {};
    const auto once = matches(blanked(file.text, Blank::strings_and_comments), kOnce, "");
    return once.empty() ? Findings{{0, "no #pragma once"}} : Findings{};
}

TEST(Tidy, FilesStaySmall) {
    expect_rule_finds(files_stay_small,
                      {
                          {"full header", "include/rotary/a.hpp", repeated("x\n", 200), 0},
                          {"big header", "include/rotary/a.hpp", repeated("x\n", 201), 1},
                          {"full source", "src/net/a.cpp", repeated("x\n", 400), 0},
                          {"big source", "src/net/a.cpp", repeated("x\n", 401), 1},
                          {"big support", "tests/support/a.cpp", repeated("x\n", 401), 1},
                          {"a long test", "tests/unit/net/a_test.cpp", repeated("x\n", 900), 0},
                          {"data", "tests/data/a.json", repeated("x\n", 900), 0},
                      });
    expect_tree_keeps(files_stay_small);
}

TEST(Tidy, LinesStayWithin100Columns) {
    expect_rule_finds(lines_stay_short,
                      {
                          {"100", "src/a.cpp", repeated("x", 100) + "\n", 0},
                          {"101", "src/a.cpp", "\n" + repeated("x", 101), 1},
                          {"100 of two bytes", "src/a.cpp", repeated("\u00e9", 100), 0},
                          {"tests too", "tests/unit/a_test.cpp", repeated("x", 101), 1},
                          {"prose is free", "README.md", repeated("x", 101), 0},
                      });
    expect_tree_keeps(lines_stay_short);
}

TEST(Tidy, HeadersUseNoNamespace) {
    expect_rule_finds(headers_use_no_namespace,
                      {
                          {"used", "include/a.hpp", "using  namespace std;\n", 1},
                          {"in a function", "src/a.hpp", "f() { using namespace x; }\n", 1},
                          {"named in prose", "include/a.hpp", "// no using namespace here\n", 0},
                          {"one name", "include/a.hpp", "using std::string;\n", 0},
                          {"a source may", "src/a.cpp", "using namespace std::literals;\n", 0},
                      });
    expect_tree_keeps(headers_use_no_namespace);
}

TEST(Tidy, HeadersAreReadOnce) {
    expect_rule_finds(headers_are_read_once,
                      {
                          {"there", "include/a.hpp", "// What it is.\n#pragma once\n", 0},
                          {"missing", "include/a.hpp", "struct A {};\n", 1},
                          {"a comment only", "include/a.hpp", "// #pragma once\n", 1},
                          {"sources need none", "src/a.cpp", "struct A {};\n", 0},
                      });
    expect_tree_keeps(headers_are_read_once);
}

}  // namespace

}  // namespace rotary::tidy
