// What the path of a request must not do, and what g++ 12 must not be given.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "unit/tidy/source_tree.hpp"

namespace rotary::tidy {

namespace {

// Whether the brace at `at` opens a block (after `)`, a return type, a keyword or another
// statement) and not the braced list of an expression (after a type's name or inside parentheses).
bool opens_block(std::string_view code, std::size_t at) {
    static const std::regex kReturnType(R"(->[\w:<>,&*\s]+$)");
    const std::size_t near = at < 200 ? 0 : at - 200;
    if (std::regex_search(std::string(code.substr(near, at - near)), kReturnType)) return true;
    std::size_t end = at;
    while (end > 0 && std::isspace(static_cast<unsigned char>(code[end - 1])) != 0) --end;
    if (end == 0) return true;
    if (code[end - 1] == '>') return end > 1 && code[end - 2] == '-';
    if (!is_word(code[end - 1])) return std::string_view(");{}:").find(code[end - 1]) != code.npos;
    std::size_t begin = end;
    while (begin > 0 && is_word(code[begin - 1])) --begin;
    const std::string_view word = code.substr(begin, end - begin);
    static constexpr std::array<std::string_view, 7> kWords = {
        "else", "do", "try", "mutable", "noexcept", "const", "override"};
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// Where the full expression begins that holds the text at `at`.
std::size_t expression_begin(std::string_view code, std::size_t at) {
    std::vector<std::size_t> closed;  // braces passed on the way back
    while (at > 0) {
        const char c = code[at - 1];
        if (c == '}') {
            closed.push_back(at);
        } else if (c == '{') {
            const bool block = opens_block(code, at - 1);
            if (block) return closed.empty() ? at : closed.front();
            if (!closed.empty()) closed.pop_back();
        } else if (c == ';') {
            return closed.empty() ? at : closed.front();
        }
        --at;
    }
    return 0;
}

// Where it ends: at its semicolon, or before the block of the `if` or `while` it is the condition
// of. A lambda's body is a part of it.
std::size_t expression_end(std::string_view code, std::size_t at) {
    int depth = 0;
    for (; at < code.size(); ++at) {
        const char c = code[at];
        if (c == '(' || c == '[') ++depth;
        if (c == ')' || c == ']') --depth;
        if (c == '{') {
            if (depth <= 0 && opens_block(code, at)) return at;
            ++depth;
        }
        if (c == '}' && --depth < 0) return at;
        if (c == ';' && depth <= 0) return at;
    }
    return at;
}

// GCC 12 destroys these temporaries twice when a coroutine is suspended in their expression.
Findings awaits_hold_no_temporaries(const File& file) {
    static const std::regex kAwait(R"(\bco_await\b)");
    static const std::regex kLambda(R"((^|[^\w\])\[\s])\s*\[\s*[^\]\[\s][^\]]*\]\s*[({<m])");
    static const std::regex kAggregate(R"((\b[A-Z]\w*|>)\s*\{|[(,]\s*\{)");
    if (!is_cpp(file)) return {};
    Findings findings;
    const std::string code = blanked(file.text, Blank::strings_and_comments);
    for (std::sregex_iterator it(code.begin(), code.end(), kAwait), end; it != end; ++it) {
        const auto at = static_cast<std::size_t>(it->position());
        const std::size_t from = expression_begin(code, at);
        const std::string expression = code.substr(from, expression_end(code, from) - from);
        if (std::regex_search(expression, kLambda))
            findings.push_back({line_at(code, at), "co_await beside a lambda that captures"});
        if (std::regex_search(expression, kAggregate))
            findings.push_back({line_at(code, at), "co_await beside a braced temporary"});
    }
    return findings;
}

// On the path of a request time is the reactor's, read once a round, so that tests can move it and
// a request pays for few reads.
Findings path_has_one_clock(const File& file) {
    static const std::regex kClock(R"(\b(steady_clock|system_clock)\s*::\s*now\s*\()");
    static const std::vector<std::string_view> kRooms = {
        "wire", "auth", "llm", "quota", "rotation", "downstream", "upstream", "routing", "proxy"};
    const bool on_path =
        is_cpp(file) && std::any_of(kRooms.begin(), kRooms.end(), [&](auto room) {
            return file.path.starts_with("src/" + std::string(room) + "/") ||
                   file.path.starts_with("include/rotary/" + std::string(room) + "/");
        });
    if (!on_path) return {};
    Findings findings;
    const std::string code = blanked(file.text, Blank::strings_and_comments);
    for (std::sregex_iterator it(code.begin(), code.end(), kClock), end; it != end; ++it)
        findings.push_back({line_at(code, static_cast<std::size_t>(it->position())),
                            "asks a clock; the reactor's now() or exact_now() is the time here"});
    return findings;
}

TEST(Tidy, PathHasOneClock) {
    const std::string now = "std::chrono::steady_clock::now()";
    expect_rule_finds(path_has_one_clock,
                      {
                          {"on the path", "src/proxy/a.cpp", "f(" + now + ");\n", 1},
                          {"in a header", "include/rotary/auth/a.hpp", "f(" + now + ");\n", 1},
                          {"the wall's", "src/llm/a.cpp", "system_clock::now();\n", 1},
                          {"the loop's own", "src/net/reactor.cpp", "f(" + now + ");\n", 0},
                          {"beside the path", "src/control/a.cpp", "f(" + now + ");\n", 0},
                          {"what measures", "src/proxy/relay.cpp", "f(" + now + ");\n", 1},
                          {"a client's end", "src/downstream/a.cpp", "f(" + now + ");\n", 1},
                          {"in a comment", "src/proxy/a.cpp", "// not " + now + "\n", 0},
                      });
    expect_tree_keeps(path_has_one_clock);
}

TEST(Tidy, AwaitsHoldNoTemporariesGccBreaks) {
    expect_rule_finds(
        awaits_hold_no_temporaries,
        {
            {"plain", "src/a.cpp", "co_await f(x);\n", 0},
            {"captures", "src/a.cpp", "co_await f([s] { g(s); });\n", 1},
            {"captures, called", "src/a.cpp", "co_await f([p](auto h) { h(p); }, token);\n", 1},
            {"captures, over lines", "src/a.cpp", "co_await f(\n    x,\n    [&s]() {});\n", 1},
            {"captures nothing", "src/a.cpp", "co_await f([](int i) { return i; });\n", 0},
            {"an element", "src/a.cpp", "co_await f(table[i](x), t[j]);\n", 0},
            {"named first", "src/a.cpp", "auto l = [s] { g(s); };\nco_await f(std::move(l));\n", 0},
            {"a lambda that awaits", "src/a.cpp", "auto l = [s]() -> T { co_await f(s); };\n", 0},
            {"aggregate", "src/a.cpp", "auto r = co_await f(Opts{a, b});\n", 1},
            {"aggregate before", "src/a.cpp", "g(Opts{a}, co_await f());\n", 1},
            {"designated", "src/a.cpp", "co_await f({.a = 1});\n", 1},
            {"list", "src/a.cpp", "co_await f(x, {s1, s2});\n", 1},
            {"template", "src/a.cpp", "co_await f(std::array<std::string, 2>{a, b});\n", 1},
            {"its own member", "src/a.cpp", "co_await Step{}.run();\n", 1},
            {"a trivial scalar", "src/a.cpp", "co_await wait(seconds{5});\n", 0},
            {"condition", "src/a.cpp", "if (co_await f()) {\n    Opts o{a};\n}\n", 0},
            {"after a block", "src/a.cpp", "if (x) {\n    Opts o{a};\n}\nco_await f(o);\n", 0},
            {"in a loop", "src/a.cpp", "for (;;) {\n    const auto n = co_await f(b);\n}\n", 0},
            {"in a comment", "src/a.cpp", "// co_await f(Opts{a})\n", 0},
        });
    expect_tree_keeps(awaits_hold_no_temporaries);
}

}  // namespace

}  // namespace rotary::tidy
