#pragma once

#include <support/test_client.hpp>

#include <rotary/mock/provider.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace rotary::test {

inline constexpr const char* kChat =
    R"({"model":"gpt-4o","messages":[{"role":"user","content":"hello you"}]})";

// One provider on plain TCP, started by the test with the options it is about.
class MockTest : public testing::Test {
protected:
    mock::MockProvider& start(mock::MockOptions options = {}) {
        provider.emplace(std::move(options));
        provider->start();
        return *provider;
    }
    ClientOptions to() const {
        ClientOptions options;
        options.port = provider->port();
        options.tls = false;
        return options;
    }
    Response chat(const std::string& body) const {
        return fetch(to(), {"POST", "/v1/chat/completions", {}, body});
    }
    Response chat_with_model(const std::string& model) const {
        return chat(R"({"model":")" + model + R"(","messages":[]})");
    }
    Response get(const std::string& target) const { return fetch(to(), {"GET", target, {}, ""}); }

    std::optional<mock::MockProvider> provider;
};

}  // namespace rotary::test
