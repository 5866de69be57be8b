#pragma once

// The key fetcher against a key server on loopback, both on one io_context, so nothing races and
// nothing sleeps: a test runs the context until what it waits for has come.
#include "key_server.hpp"

#include <rotary/control/jwks.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/certificates.hpp>
#include <support/dns_server.hpp>
#include <support/temp_dir.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rotary::control {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using auth::KeySet;
using test::certificates;
using testing::HasSubstr;

inline std::string jwks_of(const std::vector<std::string>& kids) {
    std::vector<test::JwkSource> sources;
    for (const std::string& kid : kids) {
        sources.push_back({kid, test::issuers().ec.key, "ES256"});
    }
    return test::make_jwks(sources);
}

inline std::string kids(const std::shared_ptr<const KeySet>& keys) {
    if (!keys) return "none";
    std::string out;
    for (const auto& key : keys->keys()) out += key.kid + " ";
    return out;
}

class JwksTest : public testing::Test {
protected:
    JwksTest() {
        options_.refresh = 1h;
        options_.retry_first = 10ms;
        options_.retry_max = 40ms;
        options_.cooldown = 1h;
    }
    KeyServer& server(const test::PemFiles* tls = nullptr) {
        servers_.push_back(std::make_unique<KeyServer>(context_, tls));
        return *servers_.back();
    }
    JwksFetcher& fetcher() {
        if (!fetcher_) {
            auto on_keys = [this](std::size_t issuer, std::shared_ptr<const KeySet> keys) {
                published_.push_back(std::to_string(issuer) + ": " + kids(keys));
                if (when_published_) when_published_();
            };
            fetcher_ = std::make_unique<JwksFetcher>(context_, resolver_, options_, on_keys, log_);
        }
        return *fetcher_;
    }
    static JwksSource at(const std::string& url, const std::string& ca = {}) {
        JwksSource source;
        source.issuer = "https://idp.test";
        source.url = url;
        if (!ca.empty()) source.ca_pem = test::read_file(ca);
        return source;
    }
    // Runs the context until `done`; false after 10 s.
    bool run_until(const std::function<bool()>& done) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > until) return false;
            context_.restart();
            context_.run_one_for(100ms);
        }
        return true;
    }
    bool run_until_published(std::size_t count) {
        return run_until([this, count] { return published_.size() >= count; });
    }
    bool run_until_failed(std::uint64_t count) {
        return run_until([this, count] { return fetcher().fetches_failed() >= count; });
    }
    bool run_until_ok(std::uint64_t count) {
        return run_until([this, count] { return fetcher().fetches_ok() >= count; });
    }
    // Whatever can happen now has happened.
    void settle() {
        context_.restart();
        while (context_.poll() > 0) context_.restart();
    }

    net::Resolver::Options asking() const {
        net::Resolver::Options options{.lookup = 1h};
        options.servers = {names_.address()};
        return options;
    }

    test::DnsServer names_;
    net::Resolver resolver_{asking()};
    asio::io_context context_{1};
    Logger log_{LogLevel::error, LogFormat::json, -1};
    JwksOptions options_;
    std::vector<std::string> published_;
    std::function<void()> when_published_;
    std::vector<std::unique_ptr<KeyServer>> servers_;
    std::unique_ptr<JwksFetcher> fetcher_;
};

}  // namespace rotary::control
