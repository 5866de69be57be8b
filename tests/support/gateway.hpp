#pragma once

#include <rotary/base/log.hpp>
#include <rotary/mock/provider.hpp>
#include <rotary/server/server.hpp>
#include <support/front.hpp>
#include <support/temp_dir.hpp>
#include <support/test_client.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rotary::test {

// One row of a rotation's list in a test's configuration.
struct GatewayEntry {
    std::string model;
    std::size_t backend = 0;  // index of a backend
    unsigned weight = 1;
};

// A Backend as a test wants it.
struct GatewayBackend {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string key;  // "Bearer …"; empty: none
    std::string base_path = "/v1/";
    bool tls = false;     // verified against certificates().ca
    unsigned weight = 1;  // among the routes' backendRefs
    std::string more{};   // lines of its spec: "  circuitBreaker: {maxConnections: 1}\n"
};

struct GatewayOptions {
    unsigned workers = 2;
    unsigned suspend_seconds = 60;  // onQuotaExceedSuspendDuration
    std::vector<GatewayBackend> backends;
    std::vector<GatewayEntry> production;
    std::vector<GatewayEntry> sandbox;
    std::string process;    // more of rotary.yaml: "routing: {max_attempts: 2}\nlimits: {…}\n"
    std::string resources;  // more documents, each begun by "---\n"
    std::string provider;   // requestModel of the AIProvider, e.g. "{in: Header, value: x-model}"
    std::vector<std::string> filters;  // more of the chat route's, each in flow style
    bool plaintext = false;
    std::string certificate{};  // paths; empty: certificates().server
    std::string key{};
    std::string jwks_file{};                    // of the token issuer; empty: issuers().jwks_file
    std::string source = "resources: [apis/]";  // of resources, a line of rotary.yaml
};

// The files of a gateway's configuration in WSO2's shape: the hosts default.gw.wso2.com
// (production) and default.sandbox.gw.wso2.com, base path /chat/1.0, POST /chat/completions with
// the rotation and GET /models without it; tokens of kIssuer.
class GatewayFiles {
public:
    explicit GatewayFiles(const GatewayOptions& options) { write(options); }
    void write(const GatewayOptions& options);  // again, for a reload
    std::string config() const { return dir_ / "rotary.yaml"; }
    const TempDir& dir() const { return dir_; }

private:
    TempDir dir_;
};

// A whole Rotary in this process: real workers, TLS, admin listener, on ports of 127.0.0.1 that the
// kernel chose. Stops and joins when it goes.
class Gateway : public Front {
public:
    explicit Gateway(const GatewayOptions& options);
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    server::Server& server() { return *server_; }
    GatewayFiles& files() { return files_; }
    std::string access_log() const;  // all lines so far that have reached the sink

    int wait();  // until run() has returned; its exit code
    int stop();  // drains; run()'s exit code

private:
    GatewayFiles files_;
    std::string access_log_path_;
    int access_log_fd_ = -1;
    Logger log_;
    std::unique_ptr<server::Server> server_;
    std::thread thread_;
    int exit_code_ = -1;
};

// A mock provider, started.
std::unique_ptr<mock::MockProvider> start_mock(mock::MockOptions options = {});

// POST /chat/1.0/chat/completions for production (or the given host), with a valid token.
Request chat(
    const std::string& body = R"({"model":"any","messages":[{"role":"user","content":"hi"}]})");
Request sandbox_chat();

}  // namespace rotary::test
