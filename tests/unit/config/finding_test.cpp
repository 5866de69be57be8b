#include <rotary/config/yaml/finding.hpp>

#include <gtest/gtest.h>

namespace rotary::config {
namespace {

TEST(Findings, AsText) {
    const std::vector<Finding> findings{
        error_at({"a.yaml", 3, 7, "spec.port"}, "must be \"small\""),
        warning_at({"a.yaml", 4, 1, ""}, "odd"),
        error_at({"b.yaml", 0, 0, ""}, "there is no file b.yaml"),
    };
    EXPECT_EQ(to_text(findings),
              "a.yaml:3:7: error: spec.port: must be \"small\"\n"
              "a.yaml:4:1: warning: odd\n"
              "b.yaml: error: there is no file b.yaml\n");
}

TEST(Findings, AsJson) {
    const std::vector<Finding> findings{error_at({"a\\b.yaml", 3, 7, "x.\"y\""}, "tab\tend\x01é"),
                                        warning_at({"c", 0, 0, ""}, "")};
    EXPECT_EQ(to_json(findings),
              "[\n"
              R"(  {"severity": "error", "file": "a\\b.yaml", "line": 3, "column": 7, )"
              R"("path": "x.\"y\"", "message": "tab\u0009end\u0001é"},)"
              "\n"
              R"(  {"severity": "warning", "file": "c", "line": 0, "column": 0, "path": "", )"
              R"("message": ""})"
              "\n]\n");
    EXPECT_EQ(to_json({}), "[]\n");
}

TEST(Findings, AreErrorsOrNot) {
    EXPECT_FALSE(has_errors({}));
    EXPECT_FALSE(has_errors(std::vector{warning_at({}, "w")}));
    EXPECT_TRUE(has_errors(std::vector{warning_at({}, "w"), error_at({}, "e")}));
}

TEST(Findings, AreSortedByFileAndPlaceAndNotRepeated) {
    std::vector<Finding> findings{
        error_at({"z", 1, 1, ""}, "other file"), error_at({"b", 9, 1, ""}, "late"),
        error_at({"b", 2, 5, ""}, "first"),      error_at({"b", 2, 5, ""}, "second"),
        error_at({"a", 7, 7, ""}, "next file"),  error_at({"b", 9, 1, ""}, "late"),
        error_at({"b", 2, 4, ""}, "before"),
    };
    const std::vector<std::string> files{"b", "a"};
    sort_findings(findings, files);
    std::string order;
    for (const Finding& finding : findings) {
        order += finding.message + ';';
    }
    EXPECT_EQ(order, "before;first;second;late;next file;other file;");
}

TEST(Marks, BelowKeepThePlace) {
    const Mark mark = Mark{"f", 3, 4, "spec"}.below("tls");
    EXPECT_EQ(mark.path, "spec.tls");
    EXPECT_EQ(mark.line, 3);
    EXPECT_EQ(Mark{}.below("tls").path, "tls");
}

}  // namespace
}  // namespace rotary::config
