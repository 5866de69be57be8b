// The rules of the house that a compiler does not hold: who may include whom, where a library is
// at home, how long things may grow, and what GCC 12 must not be given. Every rule is a pure
// function from a file to its findings, tried first on a table of snippets and then on the tree.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct File {
    std::string path;  // from the root of the tree, with slashes
    std::string text;
};

struct Finding {
    std::size_t line;  // from 1; 0 for the file as a whole
    std::string what;
};

using Findings = std::vector<Finding>;
using Rule = Findings (*)(const File&);

// --- reading C++ just well enough ---------------------------------------------------------------

enum class Blank { strings, strings_and_comments };

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view end) { return path.ends_with(end); });
}

bool is_cpp(const File& file) { return ends_with_any(file.path, {".hpp", ".cpp"}); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The end of the string or character literal whose quote stands at `at`.
std::size_t literal_end(std::string_view text, std::size_t at) {
    const bool raw = text[at] == '"' && at > 0 && text[at - 1] == 'R';
    if (raw) {
        const std::size_t open = text.find('(', at);
        if (open == std::string_view::npos) return text.size();
        const std::string close = ")" + std::string(text.substr(at + 1, open - at - 1)) + "\"";
        const std::size_t end = text.find(close, open);
        return end == std::string_view::npos ? text.size() : end + close.size();
    }
    std::size_t i = at + 1;
    while (i < text.size() && text[i] != text[at] && text[i] != '\n')
        i += text[i] == '\\' ? 2U : 1U;
    return std::min(i + 1, text.size());
}

// The text with what is not code turned into spaces; lines and columns stay.
std::string blanked(std::string_view text, Blank blank) {
    std::string out(text);
    const auto wipe = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to && i < out.size(); ++i)
            if (out[i] != '\n') out[i] = ' ';
    };
    std::size_t i = 0;
    while (i < text.size()) {
        std::size_t end = i + 1;
        if (text.substr(i, 2) == "//" || text.substr(i, 2) == "/*") {
            const bool line = text[i + 1] == '/';
            end = line ? text.find('\n', i) : text.find("*/", i + 2);
            end = end == std::string_view::npos ? text.size() : end + (line ? 0 : 2);
            if (blank == Blank::strings_and_comments) wipe(i, end);
        } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word(text[i - 1])))) {
            end = literal_end(text, i);
            wipe(i + 1, end - 1);
        }
        i = end;
    }
    return out;
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    std::istringstream in{std::string(text)};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::size_t line_at(std::string_view text, std::size_t offset) {
    return 1 + static_cast<std::size_t>(std::count(
                   text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

// --- includes -----------------------------------------------------------------------------------

using Floors = std::map<std::string, int, std::less<>>;

// The list of rooms, which CMake reads too: a line "floor room" each.
const Floors& floors() {
    static const Floors kFloors = [] {
        Floors read;
        std::ifstream in(ROTARY_SOURCE_DIR "/cmake/rooms.txt");
        int floor = 0;
        for (std::string room; in >> floor >> room;) read.emplace(room, floor);
        return read;
    }();
    return kFloors;
}

// What lies below include/rotary/net or src/net belongs to net; other files to no room.
std::string room_of(std::string_view path) {
    for (std::string_view root : {"include/rotary/", "src/"}) {
        if (!path.starts_with(root)) continue;
        path.remove_prefix(root.size());
        const std::string room(path.substr(0, path.find('/')));
        return floors().contains(room) ? room : "";
    }
    return "";
}

struct Include {
    std::size_t line;
    std::string name;
};

std::vector<Include> includes_of(const File& file) {
    static const std::regex kInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
    std::vector<Include> found;
    const auto lines = lines_of(file.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(lines[i], match, kInclude)) found.push_back({i + 1, match[1]});
    }
    return found;
}

Findings rooms_include_downward(const File& file) {
    Findings findings;
    const std::string room = room_of(file.path);
    if (room.empty()) return findings;
    for (const auto& [line, name] : includes_of(file)) {
        const bool shared = name.starts_with("rotary/");
        std::string other = name.substr(shared ? 7 : 0);
        other = other.substr(0, other.find('/'));
        if (other == room || !floors().contains(other) || name.find('/') == std::string::npos)
            continue;
        if (!shared)
            findings.push_back({line, name + " is a private header of room " + other});
        else if (floors().at(other) >= floors().at(room))
            findings.push_back({line, room + " may not include " + name + ": only lower floors"});
    }
    return findings;
}

struct Home {
    std::string_view library;  // how its includes begin
    std::vector<std::string_view> places;
};

Findings libraries_stay_home(const File& file) {
    static const std::vector<std::string_view> kOpensslHomes = {"include/rotary/base/openssl.hpp",
                                                                "src/net/",
                                                                "src/auth/",
                                                                "src/config/check/certificate.cpp",
                                                                "src/config/fingerprint.cpp",
                                                                "src/control/https_get.cpp",
                                                                "src/demo/client.",
                                                                "src/tools/",
                                                                "src/app/version.cpp",
                                                                "tests/"};
    static const std::vector<Home> kHomes = {
        {"yaml-cpp/", {"src/config/yaml/"}},
        {"rapidjson/", {"src/wire/json_"}},
        {"re2/", {"src/routing/"}},
        {"ares.h", {"src/net/dns_client.cpp", "src/net/dns_answer.cpp", "tests/"}},
        {"CLI/", {"src/app/", "src/demo/", "src/mock/", "src/tools/", "tests/"}},
        {"openssl/", kOpensslHomes},
        {"rotary/base/openssl.hpp", kOpensslHomes},
        {"boost/beast",
         {"src/control/", "src/admin/", "src/mock/", "src/demo/", "src/base/asio.cpp", "tests/"}},
    };
    Findings findings;
    for (const auto& [line, name] : includes_of(file))
        for (const auto& [library, places] : kHomes) {
            const auto here = [&](std::string_view place) { return file.path.starts_with(place); };
            if (name.starts_with(library) && std::none_of(places.begin(), places.end(), here))
                findings.push_back({line, name + " is at home elsewhere"});
        }
    return findings;
}

// --- sizes --------------------------------------------------------------------------------------

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

// --- single lines -------------------------------------------------------------------------------

Findings matches(std::string_view text, const std::regex& pattern, std::string_view what) {
    Findings findings;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (std::regex_search(lines[i], pattern)) findings.push_back({i + 1, std::string(what)});
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

// --- coroutines ---------------------------------------------------------------------------------

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

// --- what is named -------------------------------------------------------------------------------

// The path of every file and folder, and each of its endings: of a/b/c, that, b/c and c.
const std::set<std::string, std::less<>>& known_paths();

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

// --- the clock -----------------------------------------------------------------------------------

// On the path of a request time is the reactor's, read once a round, so that tests can move it and
// a request pays for few reads. Those that measure read the clock themselves.
Findings path_has_one_clock(const File& file) {
    static const std::regex kClock(R"(\b(steady_clock|system_clock)\s*::\s*now\s*\()");
    static const std::vector<std::string_view> kRooms = {"wire",     "auth",    "llm",  "rotation",
                                                         "upstream", "routing", "proxy"};
    // How long something took, and from when on an entry is out.
    static const std::vector<std::string_view> kMeasure = {
        "src/proxy/settle.cpp", "src/proxy/refusal.cpp", "src/proxy/relay.cpp",
        "src/proxy/forward.cpp"};
    const bool on_path =
        is_cpp(file) && std::any_of(kRooms.begin(), kRooms.end(), [&](auto room) {
            return file.path.starts_with("src/" + std::string(room) + "/") ||
                   file.path.starts_with("include/rotary/" + std::string(room) + "/");
        });
    const bool measures = std::find(kMeasure.begin(), kMeasure.end(), file.path) != kMeasure.end();
    if (!on_path || measures) return {};
    Findings findings;
    const std::string code = blanked(file.text, Blank::strings_and_comments);
    for (std::sregex_iterator it(code.begin(), code.end(), kClock), end; it != end; ++it)
        findings.push_back({line_at(code, static_cast<std::size_t>(it->position())),
                            "asks a clock; the reactor's now() is the time here"});
    return findings;
}

// --- the tree -----------------------------------------------------------------------------------

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool is_text(const fs::path& path) {
    static const std::vector<std::string_view> kEndings = {
        ".hpp", ".cpp",  ".cmake", ".txt",  ".md",   ".sh", ".py",  ".mjs", ".js",
        ".lua", ".yaml", ".yml",   ".json", ".conf", ".in", ".css", ".html"};
    static const std::vector<std::string_view> kNames = {"dev", "run", "Dockerfile", ".gitignore"};
    const std::string name = path.filename();
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
           std::find(kEndings.begin(), kEndings.end(), path.extension()) != kEndings.end();
}

const std::vector<File>& tree() {
    static const std::vector<File> kTree = [] {
        static const std::vector<std::string_view> kSkipped = {
            ".git", "build", "node_modules", ".venv", "__pycache__", ".cache"};
        std::vector<File> files;
        const fs::path root = ROTARY_SOURCE_DIR;
        for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
            const std::string name = it->path().filename();
            if (std::find(kSkipped.begin(), kSkipped.end(), name) != kSkipped.end()) {
                if (it->is_directory()) it.disable_recursion_pending();
            } else if (it->is_regular_file() && is_text(it->path())) {
                files.push_back({it->path().lexically_relative(root), read(it->path())});
            }
        }
        return files;
    }();
    return kTree;
}

const std::set<std::string, std::less<>>& known_paths() {
    static const std::set<std::string, std::less<>> kPaths = [] {
        std::set<std::string, std::less<>> paths;
        for (const File& file : tree()) {
            for (fs::path path = file.path; !path.empty(); path = path.parent_path()) {
                std::string ending = path;
                paths.insert(ending);
                for (std::size_t at = ending.find('/'); at != ending.npos; at = ending.find('/')) {
                    ending.erase(0, at + 1);
                    paths.insert(ending);
                }
            }
        }
        return paths;
    }();
    return kPaths;
}

void expect_tree_keeps(Rule rule) {
    ASSERT_GT(tree().size(), 10U) << "no tree at " << ROTARY_SOURCE_DIR;
    for (const File& file : tree())
        for (const auto& [line, what] : rule(file))
            ADD_FAILURE() << file.path << ":" << line << ": " << what;
}

struct Snippet {
    std::string_view name;
    std::string path;
    std::string text;
    std::size_t findings;
};

void expect_rule_finds(Rule rule, const std::vector<Snippet>& snippets) {
    for (const auto& snippet : snippets)
        EXPECT_EQ(rule({snippet.path, snippet.text}).size(), snippet.findings) << snippet.name;
}

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Tidy, rooms_include_only_lower_floors) {
    expect_rule_finds(
        rooms_include_downward,
        {
            {"downward", "src/proxy/a.cpp", "#include \"rotary/net/stream.hpp\"\n", 0},
            {"its own", "src/net/a.cpp", "#include \"rotary/net/stream.hpp\"\n", 0},
            {"its own private", "src/net/a.cpp", "#include \"net/epoll.hpp\"\n", 0},
            {"outside libraries", "src/base/a.cpp", "#include <sys/epoll.h>\n", 0},
            {"tests see all", "tests/unit/base/a.cpp", "#include \"rotary/mock/provider.hpp\"\n",
             0},
            {"routing reads config", "src/routing/a.cpp",
             "#include \"rotary/config/settings/settings.hpp\"\n", 0},
            {"upward", "src/base/a.cpp", "#include \"rotary/wire/message.hpp\"\n", 1},
            {"upward, header", "include/rotary/wire/a.hpp", "#include <rotary/proxy/a.hpp>\n", 1},
            {"sideways", "src/net/a.cpp", "#include \"rotary/wire/message.hpp\"\n", 1},
            {"sideways, spaced", "src/config/a.cpp", "# include \"rotary/wire/a.hpp\"\n", 1},
            {"another's private", "src/app/a.cpp", "#include \"server/worker.hpp\"\n", 1},
        });
    expect_tree_keeps(rooms_include_downward);
}

std::vector<std::string> folders_of(const char* path) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(ROTARY_SOURCE_DIR) / path))
        if (entry.is_directory() && !fs::is_empty(entry)) names.push_back(entry.path().filename());
    return names;
}

TEST(Tidy, folders_are_rooms) {
    ASSERT_FALSE(floors().empty()) << "no list of rooms";
    EXPECT_EQ(folders_of("src").size(), floors().size());
    for (const char* root : {"src", "include/rotary", "tests/unit"})
        for (const std::string& name : folders_of(root))
            EXPECT_TRUE(floors().contains(name)) << root << '/' << name << " is no room";
}

TEST(Tidy, libraries_stay_in_their_homes) {
    expect_rule_finds(
        libraries_stay_home,
        {
            {"yaml at home", "src/config/yaml/node.cpp", "#include <yaml-cpp/yaml.h>\n", 0},
            {"c-ares abroad", "src/net/resolver.cpp", "#include <ares.h>\n", 1},
            {"yaml in a header", "include/rotary/config/a.hpp", "#include <yaml-cpp/yaml.h>\n", 1},
            {"yaml abroad", "src/app/check.cpp", "#include <yaml-cpp/yaml.h>\n", 1},
            {"json at home", "src/wire/json_writer.cpp", "#include <rapidjson/writer.h>\n", 0},
            {"json next door", "src/wire/problem.cpp", "#include <rapidjson/writer.h>\n", 1},
            {"beast in the mock", "src/mock/session.cpp", "#include <boost/beast/http.hpp>\n", 0},
            {"beast compiled once", "src/base/asio.cpp", "#include <boost/beast/src.hpp>\n", 0},
            {"beast in a test", "tests/support/a.cpp", "#include <boost/beast.hpp>\n", 0},
            {"patterns at home", "src/routing/route_table.cpp", "#include <re2/re2.h>\n", 0},
            {"patterns abroad", "src/proxy/cors.cpp", "#include <re2/re2.h>\n", 1},
            {"keys at home", "src/auth/key_set.cpp", "#include <openssl/pem.h>\n", 0},
            {"owners at home", "src/net/tls.cpp", "#include <rotary/base/openssl.hpp>\n", 0},
            {"owners abroad", "src/net2/a.cpp", "#include <rotary/base/openssl.hpp>\n", 1},
            {"owners in a header", "include/rotary/auth/key_set.hpp",
             "#include <rotary/base/openssl.hpp>\n", 1},
            {"keys abroad", "src/proxy/admit.cpp", "#include <openssl/evp.h>\n", 1},
            {"TLS in a header", "include/rotary/net/tls.hpp", "#include <openssl/ssl.h>\n", 1},
            {"beast on the path", "src/net/stream.cpp", "#include <boost/beast/core.hpp>\n", 1},
            {"beast in a room", "src/base/asio2.cpp", "#include <boost/beast.hpp>\n", 1},
        });
    expect_tree_keeps(libraries_stay_home);
}

TEST(Tidy, files_stay_small) {
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

TEST(Tidy, lines_stay_within_100_columns) {
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

TEST(Tidy, headers_use_no_namespace) {
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

TEST(Tidy, headers_are_read_once) {
    expect_rule_finds(headers_are_read_once,
                      {
                          {"there", "include/a.hpp", "// What it is.\n#pragma once\n", 0},
                          {"missing", "include/a.hpp", "struct A {};\n", 1},
                          {"a comment only", "include/a.hpp", "// #pragma once\n", 1},
                          {"sources need none", "src/a.cpp", "struct A {};\n", 0},
                      });
    expect_tree_keeps(headers_are_read_once);
}

TEST(Tidy, nothing_is_left_undone) {
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

TEST(Tidy, named_files_exist) {
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

TEST(Tidy, path_has_one_clock) {
    const std::string now = "std::chrono::steady_clock::now()";
    expect_rule_finds(path_has_one_clock,
                      {
                          {"on the path", "src/proxy/a.cpp", "f(" + now + ");\n", 1},
                          {"in a header", "include/rotary/auth/a.hpp", "f(" + now + ");\n", 1},
                          {"the wall's", "src/llm/a.cpp", "system_clock::now();\n", 1},
                          {"the loop's own", "src/net/reactor.cpp", "f(" + now + ");\n", 0},
                          {"beside the path", "src/control/a.cpp", "f(" + now + ");\n", 0},
                          {"measures", "src/proxy/relay.cpp", "f(" + now + ");\n", 0},
                          {"in a comment", "src/proxy/a.cpp", "// not " + now + "\n", 0},
                      });
    expect_tree_keeps(path_has_one_clock);
}

TEST(Tidy, no_path_of_a_machine) {
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

TEST(Tidy, awaits_hold_no_temporaries_gcc_breaks) {
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
