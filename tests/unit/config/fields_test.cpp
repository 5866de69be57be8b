// How the members of one mapping are read, whatever kind it is: each way to ask for a field, with
// what is good, missing, empty, of another kind, out of bounds or from the environment.
#include "config/yaml/fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What a visit of this mapping finds, as text; `r` stands for the file's name.
std::string findings_of(const std::string& yaml, const Fields::Visit& visit) {
    std::vector<Finding> findings;
    std::string unread;
    const std::vector<Document> documents = parse_yaml("r", yaml, findings, unread);
    const Environment environment =
        variables({{"SECRET", "s3cret"}, {"SEVEN", "7"}, {"YES", "true"}, {"EMPTY", ""}});
    FileReading reading{"r", "/folder", environment, findings};
    Fields fields(reading, documents.at(0).root, "spec");
    visit(fields);
    fields.finish();
    return to_text(findings);
}

struct Row {
    const char* name;
    const char* yaml;
    const char* value;     // "-": left as it was
    const char* findings;  // a part; empty: none
};

// Each row's field `a` is read by `read`, which gives its value as text.
void expect_all(const std::vector<Row>& rows,
                const std::function<std::string(Fields& fields)>& read) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        std::string value;
        const std::string findings =
            findings_of(row.yaml, [&](Fields& fields) { value = read(fields); });
        EXPECT_EQ(value, row.value);
        if (*row.findings == '\0') {
            EXPECT_EQ(findings, "");
        } else {
            EXPECT_THAT(findings, HasSubstr(row.findings));
        }
        EXPECT_EQ(findings.find("s3cret"), std::string::npos) << "a secret is shown";
    }
}

TEST(Fields, ReadTexts) {
    const TextRule rule{false, 2, 5, [](std::string_view text) { return text != "bad"; },
                        "be good"};
    expect_all(
        {
            {"good", "a: some", "some", ""},
            {"the shortest", "a: ab", "ab", ""},
            {"the longest", "a: abcde", "abcde", ""},
            {"quoted", "a: \"12\"", "12", ""},
            {"what looks like a number", "a: 0x10", "0x10", ""},
            {"from the environment", "a: x${SEVEN}y", "x7y", ""},
            {"missing", "{}", "-", ""},
            {"null", "a:", "-", ""},
            {"empty", "a: ''", "-", "r:1:4: error: spec.a: must not be empty\n"},
            {"empty by a variable", "a: ${EMPTY}", "-", "must not be empty"},
            {"too short", "a: x", "-", "must be at least 2 characters long"},
            {"too long", "a: abcdef", "-", "must be at most 5 characters long"},
            {"too long by a secret", "a: ${SECRET}", "-", "must be at most 5 characters long"},
            {"of another shape", "a: bad", "-", "error: spec.a: must be good\n"},
            {"a variable that is not set", "a: ${NONE}", "-", "NONE"},
            {"a list", "a: [x]", "-", "expected plain text, found a list"},
            {"a mapping", "a: {b: c}", "-", "expected plain text, found a mapping"},
        },
        [&](Fields& fields) {
            std::string out = "-";
            const bool was_set = fields.text("a", out, rule);
            EXPECT_EQ(was_set, out != "-");
            return out;
        });
}

TEST(Fields, ReadFlags) {
    expect_all(
        {
            {"true", "a: true", "true", ""},
            {"false", "a: false", "false", ""},
            {"from the environment", "a: ${YES}", "true", ""},
            {"missing", "{}", "-", ""},
            {"null", "a: ~", "-", ""},
            {"in capitals", "a: True", "-", "must be true or false, found \"True\""},
            {"YAML 1.1's", "a: yes", "-", "must be true or false, found \"yes\""},
            {"a number", "a: 1", "-", "must be true or false, found \"1\""},
            {"a secret in its place", "a: ${SECRET}", "-", "found \"${SECRET}\""},
            {"a list", "a: [true]", "-", "expected plain text, found a list"},
        },
        [](Fields& fields) {
            std::optional<bool> out;
            const bool was_set = fields.flag("a", out);
            EXPECT_EQ(was_set, out.has_value());
            return out ? std::string(*out ? "true" : "false") : "-";
        });
}

TEST(Fields, ReadNumbers) {
    expect_all(
        {
            {"good", "a: 5", "5", ""},
            {"the least", "a: -2", "-2", ""},
            {"the most", "a: 9", "9", ""},
            {"from the environment", "a: ${SEVEN}", "7", ""},
            {"missing", "{}", "-1", "r:1:1: error: spec.a: is required"},
            {"null", "a: null", "-1", "spec.a: is required"},
            {"one below", "a: -3", "-1", "must be between -2 and 9, found \"-3\""},
            {"one above", "a: 10", "-1", "must be between -2 and 9, found \"10\""},
            {"beyond 64 bits", "a: 99999999999999999999", "-1", "plain decimal digits"},
            {"octal to some", "a: 010", "-1", "plain decimal digits"},
            {"a fraction", "a: 1.0", "-1", "plain decimal digits, found \"1.0\""},
            {"a secret in its place", "a: ${SECRET}", "-1", "found \"${SECRET}\""},
        },
        [](Fields& fields) {
            int out = -1;
            fields.number("a", out, {-2, 9, true});
            return std::to_string(out);
        });
}

TEST(Fields, ReadDurations) {
    expect_all(
        {
            {"seconds", "a: 2", "2000", ""},
            {"a unit", "a: 1500ms", "1500", ""},
            {"the least", "a: 1", "1000", ""},
            {"the most", "a: 1m", "60000", ""},
            {"missing", "{}", "7", ""},
            {"one below", "a: 999ms", "7", "must be between 1s and 1m, found \"999ms\""},
            {"one above", "a: 60001ms", "7", "must be between 1s and 1m, found \"60001ms\""},
            {"another unit", "a: 1d", "7", "a number with its unit (500ms, 30s, 5m, 1h), found"},
            {"a list", "a: [1]", "7", "expected plain text, found a list"},
        },
        [](Fields& fields) {
            Duration out{7};
            fields.duration("a", out, {Duration(1000), Duration(60'000)});
            return std::to_string(out.count());
        });
}

TEST(Fields, ReadChoices) {
    expect_all(
        {
            {"the first", "a: red", "1", ""},
            {"the last", "a: green", "2", ""},
            {"missing", "{}", "0", "spec.a: is required"},
            {"another", "a: blue", "0", "must be one of red, green, found \"blue\"\n"},
            {"misspelt", "a: gren", "0", "found \"gren\"; did you mean \"green\"?"},
            {"in capitals", "a: Red", "0", "did you mean \"red\"?"},
        },
        [](Fields& fields) {
            int out = 0;
            fields.choice("a", out, {{"red", 1}, {"green", 2}}, true);
            return std::to_string(out);
        });
}

TEST(Fields, ReadListsOfTexts) {
    expect_all(
        {
            {"one", "a: [x]", "x,", ""},
            {"the most", "a: [x, y, z]", "x,y,z,", ""},
            {"missing", "{}", "", "spec.a: is required"},
            {"none", "a: []", "", "spec.a: must not be empty"},
            {"too many", "a: [w, x, y, z]", "w,x,y,z,", "must have at most 3 items, found 4"},
            {"an item that is empty", "a: [x, '']", "x,", "r:1:8: error: spec.a[1]: must not be"},
            {"an item that is null", "a: [x, ~]", "x,", "spec.a[1]: expected plain text"},
            {"an item that is a list", "a: [[x]]", "", "spec.a[0]: expected plain text, found a"},
            {"no list", "a: x", "", "spec.a: expected a list, found plain text"},
        },
        [](Fields& fields) {
            std::vector<std::string> items;
            fields.texts("a", items, {true, 1, 3}, {false, 1});
            std::string out;
            for (const std::string& item : items) out += item + ",";
            return out;
        });
}

TEST(Fields, VisitMappings) {
    expect_all(
        {
            {"one", "a: {b: x}", "x", ""},
            {"missing", "{}", "", "spec.a: is required"},
            {"empty", "a: {}", "", ""},
            {"unknown inside", "a: {bb: x}", "", "r:1:5: error: spec.a.bb: unknown field \"bb\""},
            {"a text", "a: b", "", "spec.a: expected a mapping, found plain text"},
            {"a list", "a: [b]", "", "spec.a: expected a mapping, found a list"},
        },
        [](Fields& fields) {
            std::string out;
            fields.object(
                "a", [&](Fields& inner) { inner.text("b", out); }, true);
            return out;
        });
}

TEST(Fields, VisitListsOfMappings) {
    std::string seen;
    EXPECT_EQ(findings_of("a:\n  - {b: x}\n  - y\n  - {b: z, other: 1}\n",
                          [&](Fields& fields) {
                              fields.each("a", [&](Fields& item) {
                                  std::string b;
                                  item.text("b", b);
                                  seen += b + "@" + item.mark().path + " ";
                              });
                          }),
              "r:3:5: error: spec.a[1]: expected a mapping, found plain text\n"
              "r:4:12: error: spec.a[2].other: unknown field \"other\"\n");
    EXPECT_EQ(seen, "x@spec.a[0] z@spec.a[2] ");
}

TEST(Fields, VisitFreeKeys) {
    std::vector<std::string> seen;
    const auto visit = [&](Fields& fields) {
        fields.each_pair(
            "a", [&](const std::string& key, const std::string* text, const Mark& mark) {
                seen.push_back(key + "=" + (text == nullptr ? "?" : *text) + "@" + mark.path);
            });
    };
    EXPECT_THAT(findings_of("a: {one: x, two: [y], three: '${NONE}'}", visit),
                HasSubstr("spec.a.two: expected plain text, found a list"));
    EXPECT_THAT(seen, ElementsAre("one=x@spec.a.one", "two=?@spec.a.two", "three=?@spec.a.three"));
    EXPECT_THAT(findings_of("a: [x]", visit), HasSubstr("expected a mapping, found a list"));
}

TEST(Fields, ReportWhatNothingAskedFor) {
    const auto visit = [](Fields& fields) {
        std::string out;
        fields.text("name", out);
        fields.tolerate({"status"});
    };
    EXPECT_EQ(findings_of("{name: x, status: {deep: [1]}}", visit), "");
    EXPECT_EQ(findings_of("nmae: x\n", visit),
              "r:1:1: error: spec.nmae: unknown field \"nmae\"; did you mean \"name\"?\n");
    EXPECT_EQ(findings_of("other:\n", visit), "r:1:1: error: spec.other: unknown field \"other\"\n")
        << "one without a value too";
}

TEST(Fields, SayWhatIsNotServedWhereItAsksForSomething) {
    const auto visit = [](Fields& fields) { fields.not_served("a", "nothing follows"); };
    for (const char* yaml : {"{}", "a:", "a: []", "a: {}", "a: false"}) {
        EXPECT_THAT(findings_of(yaml, visit), IsEmpty()) << yaml;
    }
    for (const char* yaml : {"a: true", "a: [x]", "a: {b: c}", "a: 0", "a: ''"}) {
        EXPECT_EQ(findings_of(yaml, visit),
                  "r:1:4: warning: spec.a: is not served: nothing follows\n")
            << yaml;
    }
}

TEST(Fields, SayWhatIsTakenInPlaceOfNothing) {
    const auto visit = [](Fields& fields) {
        fields.tolerate({"a"});
        fields.empty_is("a", "all are taken");
    };
    EXPECT_EQ(findings_of("a:\n", visit), "r:1:1: warning: spec.a: has no value: all are taken\n");
    EXPECT_EQ(findings_of("a: []\n", visit), "");
    EXPECT_EQ(findings_of("{}\n", visit), "");
}

}  // namespace
}  // namespace rotary::config
