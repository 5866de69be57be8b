#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rotary/config/kinds/common.hpp>
#include <rotary/config/kinds/endpoint.hpp>

namespace rotary::config {

// Where a value stands in a request or an answer: a JSON path in the body, a header or query
// parameter by name, or a path by regular expression (its first group).
struct ValueLocation {
    enum class In { body, header, query, path };
    In in = In::body;
    std::string value;
    Mark mark;
};

struct AiProvider {
    Metadata metadata;
    std::string provider_name;
    std::string provider_api_version;
    std::string organization;
    std::vector<std::string> supported_models;  // information only: WSO2's sample routes to others
    ValueLocation request_model{ValueLocation::In::body, "model", {}};
    ValueLocation response_model{ValueLocation::In::body, "model", {}};
    ValueLocation prompt_tokens;
    ValueLocation completion_tokens;
    ValueLocation total_tokens;
};

// An entry: a pair of model and Backend.
struct ModelEntry {
    std::string model;
    std::optional<Reference> backend;  // absent: the route's only Backend
    std::uint32_t weight = 1;          // 0: listed, never picked
    Mark mark;
    Mark weight_mark;
};

struct ModelRotation {
    std::chrono::seconds suspend{0};  // onQuotaExceedSuspendDuration; 0: the provider's hint alone
    std::vector<ModelEntry> production;
    std::vector<ModelEntry> sandbox;
    EndpointSet endpoints = 0;  // that it is for, as the policy's annotation has it; 0: all
    Mark mark;
    Mark production_mark;
    Mark sandbox_mark;
};

// cORSPolicy. Origins are compared whole, "*" is any; "*" among methods or headers is any as well.
struct CorsPolicy {
    bool enabled = true;
    bool allow_credentials = false;
    std::vector<std::string> allow_origins;
    std::vector<std::string> allow_methods;
    std::vector<std::string> allow_headers;
    std::vector<std::string> expose_headers;
    std::optional<std::chrono::seconds> max_age;
    Mark mark;
};

// One half of a policy; what is absent leaves the word to the other levels.
struct PolicySpec {
    std::optional<Reference> ai_provider;
    std::optional<ModelRotation> rotation;
    std::optional<CorsPolicy> cors;
    std::optional<bool> subscription_validation;
};

struct ApiPolicy {
    Metadata metadata;
    PolicySpec defaults;
    PolicySpec overrides;
    TargetRef target;
};

}  // namespace rotary::config
