#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "unit/config/loading.hpp"

namespace rotary::config {

// One change to a configuration that has nothing wrong, and the finding that must come of it, and
// no other. `@@` stands just before the place of the finding: in the new text, or in `at`, which
// is a piece of the changed configuration.
struct Mistake {
    const char* name;
    const char* replace;
    const char* with;
    const char* path;
    const char* message;  // a part of it
    Severity severity = Severity::error;
    const char* at = nullptr;
};

inline void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

inline std::string mistake_name(const testing::TestParamInfo<Mistake>& info) {
    return info.param.name;
}

// The text with its one occurrence of a part replaced.
inline std::string with_change(std::string text, const std::string& part, const std::string& by) {
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << "not in the configuration: " << part;
    EXPECT_EQ(text.find(part, at + 1), std::string::npos) << "more than once: " << part;
    return at == std::string::npos ? text : text.replace(at, part.size(), by);
}

// Takes the `@@` out of the text: {line, column} of where it stood.
inline std::pair<int, int> take_marker(std::string& text, const Mistake& mistake) {
    if (mistake.at != nullptr) {
        const std::string marked = mistake.at;
        std::string plain = marked;
        plain.erase(plain.find("@@"), 2);
        text = with_change(text, plain, marked);
    }
    const std::size_t at = text.find("@@");
    EXPECT_NE(at, std::string::npos) << "no @@ in the new text";
    int line = 1;
    int column = 1;
    for (std::size_t i = 0; i < at && at != std::string::npos; ++i) {
        column = text[i] == '\n' ? 1 : column + 1;
        line += text[i] == '\n' ? 1 : 0;
    }
    if (at != std::string::npos) {
        text.erase(at, 2);
    }
    return {line, column};
}

// What complete.yaml is told all the same: fields of APK's that it must have. Where its policy goes
// to another place, its API is told to have none.
inline bool is_told_besides(const Finding& finding) {
    if (finding.message.starts_with("no APIPolicy gives the API a rotation")) {
        return true;
    }
    // Its hosts are none of the certificate's that processes have here.
    if (finding.message.starts_with("clients that ask for ")) {
        return true;
    }
    return finding.severity == Severity::warning &&
           finding.message.starts_with("is not served: ") && finding.path == "spec.supportedModels";
}

inline void expect_only(const Loaded& loaded, const Mistake& mistake, std::pair<int, int> place) {
    std::vector<Finding> findings = loaded.findings;
    std::erase_if(findings, is_told_besides);
    ASSERT_EQ(findings.size(), 1U) << to_text(loaded.findings);
    const Finding& finding = findings[0];
    EXPECT_EQ(finding.line, place.first) << to_text(loaded.findings);
    EXPECT_EQ(finding.column, place.second) << to_text(loaded.findings);
    EXPECT_EQ(finding.path, mistake.path);
    EXPECT_NE(finding.message.find(mistake.message), std::string::npos) << finding.message;
    EXPECT_EQ(finding.severity, mistake.severity);
}

}  // namespace rotary::config
