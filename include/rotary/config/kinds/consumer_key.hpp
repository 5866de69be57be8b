#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/base/clock.hpp>
#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

// The most requests in flight that a limit may say, of a consumer or an API.
inline constexpr std::uint32_t kMostConcurrent = 1'000'000;

// What is kept of one API key. The key itself stands in no file.
struct KeyHash {
    std::string hash;  // "sha256:" and 64 digits, lower case; empty: it could not be read
    WallTime not_before = WallTime::min();
    WallTime not_after = WallTime::max();  // from then on it is not valid
    std::string note;
    Mark mark;  // of hash
    Mark not_after_mark;
};

// The keys of one consumer, and what they are good for. Several objects may be of one consumer.
struct ConsumerKey {
    Metadata metadata;
    std::string consumer;
    std::vector<KeyHash> keys;
    std::vector<Reference> apis;    // none: any API
    std::vector<Reference> models;  // their names as they are; none: any model
    std::vector<std::string> scopes;
    bool disabled = false;
    std::uint32_t max_concurrent = 0;  // requests in flight; 0: quotas.max_concurrent_per_consumer
    Mark max_concurrent_mark;
};

}  // namespace rotary::config
