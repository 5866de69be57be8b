#include "server/descriptor_share.hpp"

#include <algorithm>
#include <cstdint>

namespace rotary::server {

namespace {
constexpr rlim_t kOwnDescriptors = 64;
}

std::size_t clients_within(rlim_t descriptors) {
    if (descriptors == RLIM_INFINITY) return SIZE_MAX;
    const rlim_t left = descriptors > kOwnDescriptors ? descriptors - kOwnDescriptors : 0;
    return std::max<std::size_t>(1, left / 2);
}

std::size_t clients_that_fit() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? clients_within(limit.rlim_cur) : SIZE_MAX;
}

}  // namespace rotary::server
