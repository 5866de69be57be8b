#include <rotary/routing/route_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The table finds rules by where their hosts and paths begin. Beside it goes what it stands for:
// all rules in their order, one after another.
namespace rotary::routing {
namespace {

using Type = config::PathType;

struct Rule {
    std::string host;
    std::string base;
    Type type;
    std::string value;
    std::string method;

    PathPattern pattern() const { return {base, {type, value, {}}}; }
};

struct Query {
    std::string host;
    std::string path;
    std::string method;
};

struct Answer {
    std::size_t route = SIZE_MAX;
    bool host_known = false;
    bool path_known = false;
    std::string allowed;

    bool operator==(const Answer&) const = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
    *out << "route " << answer.route << (answer.host_known ? ", host" : "")
         << (answer.path_known ? ", path" : "") << ", allowed [" << answer.allowed << "]";
}

class Linear {
public:
    explicit Linear(const std::vector<Rule>& rules) {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            rows_.push_back({rules[i], rules[i].pattern(), i});
        }
        std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
            const auto rank = [](const std::string& host) {
                return host.empty() ? 2 : host.starts_with("*.") ? 1 : 0;
            };
            const int one = rank(a.rule.host);
            const int other = rank(b.rule.host);
            if (one != other) return one < other;
            const std::size_t size = a.rule.host.size();
            if (size != b.rule.host.size()) return size > b.rule.host.size();
            if (a.rule.host != b.rule.host) return a.rule.host < b.rule.host;
            return a.pattern.precedence() > b.pattern.precedence();
        });
    }

    Answer find(const Query& query) const {
        Answer answer;
        std::set<std::string> methods;
        for (const Row& row : rows_) {
            if (!covers(row.rule.host, query.host)) continue;
            if (answer.route == SIZE_MAX) answer.host_known = true;
            if (!row.pattern.matches(query.path)) continue;
            methods.insert(row.rule.method);
            answer.path_known = true;
            const bool fits = row.rule.method.empty() || row.rule.method == query.method;
            if (fits && answer.route == SIZE_MAX) answer.route = row.route;
        }
        for (const std::string& method : methods) {
            answer.allowed += (answer.allowed.empty() ? "" : ", ") + method;
        }
        return answer;
    }

private:
    struct Row {
        Rule rule;
        PathPattern pattern;
        std::size_t route;
    };

    static bool covers(const std::string& known, const std::string& host) {
        if (known.empty()) return true;
        if (!known.starts_with("*.")) return known == host;
        return host.size() >= known.size() && host.ends_with(known.substr(1));
    }

    std::vector<Row> rows_;
};

RouteTable table_of(const std::vector<Rule>& rules) {
    RouteTable table;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        table.add(rules[i].host, {rules[i].pattern(), rules[i].method, i});
    }
    table.finish();
    return table;
}

Answer found(const RouteTable& table, const Query& query) {
    const RouteTable::Found rule = table.find(query.host, query.path, query.method);
    return {rule.rule == nullptr ? SIZE_MAX : rule.rule->route, rule.host_known, rule.path_known,
            table.allowed_methods(query.host, query.path)};
}

class Dice {
public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}

    std::size_t below(std::size_t most) { return engine_() % most; }
    template <std::size_t N>
    std::string of(const std::array<const char*, N>& words) {
        return words[below(N)];
    }

private:
    std::mt19937 engine_;
};

constexpr std::array kHosts = {"",        "",    "b.org",     "a.b.org",     "x.a.b.org",
                               "*.b.org", "org", "*.a.b.org", "*.x.a.b.org", "*.org"};
constexpr std::array kBases = {"", "/", "/a", "/a/b", "/ab", "/a/b/a"};
constexpr std::array kSegments = {"/a", "/b", "/ab", "/ba", "/", "/a1", "/A"};
constexpr std::array kMethods = {"", "GET", "POST", "PUT"};
constexpr std::array kExpressions = {
    "/.*",      "/a.*",        ".*",         "/a/[^/]+",  "/(a|b)/.*",  "/a|/b",       "/ab?",
    "/a+",      "(?i)/ab",     "/a/b.+",     "/a1|/a/.*", "^/a/.*$",    "(/a)?/b",     "/a\\d",
    "/a/b/.*b", "/a{1,2}/?.*", "/[ab]/a/.*", "/a(?:/b)*", "(?i)/a/B.*", "/a\\/b[a-z]", "/(?s).b"};

Rule rule_of(Dice& dice) {
    Rule rule;
    rule.host = dice.of(kHosts);
    rule.base = dice.of(kBases);
    rule.method = dice.of(kMethods);
    rule.type = std::array{Type::exact, Type::prefix, Type::regex}[dice.below(3)];
    const std::size_t segments = dice.below(4);
    for (std::size_t i = 0; i < segments; ++i) rule.value += dice.of(kSegments);
    if (rule.value.empty()) rule.value = "/";
    if (rule.type == Type::regex && dice.below(3) != 0) rule.value = dice.of(kExpressions);
    return rule;
}

Query query_of(Dice& dice) {
    constexpr std::array hosts = {"b.org",       "a.b.org",   "x.a.b.org", "y.b.org", ".b.org",
                                  "y.x.a.b.org", "other.net", "org",       "",        "xb.org"};
    Query query;
    query.host = dice.of(hosts);
    query.method = std::array{"GET", "POST", "DELETE"}[dice.below(3)];
    const std::size_t segments = dice.below(6);
    for (std::size_t i = 0; i < segments; ++i) query.path += dice.of(kSegments);
    return query;
}

std::string said(const Query& query) { return query.method + " " + query.host + query.path; }

TEST(RouteIndex, FindsWhatAWalkOverAllRulesFinds) {
    Dice dice(20'251'129);
    for (int round = 0; round < 400; ++round) {
        std::vector<Rule> rules(1 + dice.below(40));
        for (Rule& rule : rules) rule = rule_of(dice);
        const RouteTable table = table_of(rules);
        const Linear linear(rules);
        for (int i = 0; i < 60; ++i) {
            const Query query = query_of(dice);
            ASSERT_EQ(found(table, query), linear.find(query))
                << "round " << round << ": " << said(query);
        }
    }
}

// Every path that an expression matches begins as it says.
TEST(RouteIndex, ExpressionsBeginAsTheySay) {
    Dice dice(7);
    for (const char* expression : kExpressions) {
        const PathPattern pattern("/a", {Type::regex, expression, {}});
        const std::string beginning = pattern.beginning();
        EXPECT_TRUE(beginning.starts_with("/a")) << expression;
        for (int i = 0; i < 2000; ++i) {
            const std::string path = "/a" + query_of(dice).path;
            EXPECT_TRUE(!pattern.matches(path) || path.starts_with(beginning)) << path;
        }
    }
    struct Row {
        const char* expression;
        const char* beginning;
    };
    for (const Row& row : {Row{"/models/([^/]+)/chat", "/a/models"}, Row{"/v\\d+", "/a/v"},
                           Row{"/.*", "/a"}, Row{"/pets/.*", "/a/pets"}}) {
        const PathPattern pattern("/a", {Type::regex, row.expression, {}});
        EXPECT_TRUE(pattern.beginning().starts_with(row.beginning)) << pattern.beginning();
    }
}

// Rules that differ where the row says, by a number of five digits.
struct Growth {
    const char* name;
    Type type;
    std::string (*host)(const std::string& number);
    std::string (*base)(const std::string& number);
    std::string (*value)(const std::string& number);
    const char* path;  // below the base, of a request for the last of them
};

std::string nothing(const std::string&) { return ""; }
std::string api(const std::string& number) { return "/api" + number + "/1.0"; }

const Growth kGrowths[] = {
    {"exact, by base path", Type::exact, nothing, api, [](auto&) { return std::string("/chat"); },
     "/chat"},
    {"prefix, by base path", Type::prefix, nothing, api, [](auto&) { return std::string("/"); },
     "/chat/completions"},
    {"expression, by base path", Type::regex, nothing, api,
     [](auto&) { return std::string("/models/[^/]+"); }, "/models/gpt"},
    {"everything, by base path", Type::regex, nothing, api,
     [](auto&) { return std::string("/.*"); }, "/models/gpt"},
    {"exact, by path", Type::exact, nothing, nothing,
     [](auto& number) { return "/chat/" + number; }, nullptr},
    {"prefix, by path", Type::prefix, nothing, nothing,
     [](auto& number) { return "/chat/" + number; }, nullptr},
    {"expression, by path", Type::regex, nothing, nothing,
     [](auto& number) { return "/chat/" + number + "/[a-z]*"; }, nullptr},
    {"by host", Type::prefix, [](auto& number) { return "h" + number + ".example.org"; }, nothing,
     [](auto&) { return std::string("/"); }, "/chat"},
    {"by wildcard host", Type::prefix, [](auto& number) { return "*.h" + number + ".org"; },
     nothing, [](auto&) { return std::string("/"); }, "/chat"},
};

// A match looks at as much among ten thousand rules as at one, but for the digits that tell them
// apart: a step each, twice where there are expressions.
TEST(RouteIndex, TenThousandRulesCostAMatchWhatOneCosts) {
    for (const Growth& growth : kGrowths) {
        std::map<std::size_t, unsigned> looked_at;  // by how many rules there are
        for (const std::size_t count : {1U, 100U, 10'000U}) {
            RouteTable table;
            Query query;
            for (std::size_t i = 0; i < count; ++i) {
                const std::string number = std::to_string(10'000 + i);
                const std::string base = growth.base(number);
                const std::string value = growth.value(number);
                const std::string host = growth.host(number);
                table.add(host, {{base, {growth.type, value, {}}}, "POST", i});
                if (i + 1 < count) continue;
                query = {host.starts_with("*") ? "a" + host.substr(1) : host,
                         base + (growth.path != nullptr ? growth.path : "/chat/" + number + "/"),
                         "POST"};
            }
            table.finish();
            const auto rule = table.find(query.host, query.path, query.method);
            ASSERT_NE(rule.rule, nullptr) << growth.name << ", " << count;
            ASSERT_EQ(rule.rule->route, count - 1) << growth.name;
            looked_at[count] = rule.looked_at;
            // None but a handful are compared for what is not there either.
            EXPECT_LE(table.find(query.host, query.path + "x/y", "GET").looked_at, 24U);
            EXPECT_LE(table.find("other.net", "/", "GET").looked_at, 24U);
        }
        EXPECT_LE(looked_at[100], looked_at[1] + 6) << growth.name;
        EXPECT_LE(looked_at[10'000], looked_at[1] + 12) << growth.name;
    }
}

// Requests of 8 KiB choose the length of a walk, not its shape.
TEST(RouteIndex, LongPathsAndHostsCostTheirLength) {
    std::vector<Rule> rules;
    std::string deep;
    std::string wide = "org";
    for (int i = 0; i < 200; ++i) {
        deep += "/a";
        wide = "a." + wide;
        rules.push_back({"", deep, Type::prefix, "/b", ""});
        rules.push_back({"*." + wide, "", Type::exact, "/nothing", ""});
    }
    const RouteTable table = table_of(rules);
    std::string path;
    std::string host = "org";
    for (int i = 0; i < 4000; ++i) path += "/a";
    for (int i = 0; i < 120; ++i) host = "a." + host;
    EXPECT_LE(table.find("", path, "GET").looked_at, 1000U);
    EXPECT_LE(table.find(host, path, "GET").looked_at, 1500U);
}

}  // namespace
}  // namespace rotary::routing
