// What is declared is used: functions, settings, kinds of fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/tidy/source_tree.hpp"

namespace rotary::tidy {

namespace {

using Names = std::set<std::string, std::less<>>;

bool is_name_start(char c) {
    return is_word(c) && std::isdigit(static_cast<unsigned char>(c)) == 0;
}

// Calls back with the place and the text of each name in `code`.
template <class Found>
void each_name(std::string_view code, const Found& found) {
    for (std::size_t at = 0; at < code.size();) {
        if (!is_word(code[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < code.size() && is_word(code[end])) ++end;
        if (is_name_start(code[at])) found(at, code.substr(at, end - at));
        at = end;
    }
}

// --- functions ----------------------------------------------------------------------------------

// Whether what stands before a name in its line is a type, perhaps with the class that the name
// belongs to: the name is declared or defined here, and not called.
bool follows_type(std::string_view before) {
    static const Names kNoType = {"return", "co_return", "co_await", "co_yield", "throw", "else",
                                  "case",   "delete",    "new",      "if",       "while", "using",
                                  "goto",   "sizeof",    "operator", "for",      "switch"};
    while (before.ends_with("::")) {  // the class
        before.remove_suffix(2);
        while (!before.empty() && is_word(before.back())) before.remove_suffix(1);
    }
    if (before.empty() || std::string_view(" &*").find(before.back()) == before.npos) return false;
    bool has_word = false;
    bool is_type = true;
    each_name(before, [&](std::size_t, std::string_view word) {
        has_word = true;
        is_type = is_type && !kNoType.contains(word);
    });
    std::size_t parentheses = 0;  // of requires(...), noexcept(...), alignas(...)
    for (const char c : before) {
        if (c == '(') ++parentheses;
        if (c == ')' && parentheses-- == 0) return false;
        if (parentheses == 0 && !is_word(c) &&
            std::string_view(" :<>,&*[])").find(c) == before.npos)
            return false;
    }
    const std::size_t last = before.find_last_not_of(' ');
    return has_word && is_type && parentheses == 0 && before[last] != ',';
}

bool is_declared_at(std::string_view code, std::size_t at, std::size_t size) {
    if (at + size >= code.size() || code[at + size] != '(') return false;
    const std::size_t line = at == 0 ? 0 : code.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    return follows_type(code.substr(line, at - line));
}

bool is_sources(const File& file) {
    return is_cpp(file) && starts_with_any(file.path, {"include/", "src/", "tests/", "bench/"});
}

// Functions that a header declares and no source, test or bench names again. Overloads count as
// one, and so does what bears the same name elsewhere.
std::vector<Placed> functions_are_used(const std::vector<File>& files) {
    // The language, Boost and GoogleTest call these themselves.
    static const Names kCalledFromOutside = {
        "await_ready",     "await_suspend", "await_resume",
        "initial_suspend", "final_suspend", "unhandled_exception",
        "return_value",    "return_void",   "get_return_object",
        "begin",           "end",           "throw_exception_from_error"};
    std::map<std::string, Placed, std::less<>> declared;
    Names used;
    for (const File& file : files) {
        if (!is_sources(file)) continue;
        const std::string code = blanked(file.text, Blank::strings_and_comments);
        const bool declares =
            file.path.ends_with(".hpp") && starts_with_any(file.path, {"include/", "src/"});
        each_name(code, [&](std::size_t at, std::string_view name) {
            if (!is_declared_at(code, at, name.size()))
                used.emplace(name);
            else if (declares && !kCalledFromOutside.contains(name))
                declared.try_emplace(std::string(name),
                                     Placed{file.path, line_at(code, at),
                                            std::string(name) + "() is declared and never used"});
        });
    }
    std::vector<Placed> findings;
    for (const auto& [name, placed] : declared)
        if (!used.contains(name)) findings.push_back(placed);
    return findings;
}

TEST(Tidy, FunctionsAreUsed) {
    const File header{"include/rotary/net/a.hpp", "int f(int a) noexcept;\n"};
    expect_rule_finds(
        functions_are_used,
        {
            {"called", {header, {"src/net/a.cpp", "int f(int a) noexcept {}\nint b = f(1);\n"}}, 0},
            {"called alone", {header, {"src/net/a.cpp", "void g() {\n    f(1);\n}\n"}}, 0},
            {"called by its room",
             {header, {"src/app/a.cpp", "void g() {\n    net::f(1);\n}\n"}},
             0},
            {"called in a return", {header, {"src/net/a.cpp", "    return f(1);\n"}}, 0},
            {"called by a test", {header, {"tests/unit/a.cpp", "EXPECT_EQ(f(1), 1);\n"}}, 0},
            {"named", {header, {"src/net/a.cpp", "each(list, f);\n"}}, 0},
            {"declared alone", {header}, 1},
            {"defined alone", {header, {"src/net/a.cpp", "int f(int a) noexcept {}\n"}}, 1},
            {"a member",
             {{"src/net/a.hpp", "    const T& f() const;\n"},
              {"src/net/a.cpp", "const T& A::f() const {}\n"}},
             1},
            {"a template's", {{"src/net/a.hpp", "    std::map<int, T> f() const;\n"}}, 1},
            {"in a comment alone", {header, {"src/net/a.cpp", "// f(1) is called\n"}}, 1},
            {"in a string alone", {header, {"src/net/a.cpp", "g(\"f(1)\");\n"}}, 1},
            {"for the compiler", {{"src/net/a.hpp", "    bool await_ready() const;\n"}}, 0},
            {"a source's own", {{"src/net/a.cpp", "int f() {}\n"}}, 0},
        });
    expect_tree_keeps(functions_are_used);
}

// --- settings and kinds -------------------------------------------------------------------------

struct Member {
    std::size_t line;
    std::string name;
};

// The data members of the structs in a header, but marks, which are for findings.
std::vector<Member> members_of(const File& file) {
    static const std::regex kMember(
        R"(^    (?!using |static |return |enum |struct )(?!(std::optional<)?Mark>? ))"
        R"([\w:<>,&* ]+[>&* ](\w+)(\{[^}]*\}| = .*|);)");
    std::vector<Member> members;
    const std::vector<std::string> lines =
        lines_of(blanked(file.text, Blank::strings_and_comments));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        const std::string line = lines[i].substr(0, lines[i].find_last_not_of(' ') + 1);
        if (std::regex_search(line, match, kMember)) members.push_back({i + 1, match[2]});
    }
    return members;
}

// Where the members of rotary.yaml and of the kinds are; the table of the keys and the collection
// of all objects are neither.
bool is_settings(const File& file) {
    return starts_with_any(file.path, {"include/rotary/config/settings/limits.hpp",
                                       "include/rotary/config/settings/settings.hpp",
                                       "include/rotary/config/kinds/"}) &&
           file.path != "include/rotary/config/kinds/resources.hpp";
}

// Fields of APK's kinds that the readers check, and warn of or pass over, since they are not
// served. The annotations are read where they are filled. What is read elsewhere has to leave this
// list.
const Names kNotServed = {"annotations", "provider_api_version", "supported_models",
                          "max_connection_pools"};

// What fills a member (the readers), lists all (the table of keys) or shows all does not read it.
bool only_fills(const File& file) {
    return starts_with_any(file.path, {"src/config/kinds/", "src/config/settings/"}) ||
           file.path == "src/admin/status.cpp";
}

// Members of the configuration that no code reads once they are filled: keys that do nothing.
std::vector<Placed> settings_are_read(const std::vector<File>& files) {
    Names read;
    for (const File& file : files) {
        if (!is_cpp(file) || !starts_with_any(file.path, {"include/", "src/"})) continue;
        if (is_settings(file) || only_fills(file)) continue;
        const std::string code = blanked(file.text, Blank::strings_and_comments);
        each_name(code, [&](std::size_t at, std::string_view name) {
            const std::string_view before = std::string_view(code).substr(0, at);
            if (before.ends_with('.') || before.ends_with("->") || before.ends_with("::"))
                read.emplace(name);
        });
    }
    std::vector<Placed> findings;
    for (const File& file : files) {
        if (!is_settings(file)) continue;
        for (const auto& [line, name] : members_of(file)) {
            const bool of_class = name.ends_with('_');  // its accessor is what is read
            if (!read.contains(name) && !kNotServed.contains(name) && !of_class)
                findings.push_back({file.path, line, name + " is filled and never read"});
            if (read.contains(name) && kNotServed.contains(name))
                findings.push_back({file.path, line, name + " is read by now"});
        }
    }
    return findings;
}

TEST(Tidy, SettingsAreRead) {
    const std::string kinds = "include/rotary/config/kinds/a.hpp";
    const File header{"include/rotary/config/settings/limits.hpp",
                      "struct Limits {\n    std::size_t turn_bytes = 8;  // a turn\n};\n"};
    expect_rule_finds(
        settings_are_read,
        {
            {"read", {header, {"src/server/a.cpp", "f(limits.turn_bytes);\n"}}, 0},
            {"read by a check", {header, {"src/config/check/a.cpp", "f(l->turn_bytes);\n"}}, 0},
            {"nowhere", {header}, 1},
            {"filled alone", {header, {"src/config/settings/a.cpp", "r(l.turn_bytes);\n"}}, 1},
            {"by a test alone", {header, {"tests/unit/a.cpp", "f(l.turn_bytes);\n"}}, 1},
            {"shown alone", {header, {"src/admin/status.cpp", "f(l.turn_bytes);\n"}}, 1},
            {"another's parameter", {header, {"src/net/a.cpp", "f(turn_bytes);\n"}}, 1},
            {"a list", {{kinds, "struct A {\n    std::vector<B> rules;\n};\n"}}, 1},
            {"a time", {{kinds, "struct A {\n    Duration head{10'000};\n};\n"}}, 1},
            {"a mark", {{kinds, "struct A {\n    Mark mark;\n};\n"}}, 0},
            {"not served", {{kinds, "struct A {\n    Total max_connection_pools;\n};\n"}}, 0},
            {"served by now",
             {{kinds, "struct A {\n    Total max_connection_pools;\n};\n"},
              {"src/llm/a.cpp", "f(a.max_connection_pools);\n"}},
             1},
            {"a function", {{kinds, "struct A {\n    int f() const;\n};\n"}}, 0},
        });
    expect_tree_keeps(settings_are_read);
}

// --- faults -------------------------------------------------------------------------------------

std::vector<std::string> kinds_of_fault(std::string_view code) {
    std::vector<std::string> kinds;
    const std::size_t from = code.find("enum class FaultKind");
    if (from == code.npos) return kinds;
    const std::size_t open = code.find('{', from);
    each_name(code.substr(open, code.find('}', open) - open),
              [&](std::size_t, std::string_view name) { kinds.emplace_back(name); });
    return kinds;
}

// Where a kind is named but not raised: asked for, or turned into a text.
bool only_asks(std::string_view before) {
    while (before.ends_with(' ')) before.remove_suffix(1);
    return before.ends_with("case") || before.ends_with("==") || before.ends_with("!=");
}

std::vector<Placed> faults_are_raised(const std::vector<File>& files) {
    constexpr std::string_view kHome = "include/rotary/base/fault.hpp";
    constexpr std::string_view kPrefix = "FaultKind::";
    Names raised;
    std::vector<std::string> kinds;
    for (const File& file : files) {
        if (!is_cpp(file) || !starts_with_any(file.path, {"include/", "src/"})) continue;
        const std::string code = blanked(file.text, Blank::strings_and_comments);
        if (file.path == kHome) kinds = kinds_of_fault(code);
        each_name(code, [&](std::size_t at, std::string_view name) {
            std::string_view before = std::string_view(code).substr(0, at);
            if (!before.ends_with(kPrefix)) return;
            before.remove_suffix(kPrefix.size());
            if (!only_asks(before)) raised.emplace(name);
        });
    }
    std::vector<Placed> findings;
    for (const std::string& kind : kinds) {
        if (kind == "none" || kind == "count_") continue;
        if (!raised.contains(kind))
            findings.push_back({std::string(kHome), 0, kind + " is never raised"});
    }
    return findings;
}

TEST(Tidy, FaultsAreRaised) {
    const File home{"include/rotary/base/fault.hpp",
                    "enum class FaultKind : int {\n    none,\n    draining,\n    count_\n};\n"};
    expect_rule_finds(
        faults_are_raised,
        {
            {"raised", {home, {"src/a.cpp", "return Fault::internal(FaultKind::draining);\n"}}, 0},
            {"never", {home}, 1},
            {"by a test", {home, {"tests/a.cpp", "f(FaultKind::draining);\n"}}, 1},
            {"asked for", {home, {"src/a.cpp", "if (kind == FaultKind::draining) {}\n"}}, 1},
            {"has a row", {home, {"src/a.cpp", "case FaultKind::draining:\n"}}, 1},
            {"in a comment", {home, {"src/a.cpp", "// FaultKind::draining\n"}}, 1},
        });
    expect_tree_keeps(faults_are_raised);
}

}  // namespace

}  // namespace rotary::tidy
