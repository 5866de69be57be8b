#include "server/descriptor_share.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace rotary::server {
namespace {

TEST(DescriptorShare, EachClientMayNeedTwo) {
    struct Row {
        const char* name;
        rlim_t descriptors;
        std::size_t clients;
    };
    const Row rows[] = {{"no limit", RLIM_INFINITY, SIZE_MAX},
                        {"the usual", 1024, 480},
                        {"an odd one", 67, 1},
                        {"a large one", 1048576, 524256},
                        {"for the process's own only", 64, 1},
                        {"not even for these", 3, 1},
                        {"none", 0, 1}};
    for (const Row& row : rows) EXPECT_EQ(clients_within(row.descriptors), row.clients) << row.name;
}

// Lowers the limit of this process for as long as it lives.
class LoweredLimit {
public:
    explicit LoweredLimit(rlim_t most) {
        getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit lower{most, before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &lower);
    }
    ~LoweredLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
    LoweredLimit(const LoweredLimit&) = delete;
    LoweredLimit& operator=(const LoweredLimit&) = delete;

private:
    rlimit before_{};
};

TEST(DescriptorShare, OfThisProcessIsOfItsLimitNow) {
    const LoweredLimit limit(264);
    EXPECT_EQ(clients_that_fit(), 100U);
    const LoweredLimit lower(164);
    EXPECT_EQ(clients_that_fit(), 50U);
}

}  // namespace
}  // namespace rotary::server
