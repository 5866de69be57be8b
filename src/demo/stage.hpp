#pragma once

#include <rotary/base/log.hpp>
#include <rotary/mock/provider.hpp>
#include <rotary/tools/dev_certificates.hpp>
#include <rotary/tools/private_folder.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace rotary::server {
class Server;
}

namespace rotary::demo {

inline constexpr const char* kProductionHost = "default.gw.wso2.com";
inline constexpr const char* kSandboxHost = "default.sandbox.gw.wso2.com";
inline constexpr const char* kTarget = "/chat-service-prod-sand/1.0/chat/completions";
inline constexpr std::array<const char*, 3> kModels = {"gpt-4o", "o1-mini", "gpt-4o-mini"};
inline constexpr const char* kLimitedModel = "gpt-4o-mini";  // in production, at provider-1
inline constexpr std::uint64_t kQuota = 3;                   // answers in a window
inline constexpr std::chrono::seconds kQuotaWindow{2};
inline constexpr const char* kSuffix = "-2024-07-18";  // answers name the model with it
inline constexpr std::chrono::milliseconds kChunkInterval{60};
inline constexpr unsigned kWorkers = 2;

// What a team may spend in the sandbox, and what a token costs there, in nanodollars.
inline constexpr const char* kTeam = "team-a";
inline constexpr const char* kBudget = "0.0003";
inline constexpr std::int64_t kBudgetNanos = 300'000;
inline constexpr std::int64_t kInputNanos = 1'000;
inline constexpr std::int64_t kOutputNanos = 10'000;

struct StageOptions {
    std::uint16_t port = 9095;  // 0: any free one
    bool verbose = false;       // the gateway's log to standard error
};

// Two providers and a gateway, ready for calls, and the files that they need in a private folder.
// Everything stops, and the folder goes, when this does.
class Stage {
public:
    struct Provider {
        std::string name;  // of its Backend
        std::string key;   // the only Authorization it accepts
        std::unique_ptr<mock::MockProvider> mock;
    };

    // Throws std::runtime_error with a sentence for the user.
    explicit Stage(const StageOptions& options);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    std::uint16_t port() const;
    std::uint16_t admin_port() const;
    const tools::DevCertificates& certificates() const { return certificates_; }
    const std::string& folder() const { return folder_.path(); }
    const std::array<Provider, 2>& providers() const { return providers_; }
    const std::string& team_key() const { return team_key_; }
    // A good token if `ttl` is ahead ("1h"), one that has expired if not ("-1h").
    std::string token(const std::string& ttl) const;

private:
    void start_providers();
    void write_configuration(std::uint16_t port) const;
    void start_gateway();

    tools::PrivateFolder folder_;
    tools::DevCertificates certificates_;
    std::array<Provider, 2> providers_;
    std::string team_key_;
    Logger log_;
    std::unique_ptr<server::Server> gateway_;  // made and run on thread_
    std::thread thread_;
};

}  // namespace rotary::demo
