#include <demo/stage.hpp>

#include <demo/config.hpp>
#include <demo/free_port.hpp>
#include <rotary/auth/api_key.hpp>
#include <rotary/base/clock.hpp>
#include <rotary/config/load.hpp>
#include <rotary/server/server.hpp>
#include <rotary/tools/token.hpp>

#include <exception>
#include <fstream>
#include <future>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace rotary::demo {

namespace {

constexpr unsigned kWords = 9;  // of an answer

std::string read_text(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

Stage::Stage(const StageOptions& options)
    : providers_{{{"provider-1", "Bearer sk-demo-one", nullptr},
                  {"provider-2", "Bearer sk-demo-two", nullptr}}},
      team_key_(auth::make_api_key()),
      log_(options.verbose ? LogLevel::info : LogLevel::error) {
    require_free(options.port);
    certificates_ = tools::make_dev_certificates(folder_.path());
    start_providers();
    write_configuration(options.port);
    start_gateway();
}

Stage::~Stage() {
    if (!thread_.joinable()) return;
    gateway_->request_stop();
    thread_.join();
}

void Stage::start_providers() {
    for (Provider& provider : providers_) {
        mock::MockOptions options;
        options.require_key = provider.key;
        options.suffix = kSuffix;
        options.tokens = kWords;
        options.chunk_interval = kChunkInterval;
        if (provider.name == "provider-1") {
            options.quotas.push_back({kLimitedModel, kQuota, kQuotaWindow});
        }
        provider.mock = std::make_unique<mock::MockProvider>(options);
        provider.mock->start();
    }
}

void Stage::write_configuration(std::uint16_t port) const {
    folder_.write("rotary.yaml", process_yaml(port));
    folder_.write("resources.yaml",
                  resources_yaml({providers_[0].mock->port(), providers_[1].mock->port()},
                                 {providers_[0].key, providers_[1].key}));
    folder_.write("prices.yaml", prices_yaml());
    folder_.write("team.yaml", team_yaml(auth::hash_text(auth::digest_of(team_key_))));
}

void Stage::start_gateway() {
    config::Loaded loaded =
        config::load(folder_.path() + "/rotary.yaml", config::process_environment());
    if (!loaded.ok()) {
        throw std::runtime_error("its own configuration has errors:\n" +
                                 config::to_text(loaded.findings));
    }
    std::promise<void> bound;
    std::future<void> outcome = bound.get_future();
    thread_ = std::thread([this, &bound, loaded = std::move(loaded)]() mutable {
        try {
            std::vector<config::Finding> findings;
            server::Server::Options options;
            options.config_path = folder_.path() + "/rotary.yaml";
            options.environment = config::process_environment();
            options.handle_signals = false;
            gateway_ = std::make_unique<server::Server>(options, std::move(loaded), log_, findings);
        } catch (...) {
            bound.set_exception(std::current_exception());
            return;
        }
        bound.set_value();
        gateway_->run();
    });
    try {
        outcome.get();
    } catch (...) {
        thread_.join();
        throw;
    }
}

std::uint16_t Stage::port() const { return gateway_->ports().front(); }
std::uint16_t Stage::admin_port() const { return gateway_->admin_port(); }

std::string Stage::token(const std::string& ttl) const {
    tools::TokenOptions options;
    options.issuer = kIssuer;
    options.kid = certificates_.issuer_kid;
    options.subject = "demo-user";
    options.ttl = ttl;
    tools::MintedToken minted =
        tools::mint(options, read_text(certificates_.issuer_key), read_clock().wall);
    if (minted.token.empty()) throw std::runtime_error("no token: " + minted.error);
    return std::move(minted.token);
}

}  // namespace rotary::demo
