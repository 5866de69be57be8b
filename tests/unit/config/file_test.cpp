#include <rotary/config/yaml/file.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

class WholeFile : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "rotary-file-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        fs::permissions(folder_, fs::perms(0755));
    }
    void TearDown() override { fs::remove_all(folder_); }
    std::string write(const std::string& text) const {
        std::ofstream(folder_ / "f") << text;
        return (folder_ / "f").string();
    }
    fs::path folder_;
};

TEST_F(WholeFile, IsReadUpToALimit) {
    const std::string path = write("12345");
    EXPECT_EQ(read_whole_file(path, 5).text, "12345");
    EXPECT_EQ(read_whole_file(path, 5).error, "");
    EXPECT_EQ(read_whole_file(path, 3).text, "1234");
}

TEST_F(WholeFile, SaysWhatIsNotThere) {
    EXPECT_EQ(read_whole_file("/nowhere/f", 5).error, "there is no file /nowhere/f");
    EXPECT_EQ(read_whole_file(folder_.string(), 5).error, folder_.string() + " is not a file");
    const std::string fifo = (folder_ / "fifo").string();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(read_whole_file(fifo, 5).error, fifo + " is not a file");
}

// By another user, for root may read everything.
TEST_F(WholeFile, SaysWhoMayNotReadIt) {
    const std::string path = write("secret");
    ASSERT_EQ(::chmod(path.c_str(), ::geteuid() == 0 ? 0600 : 0), 0);
    const std::string user = ::geteuid() == 0 ? "65532" : std::to_string(::geteuid());
    const std::string mode = ::geteuid() == 0 ? "0600" : "0000";
    const std::string expected = path + " can't be read by the user " + user +
                                 ": Permission denied (it belongs to the user " +
                                 std::to_string(::geteuid()) + " and the group " +
                                 std::to_string(::getegid()) + ", mode " + mode + ")";
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool other = ::geteuid() != 0 || ::seteuid(65532) == 0;
        ::_exit(other && read_whole_file(path, 9).error == expected ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << expected;
}

}  // namespace
}  // namespace rotary::config
