#pragma once

#include "kubernetes/resource_watch.hpp"

#include <support/eventually.hpp>
#include <support/fake_api_server.hpp>
#include <support/temp_dir.hpp>

#include <rotary/config/load.hpp>
#include <rotary/net/resolver.hpp>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace rotary::kubernetes {

inline const test::FakeResource kBackends{"dp.wso2.com/v1alpha2", "backends", "Backend"};

// A client of an API server of the tests, on a loop that the test turns.
class FakeCluster : public testing::Test {
protected:
    FakeCluster() {
        dir_.write("token", "secret-token");
        settings_.kubeconfig = dir_.write("kubeconfig", server_.kubeconfig());
        access_.emplace(settings_, config::process_environment());
        client_.emplace(context_, resolver_, *access_);
    }
    // Turns the loop until it is so.
    bool until(const std::function<bool()>& condition) {
        const auto end = std::chrono::steady_clock::now() + test::kPatience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            if (context_.stopped()) context_.restart();  // it had nothing to wait for
            context_.run_one_for(std::chrono::milliseconds(5));
        }
        return true;
    }

    test::FakeApiServer server_;
    test::TempDir dir_;
    boost::asio::io_context context_{1};
    net::Resolver resolver_;
    Logger log_{LogLevel::error};
    config::KubernetesSettings settings_;
    std::optional<ClusterAccess> access_;
    std::optional<ApiClient> client_;
};

}  // namespace rotary::kubernetes
