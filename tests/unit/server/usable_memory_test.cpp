#include "server/usable_memory.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace rotary::server {
namespace {

namespace fs = std::filesystem;

class UsableMemory : public ::testing::Test {
protected:
    UsableMemory()
        : root_(fs::temp_directory_path() / ("rotary-memory-" + std::to_string(::getpid()))) {
        fs::create_directories(root_);
    }
    ~UsableMemory() override { fs::remove_all(root_); }
    void write(const std::string& path, const std::string& text) const {
        const fs::path file = root_.string() + path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text << '\n';
    }
    std::size_t usable() const { return usable_memory(root_.string()); }

    fs::path root_;
};

TEST_F(UsableMemory, IsTheMachinesWithoutALimit) {
    const std::size_t all = usable();
    EXPECT_GT(all, 64U << 20);
    write("/proc/self/cgroup", "0::/a/b");
    write("/sys/fs/cgroup/a/b/memory.max", "max");
    EXPECT_EQ(usable(), all);
}

TEST_F(UsableMemory, IsTheLeastOfTheGroupsAbove) {
    write("/proc/self/cgroup", "0::/a/b");
    write("/sys/fs/cgroup/a/b/memory.max", "50000000");
    EXPECT_EQ(usable(), 50000000U);
    write("/sys/fs/cgroup/a/memory.max", "40000000");
    EXPECT_EQ(usable(), 40000000U);
    write("/sys/fs/cgroup/memory.max", "30000000");
    EXPECT_EQ(usable(), 30000000U);
}

TEST_F(UsableMemory, KnowsVersionOneToo) {
    write("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/abc");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    write("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "20000000");
    EXPECT_EQ(usable(), 20000000U);
}

}  // namespace
}  // namespace rotary::server
