// What is said of the place where the access log is to go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include <support/temp_dir.hpp>

#include "unit/config/loading.hpp"

namespace rotary::config {
namespace {

// What the check says at log.access_file; empty: nothing.
std::string said_of(const std::string& log) {
    const Loaded loaded = load_process("log: {" + log + "}\n");
    for (const Finding& finding : loaded.findings) {
        const std::string line = to_text(std::span(&finding, 1));
        if (line.find("log.access_file") != line.npos) return line;
    }
    return "";
}

TEST(AccessFile, IsAFileInAFolderThatThereIs) {
    const test::TempDir dir;
    dir.write("file", "x");
    struct Row {
        const char* name;
        std::string log;
        const char* says;  // empty: nothing
    };
    const Row rows[] = {
        {"none", "level: info", ""},
        {"standard output", "access_file: \"\"", ""},
        {"yet to be made", "access_file: " + (dir / "access.log"), ""},
        {"there already", "access_file: " + (dir / "file"), ""},
        {"a folder", "access_file: " + (dir / "."), "error: log.access_file"},
        {"no folder", "access_file: " + (dir / "no/access.log"), "is no folder"},
        {"below a file", "access_file: " + (dir / "file/access.log"), "is no folder"},
        {"off", "access: off, access_file: " + (dir / "access.log"), "log.access is off"},
    };
    for (const Row& row : rows) {
        const std::string said = said_of(row.log);
        EXPECT_THAT(said, testing::HasSubstr(row.says)) << row.name;
        EXPECT_EQ(said.empty(), std::string(row.says).empty()) << row.name << said;
    }
}

}  // namespace
}  // namespace rotary::config
