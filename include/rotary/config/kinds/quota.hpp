#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/common.hpp>

namespace rotary::config {

enum class RateUnit : std::uint8_t { second, minute, hour, day };

// So many in each unit of time.
struct RateCount {
    std::int64_t count = 0;
    RateUnit unit = RateUnit::minute;
    Mark mark;
};

// Of these policies `override` goes before `default` field by field; here they are one.

struct AiRateLimitPolicy {
    enum class Target { backend, subscription };
    Metadata metadata;
    Target target_kind = Target::subscription;
    std::string target;  // the Backend; of a subscription's it means nothing
    Mark target_mark;
    std::optional<RateCount> prompt;
    std::optional<RateCount> completion;
    std::optional<RateCount> total;
    std::optional<RateCount> requests;
    // Of a Backend's policy: each of these has its limits for itself, and others have none. Empty:
    // they are the whole Backend's.
    std::vector<std::string> models;
    std::string organization;
    Mark organization_mark;
    bool shadow = false;
};

// Requests counted by who their callers are or what they send.
struct CustomRate {
    enum class By : std::uint8_t { consumer, claim, header };
    RateCount rate;
    By by = By::consumer;
    std::string name;   // of the token's claim or of the header
    std::string value;  // whose requests alone are limited; empty: each value has its own count
    Mark mark;          // of `key`
};

struct RateLimitPolicy {
    Metadata metadata;
    TargetRef target;              // of `api` and `custom`
    std::optional<RateCount> api;  // of an API, or of the rules that refer to the policy
    std::optional<RateCount> subscription;
    std::optional<RateCount> burst;    // of a subscription, beside the count
    std::optional<CustomRate> custom;  // of the target; without one of all its organization's APIs
    std::string organization;
    Mark organization_mark;
    bool shadow = false;
};

struct Subscription {
    Metadata metadata;
    std::string organization;
    std::string api;          // apiName
    std::string api_version;  // a regular expression
    Mark api_version_mark;
    std::string tier;  // identity of a policy; empty: without limits
    Mark tier_mark;
};

struct Application {
    struct Client {
        std::string environment;  // of an API
        std::string id;           // of OAuth2
        bool is_sandbox = false;
        Mark mark;
    };
    Metadata metadata;
    std::string name;
    std::string organization;
    std::vector<Client> clients;
};

struct ApplicationMapping {
    Metadata metadata;
    Reference application;
    Reference subscription;
};

}  // namespace rotary::config
