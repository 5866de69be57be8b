#include "control/key_file.hpp"

#include <gtest/gtest.h>

#include <support/temp_dir.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace rotary::control {
namespace {

class KeyFile : public testing::Test {
protected:
    std::string read(const std::string& path, std::size_t limit = 100) {
        error_.clear();
        return read_key_file(path, limit, error_);
    }

    test::TempDir dir_;
    std::string error_;
};

TEST_F(KeyFile, IsReadAsItIs) {
    const std::string text("{\"keys\":[]}\r\n\0\xff", 15);
    EXPECT_EQ(read(dir_.write("keys.json", text)), text);
    EXPECT_EQ(error_, "");
    EXPECT_EQ(read(dir_.write("empty.json", "")), "");
    EXPECT_EQ(error_, "") << "what is in it is not decided here";
}

TEST_F(KeyFile, OneByteTooManyShowsThatItIsTooLarge) {
    EXPECT_EQ(read(dir_.write("keys.json", std::string(100, 'x'))).size(), 100U);
    EXPECT_EQ(read(dir_.write("keys.json", std::string(101, 'x'))).size(), 101U);
    EXPECT_EQ(read(dir_.write("keys.json", std::string(5000, 'x'))).size(), 101U);
    EXPECT_EQ(error_, "");
}

TEST_F(KeyFile, ASymlinkIsFollowed) {
    dir_.write("real.json", "text");
    std::filesystem::create_symlink("real.json", dir_.path() / "link.json");
    EXPECT_EQ(read(dir_ / "link.json"), "text");
}

TEST_F(KeyFile, WhatIsNoFileIsAnErrorAndNeverAWait) {
    ASSERT_EQ(::mkfifo((dir_ / "fifo").c_str(), 0600), 0);
    std::filesystem::create_symlink("nowhere", dir_.path() / "dangling");
    for (const std::string& path :
         {dir_ / "missing", dir_ / "fifo", dir_ / "dangling", dir_.path().string(),
          std::string("/dev/zero"), std::string()}) {
        EXPECT_EQ(read(path), "") << path;
        EXPECT_EQ(error_, "not a file that can be read") << path;
    }
}

}  // namespace
}  // namespace rotary::control
