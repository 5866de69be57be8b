#include "server/log_files.hpp"

#include "server/access_file.hpp"

#include <gtest/gtest.h>

#include <support/temp_dir.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace rotary::server {
namespace {

// Two descriptors in the place of standard output and standard error.
class LogFilesTest : public testing::Test {
protected:
    ~LogFilesTest() override {
        for (const int fd : {out_, err_, said_}) ::close(fd);
    }
    int open(const std::string& name) const {
        return ::open((dir_ / name).c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    }
    static void write(int fd, const std::string& text) {
        EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    std::string text(const std::string& name) const { return test::read_file(dir_ / name); }
    void rename(const std::string& from, const std::string& to) const {
        std::filesystem::rename(dir_ / from, dir_ / to);
    }
    void reopen(const LogFiles& files) {
        Logger log(LogLevel::info, LogFormat::json, said_);
        files.reopen(log);
        log.flush(std::chrono::seconds(10));
    }

    test::TempDir dir_;
    const int out_ = open("out.log");
    const int err_ = open("err.log");
    const int said_ = open("said.log");
};

TEST_F(LogFilesTest, WhatWasMovedAwayIsMadeAnew) {
    const LogFiles files({out_, err_});
    write(out_, "one\n");
    rename("out.log", "out.log.1");
    rename("err.log", "err.log.1");
    write(out_, "two\n");
    reopen(files);
    write(out_, "three\n");
    write(err_, "error\n");
    EXPECT_EQ(text("out.log.1"), "one\ntwo\n");
    EXPECT_EQ(text("out.log"), "three\n");
    EXPECT_EQ(text("err.log"), "error\n");
    EXPECT_NE(text("said.log").find("log file reopened"), std::string::npos);
}

TEST_F(LogFilesTest, WhatIsStillThereGoesOn) {
    const LogFiles files({out_});
    write(out_, "one\n");
    reopen(files);
    write(out_, "two\n");
    EXPECT_EQ(text("out.log"), "one\ntwo\n") << "appended, not cut off";
}

TEST_F(LogFilesTest, TheNameIsTheOneAtTheStart) {
    const LogFiles files({out_});
    for (const char* round : {"first\n", "second\n"}) {
        rename("out.log", std::string("moved ") + round[0]);
        reopen(files);
        write(out_, round);
        EXPECT_EQ(text("out.log"), round);
    }
}

TEST_F(LogFilesTest, APipeIsLeftAsItIs) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reopen(LogFiles({ends[1]}));
    write(ends[1], "x");
    char got = 0;
    EXPECT_EQ(::read(ends[0], &got, 1), 1);
    EXPECT_EQ(text("said.log"), "");
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(LogFilesTest, ADeletedFileAndAClosedDescriptorAreLeftAsTheyAre) {
    std::filesystem::remove(dir_ / "out.log");
    const int closed = open("other.log");
    ::close(closed);
    reopen(LogFiles({out_, closed}));
    EXPECT_EQ(text("said.log"), "");
    EXPECT_FALSE(std::filesystem::exists(dir_ / "out.log"));
}

TEST_F(LogFilesTest, OneThatCannotBeOpenedStaysAndIsToldOf) {
    const LogFiles files({out_, err_});
    rename("out.log", "out.log.1");
    std::filesystem::create_directory(dir_ / "out.log");
    reopen(files);
    write(out_, "still\n");
    EXPECT_EQ(text("out.log.1"), "still\n");
    const std::string said = text("said.log");
    EXPECT_NE(said.find("log file can't be reopened"), std::string::npos) << said;
    EXPECT_NE(said.find("Is a directory"), std::string::npos) << said;
    EXPECT_NE(said.find("log file reopened"), std::string::npos) << "the other is";
}

TEST_F(LogFilesTest, OneThatWasOpenedByItsNameIsReopenedByIt) {
    LogFiles files(std::vector<int>{});
    files.add(out_, dir_ / "out.log");
    rename("out.log", "out.log.1");
    reopen(files);
    write(out_, "new\n");
    EXPECT_EQ(text("out.log"), "new\n");
    EXPECT_EQ(text("out.log.1"), "");
}

TEST_F(LogFilesTest, AnAccessFileIsMadeAndAppendedTo) {
    const std::string path = dir_ / "access.log";
    for (const char* line : {"one\n", "two\n"}) {
        const AccessFile file(path, 99);
        EXPECT_EQ(file.path(), path);
        write(file.fd(), line);
    }
    EXPECT_EQ(text("access.log"), "one\ntwo\n");
    const AccessFile none("", out_);
    EXPECT_EQ(none.fd(), out_);
}

TEST_F(LogFilesTest, AnAccessFileThatCannotBeOpenedIsNamed) {
    for (const std::string& path :
         {dir_ / "no/access.log", dir_ / ".", dir_ / "out.log/access.log"}) {
        try {
            const AccessFile file(path, 1);
            ADD_FAILURE() << path;
        } catch (const std::runtime_error& error) {
            EXPECT_NE(std::string(error.what()).find("log.access_file: " + path), std::string::npos)
                << error.what();
        }
    }
    write(out_, "the descriptor of others is still there\n");
}

}  // namespace
}  // namespace rotary::server
