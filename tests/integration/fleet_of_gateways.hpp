#pragma once

#include "gateway_fixture.hpp"

#include <support/faulty_provider.hpp>
#include <support/redis_server.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rotary::test {

// So many gateways, one Redis, one provider of the models "moody" and "well", each with half of the
// weight. Each gateway has a key of its own, by which the provider's requests tell them apart.
class FleetOfGateways {
public:
    explicit FleetOfGateways(std::size_t size, unsigned suspend_seconds = 60)
        : suspend_seconds_(suspend_seconds) {
        provider.set_planner([this](const ProviderRequest& request) { return plan(request); });
        for (std::size_t i = 0; i < size; ++i) start();
        for (const auto& gateway : gateways) {
            EXPECT_TRUE(eventually([&] { return fleet_field(*gateway, "state") == "connected"; }));
        }
    }

    Gateway& start() {
        GatewayOptions options;
        options.suspend_seconds = suspend_seconds_;
        options.backends = {provider.backend("Bearer " + std::to_string(gateways.size()))};
        options.production = {{"moody"}, {"well"}};
        options.provider = "{in: Header, value: x-model}";
        options.process = "state: {redis: {url: " + redis.url() + ", namespace: test}}\n";
        gateways.push_back(std::make_unique<Gateway>(options));
        return *gateways.back();
    }

    static std::string fleet_field(const Front& gateway, const std::string& field) {
        return json_at(gateway.admin("/api/v1/status"), "fleet." + field);
    }
    static bool is_out(const Front& gateway) {
        return entry_field(gateway, "moody", "state") != "active";
    }
    // Until all have it so.
    bool wait_until_all(bool out) const {
        return eventually([&] {
            for (const auto& gateway : gateways) {
                if (is_out(*gateway) != out) return false;
            }
            return true;
        });
    }

    struct Seen {
        std::string gateway;
        Clock::time_point at;
    };
    // Requests for "moody", as the provider has had them since.
    std::vector<Seen> asked_since(Clock::time_point since) const {
        std::vector<Seen> seen;
        for (const ProviderRequest& request : provider.requests()) {
            if (request.received_at < since || request.header("x-model") != "moody") continue;
            seen.push_back({request.header("authorization"), request.received_at});
        }
        return seen;
    }

    RedisServer redis;
    FaultyProvider provider;
    std::atomic<bool> refuses{false};  // requests for "moody"
    std::atomic<bool> refuses_all{false};
    std::vector<std::unique_ptr<Gateway>> gateways;

private:
    ProviderPlan plan(const ProviderRequest& request) const {
        ProviderPlan plan;
        if (refuses_all || (refuses && request.header("x-model") == "moody")) {
            ProviderAnswer answer;
            answer.status = 429;
            answer.body = R"({"error":{"message":"Too fast.","code":"rate_limit_exceeded"}})";
            plan.answer = answer;
        }
        return plan;
    }

    const unsigned suspend_seconds_;
};

// A client of each gateway that asks without a pause, until this goes.
class SteadyClients {
public:
    explicit SteadyClients(const FleetOfGateways& fleet) : answers_(fleet.gateways.size()) {
        for (std::size_t i = 0; i < answers_.size(); ++i) {
            threads_.emplace_back(
                [this, i, front = fleet.gateways[i].get()] { ask(*front, answers_[i]); });
        }
    }
    ~SteadyClients() { stop(); }
    void stop() {
        stops_ = true;
        for (std::thread& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
    }
    // Until all that is asked now has been answered, and each client has asked anew.
    bool wait_for_answers() const {
        std::vector<std::size_t> before(answers_.begin(), answers_.end());
        return eventually([&] {
            for (std::size_t i = 0; i < before.size(); ++i) {
                if (answers_[i] < before[i] + 2) return false;
            }
            return true;
        });
    }
    std::size_t answered() const { return answered_; }
    std::size_t failed() const { return failed_; }
    std::chrono::milliseconds slowest() const { return std::chrono::milliseconds(slowest_); }

private:
    void ask(const Gateway& gateway, std::atomic<std::size_t>& answers) {
        TestClient client = gateway.connect();
        while (!stops_) {
            const auto begun = Clock::now();
            const Response response = client.exchange(chat());
            const auto took =
                std::chrono::round<std::chrono::milliseconds>(Clock::now() - begun).count();
            if (took > slowest_) slowest_ = took;
            ++(response.status == 200 ? answered_ : failed_);
            ++answers;
        }
    }

    std::atomic<bool> stops_{false};
    std::vector<std::atomic<std::size_t>> answers_;  // of each client
    std::atomic<std::size_t> answered_{0};
    std::atomic<std::size_t> failed_{0};
    std::atomic<std::int64_t> slowest_{0};
    std::vector<std::thread> threads_;
};

}  // namespace rotary::test
