#include <rotary/routing/route_table.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::routing {
namespace {

using Type = config::PathType;
using Rewrite = config::PathRewrite;

config::PathMatch match_of(Type type, const std::string& value) { return {type, value, {}}; }

PathPattern pattern(Type type, const std::string& value, const std::string& base = "/chat/1.0") {
    return {base, match_of(type, value)};
}

TEST(PathPattern, Matches) {
    struct Row {
        const char* name;
        Type type;
        const char* value;
        const char* path;  // below /chat/1.0
        bool matches;
    };
    using enum config::PathType;
    const Row rows[] = {
        {"exact", exact, "/chars", "/chars", true},
        {"exact, trailing slash", exact, "/chars", "/chars/", true},
        {"exact, slash in the route only", exact, "/chars/", "/chars", true},
        {"exact, slash in both", exact, "/chars/", "/chars/", true},
        {"exact, two slashes", exact, "/chars", "/chars//", false},
        {"exact, more letters", exact, "/chars", "/charsAdditional", false},
        {"exact, fewer letters", exact, "/chars", "/char", false},
        {"exact, another segment", exact, "/chars", "/chars/a", false},
        {"exact, letter case counts", exact, "/chars", "/Chars", false},
        {"exact holds no expressions", exact, "/a.c", "/abc", false},
        {"exact root", exact, "/", "", true},
        {"exact root, with its slash", exact, "/", "/", true},
        {"exact root, more", exact, "/", "/a", false},
        {"prefix", prefix, "/chars", "/chars", true},
        {"prefix, slash", prefix, "/chars", "/chars/", true},
        {"prefix, below", prefix, "/chars", "/chars/a/b", true},
        {"prefix, more letters", prefix, "/chars", "/charsAdditional", false},
        {"prefix, fewer letters", prefix, "/chars", "/char", false},
        {"prefix with a slash, without", prefix, "/chars/", "/chars", true},
        {"prefix with a slash, below", prefix, "/chars/", "/chars/a", true},
        {"prefix of everything", prefix, "/", "/any/thing", true},
        {"prefix of everything, nothing", prefix, "/", "", true},
        {"literal", regex, "/chat/completions", "/chat/completions", true},
        {"literal, trailing slash", regex, "/chat/completions", "/chat/completions/", true},
        {"literal, slash in the route only", regex, "/chat/more/", "/chat/more", true},
        {"literal, more letters", regex, "/chars", "/charsAdditional", false},
        {"literal, below", regex, "/chars", "/chars/a", false},
        {"escaped dot", regex, "/chat\\.completions", "/chat.completions", true},
        {"escaped dot is a dot", regex, "/chat\\.completions", "/chatxcompletions", false},
        {"escaped slash", regex, "\\/a\\-b", "/a-b", true},
        {"a dot is any character", regex, "/chat.completions", "/chatxcompletions", true},
        {"digits", regex, "/v\\d+", "/v12", true},
        {"digits, trailing slash", regex, "/v\\d+", "/v12/", true},
        {"digits, none", regex, "/v\\d+", "/v", false},
        {"the whole path", regex, "/v\\d+", "/v1x", false},
        {"everything", regex, "/.*", "/any/thing", true},
        {"one segment", regex, "/models/[^/]+", "/models/gpt-4", true},
        {"one segment, two", regex, "/models/[^/]+", "/models/gpt-4/x", false},
        {"alternatives, the first", regex, "/a|/bc", "/a", true},
        {"alternatives, the second", regex, "/a|/bc", "/bc", true},
        {"alternatives, the second, slash", regex, "/a|/bc", "/bc/", true},
        {"alternatives, neither", regex, "/a|/bc", "/ac", false},
        {"alternatives, whole ones", regex, "/a|/ab", "/ab", true},
        {"slash behind an expression", regex, "/v[0-9]/", "/v1", true},
        {"anchors of its own", regex, "^/books/[0-9]+$", "/books/12", true},
        {"anchors of its own, more", regex, "^/books/[0-9]+$", "/books/12/x", false},
        {"flags of its own", regex, "(?i)/chat[s]", "/CHATS", true},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(pattern(row.type, row.value).matches(std::string("/chat/1.0") + row.path),
                  row.matches)
            << row.name;
    }
}

TEST(PathPattern, BasePathsEndAtASegment) {
    for (const Type type : {Type::exact, Type::prefix, Type::regex}) {
        const PathPattern here = pattern(type, "/a");
        EXPECT_TRUE(here.matches("/chat/1.0/a"));
        for (const char* path : {"/chat/1.0x/a", "/chat/1.0a", "/chat/1.0", "/chat/1", "/a", "",
                                 "/", "//chat/1.0/a", "/chat/1.0//a"}) {
            EXPECT_FALSE(here.matches(path)) << path;
        }
    }
    EXPECT_FALSE(pattern(Type::prefix, "/").matches("/chat/1.0x"));
    EXPECT_FALSE(pattern(Type::regex, ".*").matches("/chat/1.0x"));
    EXPECT_TRUE(pattern(Type::prefix, "/").matches("/chat/1.0"));
    EXPECT_TRUE(pattern(Type::exact, "/a", "/chat/1.0/").matches("/chat/1.0/a"));
    EXPECT_TRUE(pattern(Type::exact, "/a", "/").matches("/a"));
}

TEST(PathPattern, LiteralsAreFoundOut) {
    struct Row {
        const char* value;
        bool fixed;
    };
    const Row rows[] = {
        {"/chat/completions", true},
        {"/chat\\.completions", true},
        {"/a\\+b", true},
        {"/a\\\\b", true},
        {"/a-b_c~d", true},
        {"/chat.completions", false},
        {"/a+", false},
        {"/a\\d", false},
        {"/(a)", false},
        {"^/a", false},
        {"/a$", false},
        {"/a|/b", false},
        {"/\\Qa.b\\E", false},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(pattern(Type::regex, row.value).is_fixed(), row.fixed) << row.value;
    }
    EXPECT_TRUE(pattern(Type::exact, "/a+").is_fixed());
    EXPECT_FALSE(pattern(Type::prefix, "/a").is_fixed());
}

TEST(PathPattern, WhatRe2DoesNotTakeThrows) {
    for (const char* value : {"/a(", "/a)(b", "/[a", "/a\\", "/(?=a)", "/a**", "/\\1(a)"}) {
        EXPECT_THROW(pattern(Type::regex, value), std::invalid_argument) << value;
    }
}

TEST(PathPattern, Precedence) {
    const std::vector<PathPattern> ordered = [] {
        std::vector<PathPattern> made;
        made.push_back(pattern(Type::prefix, "/", "/chat/1.0/long"));
        made.push_back(pattern(Type::exact, "/abc"));
        made.push_back(pattern(Type::exact, "/a"));
        made.push_back(pattern(Type::regex, "/a"));
        made.push_back(pattern(Type::regex, "/[a-z]+/[a-z]+"));
        made.push_back(pattern(Type::regex, "/.*"));
        made.push_back(pattern(Type::prefix, "/a/b/c/d/e/f"));
        made.push_back(pattern(Type::prefix, "/a"));
        made.push_back(pattern(Type::prefix, "/"));
        made.push_back(pattern(Type::exact, "/a/very/long/path/of/another/base", "/chat"));
        return made;
    }();
    for (std::size_t i = 1; i < ordered.size(); ++i) {
        EXPECT_GT(ordered[i - 1].precedence(), ordered[i].precedence()) << i;
    }
}

std::string rewritten(const PathPattern& pattern, const std::string& path, const Rewrite* rewrite) {
    std::string scratch = "left from before";
    return std::string(pattern.rewritten(path, rewrite, scratch));
}

TEST(PathRewrite, Rewrites) {
    struct Row {
        const char* name;
        Type type;
        const char* value;
        Rewrite::Kind kind;
        const char* rewrite;
        const char* path;  // below /chat/1.0
        const char* result;
    };
    using enum config::PathType;
    constexpr auto full = Rewrite::Kind::full;
    constexpr auto part = Rewrite::Kind::prefix;
    const Row rows[] = {
        {"the whole path", exact, "/a", full, "/chat/completions", "/a", "/chat/completions"},
        {"the whole path, slash", exact, "/a", full, "/b", "/a/", "/b"},
        {"the whole path of a prefix", prefix, "/a", full, "/b", "/a/x/y", "/b"},
        {"of an expression", regex, "/a.*", full, "/b", "/abc", "/b"},
        {"a group", regex, "/models/([^/]+)/chat", full, "/deployments/\\1/c", "/models/gpt-4/chat",
         "/deployments/gpt-4/c"},
        {"groups in another order", regex, "/([a-z]+)/(\\d+)", full, "/\\2/\\1", "/ab/1", "/1/ab"},
        {"a group, trailing slash", regex, "/m/([^/]+)", full, "/d/\\1", "/m/x/", "/d/x"},
        {"all of it", regex, "/(?:a|b)", full, "/x\\0", "/b", "/x/b"},
        {"the longer alternative", regex, "/(a)|/(ab)", full, "/\\1\\2!", "/ab", "/ab!"},
        {"a lazy group", regex, "/(.+?)(x*)", full, "/\\1-\\2", "/axx", "/a-xx"},
        {"a group that took no part", regex, "/a(b)?", full, "/c\\1", "/a", "/c"},
        {"prefix", prefix, "/foo", part, "/xyz", "/foo/bar", "/xyz/bar"},
        {"prefix, slash in the new one", prefix, "/foo", part, "/xyz/", "/foo/bar", "/xyz/bar"},
        {"prefix, slash in the old one", prefix, "/foo/", part, "/xyz", "/foo/bar", "/xyz/bar"},
        {"prefix, slashes in both", prefix, "/foo/", part, "/xyz/", "/foo/bar", "/xyz/bar"},
        {"prefix alone", prefix, "/foo", part, "/xyz", "/foo", "/xyz"},
        {"prefix alone, slash", prefix, "/foo", part, "/xyz", "/foo/", "/xyz/"},
        {"prefix gone", prefix, "/foo", part, "/", "/foo/bar", "/bar"},
        {"prefix gone, nothing left", prefix, "/foo", part, "/", "/foo", "/"},
        {"prefix gone, a slash left", prefix, "/foo", part, "/", "/foo/", "/"},
        {"prefix of everything", prefix, "/", part, "/v1", "/foo", "/v1/foo"},
        {"prefix of everything, nothing left", prefix, "/", part, "/v1", "", "/v1"},
        {"a prefix's new one is text", prefix, "/foo", part, "/\\1$1", "/foo/a", "/\\1$1/a"},
        {"a backslash without a digit", regex, "/a.", full, "/b\\c", "/ab", "/b\\c"},
    };
    for (const Row& row : rows) {
        const Rewrite rewrite{row.kind, row.rewrite, {}};
        const PathPattern route = pattern(row.type, row.value);
        const std::string path = std::string("/chat/1.0") + row.path;
        ASSERT_TRUE(route.matches(path)) << row.name;
        EXPECT_EQ(rewritten(route, path, &rewrite), row.result) << row.name;
        EXPECT_EQ(route.rewrite_error(rewrite), "") << row.name;
    }
}

TEST(PathRewrite, WithoutOneTheRestGoesOn) {
    struct Row {
        const char* path;
        const char* result;
    };
    for (const Row& row : {Row{"/chat/1.0/a/b", "/a/b"}, Row{"/chat/1.0/a/b/", "/a/b/"},
                           Row{"/chat/1.0", "/"}, Row{"/chat/1.0/", "/"}}) {
        EXPECT_EQ(rewritten(pattern(Type::prefix, "/"), row.path, nullptr), row.result) << row.path;
    }
}

TEST(PathRewrite, GroupsThatAreNotThere) {
    struct Row {
        const char* name;
        Type type;
        const char* value;
        const char* rewrite;
    };
    const Row rows[] = {
        {"one too many", Type::regex, "/a/(b+)", "/c/\\2"},
        {"no groups at all", Type::regex, "/a/b+", "/c/\\1"},
        {"a literal", Type::regex, "/a/b", "/c/\\1"},
        {"a prefix", Type::prefix, "/a", "/c/\\0"},
        {"another escape as well", Type::regex, "/a/(b+)", "/c/\\1\\x"},
    };
    for (const Row& row : rows) {
        const Rewrite rewrite{Rewrite::Kind::full, row.rewrite, {}};
        EXPECT_NE(pattern(row.type, row.value).rewrite_error(rewrite), "") << row.name;
    }
}

struct Route {
    const char* host;
    Type type;
    const char* path;
    const char* method;
    const char* base = "/chat/1.0";
};

// The routes' places on the list are their indices.
RouteTable table_of(const std::vector<Route>& routes) {
    RouteTable table;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const Route& route = routes[i];
        table.add(route.host, {pattern(route.type, route.path, route.base), route.method, i});
    }
    table.finish();
    return table;
}

constexpr std::size_t kNone = 999;    // 404
constexpr std::size_t kMethod = 888;  // 405

std::size_t find(const RouteTable& table, const char* host, const char* path,
                 const char* method = "POST") {
    const auto found = table.find(host, path, method);
    if (found.rule != nullptr) return found.rule->route;
    return found.path_known ? kMethod : kNone;
}

TEST(RouteTable, Hosts) {
    const RouteTable table = table_of({
        {"", Type::prefix, "/", ""},
        {"*.example.com", Type::prefix, "/", ""},
        {"*.api.example.com", Type::prefix, "/", ""},
        {"a.api.example.com", Type::prefix, "/", ""},
        {"::1", Type::prefix, "/", ""},
    });
    struct Row {
        const char* host;
        std::size_t route;
    };
    const Row rows[] = {
        {"a.api.example.com", 3},
        {"A.API.Example.COM", 3},
        {"b.api.example.com", 2},
        {"x.a.api.example.com", 2},
        {"api.example.com", 1},
        {"www.Example.com", 1},
        {"example.com", 0},
        {"badexample.com", 0},
        {".example.com", 0},
        {"other.org", 0},
        {"", 0},
        {"::1", 4},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(find(table, row.host, "/chat/1.0/x"), row.route) << row.host;
    }
}

TEST(RouteTable, WithoutAnyHostOthersAreUnknown) {
    const RouteTable table = table_of({{"a.org", Type::prefix, "/", ""}});
    EXPECT_EQ(find(table, "a.org", "/chat/1.0/x"), 0U);
    EXPECT_EQ(find(table, "b.org", "/chat/1.0/x"), kNone);
    EXPECT_EQ(find(table, "", "/chat/1.0/x"), kNone);
    EXPECT_EQ(find(RouteTable{}, "a.org", "/"), kNone);
}

TEST(RouteTable, TellsAHostThatIsNotServedFromAPath) {
    const RouteTable table =
        table_of({{"a.org", Type::prefix, "/x", "GET"}, {"*.b.org", Type::prefix, "/x", "GET"}});
    EXPECT_FALSE(table.find("localhost", "/x", "GET").host_known);
    EXPECT_TRUE(table.find("A.org", "/y", "GET").host_known);
    EXPECT_TRUE(table.find("c.b.org", "/x", "PUT").host_known);
    EXPECT_EQ(table.hosts(), "a.org, *.b.org");
    EXPECT_EQ(table_of({{"", Type::prefix, "/", ""}}).hosts(), "any host");
    EXPECT_TRUE(table_of({{"", Type::prefix, "/", ""}}).find("z", "/", "GET").host_known);
    RouteTable many;
    for (int i = 0; i < 100; ++i) {
        many.add("host-" + std::to_string(i) + ".example.org", {{"", {}}, "", 0});
    }
    EXPECT_LT(many.hosts().size(), 420U) << "a message, not a list";
}

TEST(RouteTable, PathsByPrecedenceInAnyOrderOfWriting) {
    const RouteTable table = table_of({
        {"", Type::prefix, "/", ""},
        {"", Type::prefix, "/models", ""},
        {"", Type::regex, "/models/.*", ""},
        {"", Type::regex, "/models/gpt-4", ""},
        {"", Type::exact, "/models/gpt-4o", ""},
        {"", Type::regex, "/models/gpt-4o|/the/other/way/to/write/it", ""},
    });
    struct Row {
        const char* path;
        std::size_t route;
    };
    const Row rows[] = {
        {"/chat/1.0/models/gpt-4o", 4},
        {"/chat/1.0/models/gpt-4", 3},
        {"/chat/1.0/models/gpt-4/", 3},
        {"/chat/1.0/models/x", 2},
        {"/chat/1.0/models", 1},
        {"/chat/1.0/modelsx", 0},
        {"/chat/1.0", 0},
        {"/chat/1.0x", kNone},
        {"/", kNone},
    };
    for (const Row& row : rows) EXPECT_EQ(find(table, "h", row.path), row.route) << row.path;
}

TEST(RouteTable, CharsAdditionalIsNotChars) {
    for (const Type type : {Type::exact, Type::prefix, Type::regex}) {
        const RouteTable table = table_of({{"", type, "/chars", "GET"}});
        EXPECT_EQ(find(table, "h", "/chat/1.0/chars", "GET"), 0U);
        EXPECT_EQ(find(table, "h", "/chat/1.0/chars/", "GET"), 0U);
        EXPECT_EQ(find(table, "h", "/chat/1.0/charsAdditional", "GET"), kNone);
    }
}

// /chat is 1.0's as well, since 1.0 is the default version: 2.0 must not fall to it.
TEST(RouteTable, AVersionIsNotTheDefaultOnesPath) {
    const RouteTable table = table_of({
        {"", Type::regex, "/.*", "", "/chat"},
        {"", Type::regex, "/.*", "", "/chat/1.0"},
        {"", Type::prefix, "/", "", "/chat/2.0"},
    });
    EXPECT_EQ(find(table, "h", "/chat/2.0/x"), 2U);
    EXPECT_EQ(find(table, "h", "/chat/1.0/x"), 1U);
    EXPECT_EQ(find(table, "h", "/chat/x"), 0U);
}

TEST(RouteTable, Methods) {
    const RouteTable table = table_of({
        {"", Type::exact, "/a", "POST"},
        {"", Type::exact, "/a", "GET"},
        {"", Type::exact, "/b", ""},
        {"", Type::prefix, "/c", "DELETE"},
        {"", Type::exact, "/c/d", "GET"},
        {"a.org", Type::exact, "/a", "PUT"},
    });
    struct Row {
        const char* name;
        const char* host;
        const char* path;
        const char* method;
        std::size_t route;
        const char* allowed;
    };
    const Row rows[] = {
        {"the one", "h", "/chat/1.0/a", "POST", 0, "GET, POST"},
        {"the other", "h", "/chat/1.0/a", "GET", 1, "GET, POST"},
        {"neither", "h", "/chat/1.0/a", "DELETE", kMethod, "GET, POST"},
        {"methods have a case", "h", "/chat/1.0/a", "post", kMethod, "GET, POST"},
        {"every method", "h", "/chat/1.0/b", "PATCH", 2, ""},
        {"a wider path with the method", "h", "/chat/1.0/c/d", "DELETE", 3, "DELETE, GET"},
        {"neither of two paths", "h", "/chat/1.0/c/d", "POST", kMethod, "DELETE, GET"},
        {"all hosts that match", "a.org", "/chat/1.0/a", "PATCH", kMethod, "GET, POST, PUT"},
        {"an unknown path", "h", "/chat/1.0/z", "GET", kNone, ""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(find(table, row.host, row.path, row.method), row.route) << row.name;
        EXPECT_EQ(table.allowed_methods(row.host, row.path), row.allowed) << row.name;
    }
}

TEST(DotSegment, Paths) {
    struct Row {
        const char* path;
        bool dotted;
    };
    const Row rows[] = {
        {"", false},
        {"/", false},
        {"/a/b", false},
        {"/.", true},
        {"/..", true},
        {"/a/./b", true},
        {"/a/../b", true},
        {"/a/..", true},
        {"/a/.", true},
        {"..", true},
        {"/...", false},
        {"/a/.../b", false},
        {"/.a", false},
        {"/a.", false},
        {"/..a", false},
        {"/a..b/c", false},
        {"/chat/1.0/x", false},
        {"/%2e", true},
        {"/%2E%2e/a", true},
        {"/.%2e/a", true},
        {"/%2E./a", true},
        {"/%2e%2e%2e", false},
        {"/a%2e", false},
        {"/%2ea", false},
        {"/a/..%2fb", true},
        {"/a/..%2Fb", true},
        {"/a%2f..", true},
        {"/a%2f%2e%2e%2fb", true},
        {"/a\\..\\b", true},
        {"/a%5c..%5Cb", true},
        {"/a%2fb", false},
        {"/%", false},
        {"/.%", false},
        {"/%2", false},
        {"/.%2", false},
        {"/%252e%252e/", false},
        {"//", false},
        {"//..//", true},
    };
    for (const Row& row : rows) EXPECT_EQ(has_dot_segment(row.path), row.dotted) << row.path;
}

}  // namespace
}  // namespace rotary::routing
