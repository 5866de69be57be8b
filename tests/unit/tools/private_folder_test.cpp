#include <rotary/tools/private_folder.hpp>

#include <support/temp_dir.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace rotary::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path);
    return status.st_mode & 0777U;
}

TEST(PrivateFile, IsItsOwnersAlone) {
    const test::TempDir folder;
    const std::string path = folder / "key";
    write_private_file(path, "secret");
    EXPECT_EQ(test::read_file(path), "secret");
    EXPECT_EQ(mode_of(path), 0600U);
}

TEST(PrivateFile, ReplacesWhatWasThere) {
    const test::TempDir folder;
    const std::string path = folder.write("key", "something longer");
    write_private_file(path, "short");
    EXPECT_EQ(test::read_file(path), "short");
    write_private_file(path, "");
    EXPECT_EQ(test::read_file(path), "");
}

TEST(PrivateFile, ThatCannotBeWrittenIsNamed) {
    const test::TempDir folder;
    const std::pair<std::string, const char*> rows[] = {
        {folder / "none/key", "No such file or directory"},
        {folder.path().string(), "Is a directory"},
        {"/dev/full", "No space left on device"},
    };
    for (const auto& [path, reason] : rows) {
        try {
            write_private_file(path, "secret");
            ADD_FAILURE() << path;
        } catch (const std::runtime_error& error) {
            EXPECT_EQ(std::string(error.what()), "can't write " + path + ": " + reason);
        }
    }
}

TEST(PrivateFolder, GoesWithEverythingInIt) {
    std::string path;
    {
        const PrivateFolder folder;
        path = folder.path();
        EXPECT_EQ(mode_of(path), 0700U);
        const std::string file = folder.write("a", "text");
        EXPECT_EQ(file, path + "/a");
        EXPECT_EQ(test::read_file(file), "text");
        fs::create_directories(path + "/deep/er");
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST(PrivateFolder, IsAnewEachTime) {
    const PrivateFolder one;
    const PrivateFolder other;
    EXPECT_NE(one.path(), other.path());
}

}  // namespace
}  // namespace rotary::tools
