#include "server/cpu_count.hpp"

#include <gtest/gtest.h>

#include <map>

namespace rotary::server {
namespace {

using Files = std::map<std::string, std::string>;

struct Case {
    const char* name;
    Files files;
    std::optional<std::size_t> cpus;
};

std::ostream& operator<<(std::ostream& out, const Case& row) { return out << row.name; }

// The two files of a machine with version 2 alone, whose process is in this group.
Files v2(const std::string& group, Files more) {
    more["/proc/self/cgroup"] = "0::" + group + "\n";
    more["/proc/self/mountinfo"] =
        "23 28 0:22 / /proc rw,relatime shared:1 - proc proc rw\n"
        "31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    return more;
}

// The same of version 1, mounted from `root` of the hierarchy.
Files v1(const std::string& group, const std::string& root, Files more) {
    more["/proc/self/cgroup"] = "9:memory:/elsewhere\n4:cpu,cpuacct:" + group + "\n0::/\n";
    more["/proc/self/mountinfo"] =
        "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "32 31 0:29 " +
        root + " /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
    return more;
}

const std::string kV2 = "/sys/fs/cgroup";
const std::string kV1 = "/sys/fs/cgroup/cpu,cpuacct";

class QuotaCpus : public ::testing::TestWithParam<Case> {};

TEST_P(QuotaCpus, AreCounted) {
    const Files& files = GetParam().files;
    const auto read = [&](const std::string& path) {
        const auto found = files.find(path);
        return found == files.end() ? std::string() : found->second;
    };
    EXPECT_EQ(quota_cpus(read), GetParam().cpus);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, QuotaCpus,
    ::testing::Values(
        Case{"NoFilesAtAll", {}, std::nullopt},
        Case{"NoBound", v2("/", {{kV2 + "/cpu.max", "max 100000\n"}}), std::nullopt},
        Case{"NoQuotaFile", v2("/a/b", {}), std::nullopt},
        Case{"OfAContainer", v2("/", {{kV2 + "/cpu.max", "200000 100000\n"}}), 2},
        Case{"RoundedDown", v2("/", {{kV2 + "/cpu.max", "390000 100000\n"}}), 3},
        Case{"AtLeastOne", v2("/", {{kV2 + "/cpu.max", "50000 100000\n"}}), 1},
        Case{"AnotherPeriod", v2("/", {{kV2 + "/cpu.max", "40000 10000\n"}}), 4},
        Case{"OwnGroup", v2("/a/b", {{kV2 + "/a/b/cpu.max", "300000 100000\n"}}), 3},
        Case{"TheGroupAboveIsSmaller",
             v2("/a/b", {{kV2 + "/a/b/cpu.max", "800000 100000\n"},
                         {kV2 + "/a/cpu.max", "200000 100000\n"},
                         {kV2 + "/cpu.max", "max 100000\n"}}),
             2},
        Case{"TheGroupAboveIsLarger",
             v2("/a/b", {{kV2 + "/a/b/cpu.max", "200000 100000\n"},
                         {kV2 + "/a/cpu.max", "800000 100000\n"}}),
             2},
        Case{"ANeighbourIsNotAsked", v2("/a", {{kV2 + "/b/cpu.max", "100000 100000\n"}}),
             std::nullopt},
        Case{"AboveTheNamespace", v2("/../other", {{kV2 + "/cpu.max", "200000 100000\n"}}), 2},
        Case{"Nonsense", v2("/", {{kV2 + "/cpu.max", "many few\n"}}), std::nullopt},
        Case{"PeriodOfNothing", v2("/", {{kV2 + "/cpu.max", "100000 0\n"}}), std::nullopt},
        Case{"CutShort", v2("/", {{kV2 + "/cpu.max", "100000"}}), std::nullopt},
        Case{"Version1",
             v1("/a", "/",
                {{kV1 + "/a/cpu.cfs_quota_us", "250000\n"},
                 {kV1 + "/a/cpu.cfs_period_us", "100000\n"}}),
             2},
        Case{
            "Version1Unbound",
            v1("/a", "/",
               {{kV1 + "/a/cpu.cfs_quota_us", "-1\n"}, {kV1 + "/a/cpu.cfs_period_us", "100000\n"}}),
            std::nullopt},
        Case{
            "Version1OfAContainer",
            v1("/docker/1f", "/docker/1f",
               {{kV1 + "/cpu.cfs_quota_us", "400000\n"}, {kV1 + "/cpu.cfs_period_us", "100000\n"}}),
            4},
        Case{"Version1BelowAContainer",
             v1("/docker/1f/x", "/docker/1f",
                {{kV1 + "/x/cpu.cfs_quota_us", "100000\n"},
                 {kV1 + "/x/cpu.cfs_period_us", "100000\n"},
                 {kV1 + "/cpu.cfs_quota_us", "400000\n"},
                 {kV1 + "/cpu.cfs_period_us", "100000\n"}}),
             1},
        Case{
            "Version1NextToItsMount",
            v1("/docker/1fa", "/docker/1f",
               {{kV1 + "/cpu.cfs_quota_us", "300000\n"}, {kV1 + "/cpu.cfs_period_us", "100000\n"}}),
            3}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(UsableCpus, AreAtLeastOne) { EXPECT_GE(usable_cpus(), 1U); }

}  // namespace
}  // namespace rotary::server
