#include <support/certificates.hpp>
#include <support/gateway.hpp>
#include <support/tokens.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace rotary::test {

namespace {

constexpr const char* kApi = R"(
kind: API
apiVersion: dp.wso2.com/v1alpha3
metadata: {name: chat-api}
spec:
  apiName: chat-api
  apiType: REST
  apiVersion: "1.0"
  basePath: /chat/1.0
  organization: default
  isDefaultVersion: true
  production: [{routeRefs: [production-route]}]
  sandbox: [{routeRefs: [sandbox-route]}]
---
kind: AIProvider
apiVersion: dp.wso2.com/v1alpha4
metadata: {name: provider}
spec:
  providerName: OpenAI
  providerAPIVersion: v1
  organization: default
  requestModel: REQUEST_MODEL
  responseModel: {in: Body, value: model}
  rateLimitFields:
    promptTokens: {in: Body, value: "$.usage.prompt_tokens"}
    completionToken: {in: Body, value: "$.usage.completion_tokens"}
    totalToken: {in: Body, value: "$.usage.total_tokens"}
)";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const std::size_t at = text.find(what);
    return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

std::string backend_refs(const GatewayOptions& options) {
    std::string refs;
    for (std::size_t i = 0; i < options.backends.size(); ++i) {
        refs += "        - {group: dp.wso2.com, kind: Backend, name: backend-" + std::to_string(i) +
                ", weight: " + std::to_string(options.backends[i].weight) + "}\n";
    }
    return refs;
}

std::string more_filters(const GatewayOptions& options) {
    std::string lines;
    for (const std::string& filter : options.filters) lines += "        - " + filter + "\n";
    return lines;
}

std::string route(const GatewayOptions& options, const std::string& name, const std::string& host) {
    return "---\nkind: HTTPRoute\napiVersion: gateway.networking.k8s.io/v1beta1\nmetadata: "
           "{name: " +
           name + "}\nspec:\n  hostnames: [" + host +
           "]\n  rules:\n    - matches:\n        - path: {type: RegularExpression, value: "
           "/chat/completions}\n          method: POST\n      filters:\n        - type: "
           "URLRewrite\n"
           "          urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: "
           "/chat/completions}}\n" +
           more_filters(options) + "      backendRefs:\n" + backend_refs(options) +
           "    - matches:\n        - path: {type: Exact, value: /models}\n          method: GET\n"
           "      backendRefs:\n" +
           backend_refs(options);
}

std::string backend(const GatewayBackend& options, std::size_t index) {
    const std::string number = std::to_string(index);
    std::string text =
        "---\nkind: Backend\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: "
        "backend-" +
        number + "}\nspec:\n  services: [{host: \"" + options.host +
        "\", port: " + std::to_string(options.port) + "}]\n  basePath: " + options.base_path +
        "\n  protocol: " + (options.tls ? "https" : "http") + "\n";
    if (options.tls) text += "  tls: {configMapRef: {name: test-ca, key: ca.crt}}\n";
    text += options.more;
    if (!options.key.empty()) {
        text +=
            "  security:\n    apiKey: {in: Header, name: Authorization, valueFrom: {name: key-" +
            number +
            ", valueKey: apiKey}}\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: "
            "key-" +
            number + "}\nstringData: {apiKey: \"" + options.key + "\"}\n";
    }
    return text;
}

std::string entries(const std::vector<GatewayEntry>& list) {
    std::string text;
    for (const GatewayEntry& entry : list) {
        text += "        - {model: \"" + entry.model +
                "\", weight: " + std::to_string(entry.weight) +
                ", backendRef: {group: dp.wso2.com, kind: Backend, name: backend-" +
                std::to_string(entry.backend) + "}}\n";
    }
    return text.empty() ? " []\n" : "\n" + text;
}

std::string indented(const std::string& text, const std::string& margin) {
    std::string result = margin;
    for (const char c : text) {
        result.push_back(c);
        if (c == '\n') result += margin;
    }
    return result;
}

std::string resources(const GatewayOptions& options) {
    std::string text =
        replaced(kApi, "REQUEST_MODEL",
                 options.provider.empty() ? "{in: Body, value: model}" : options.provider);
    text += route(options, "production-route", "default.gw.wso2.com");
    text += route(options, "sandbox-route", "default.sandbox.gw.wso2.com");
    for (std::size_t i = 0; i < options.backends.size(); ++i)
        text += backend(options.backends[i], i);
    text +=
        "---\nkind: APIPolicy\napiVersion: dp.wso2.com/v1alpha4\nmetadata: {name: rotation}\n"
        "spec:\n  default:\n    aiProvider: {name: provider}\n    modelBasedRoundRobin:\n"
        "      onQuotaExceedSuspendDuration: " +
        std::to_string(options.suspend_seconds) +
        "\n      productionModels:" + entries(options.production) +
        "      sandboxModels:" + entries(options.sandbox) +
        "  targetRef: {group: gateway.networking.k8s.io, kind: API, name: chat-api}\n";
    text += std::string(
                "---\nkind: TokenIssuer\napiVersion: dp.wso2.com/v1alpha2\nmetadata: {name: "
                "issuer}\nspec:\n  name: issuer\n  organization: default\n  issuer: ") +
            kIssuer +
            "\n  consumerKeyClaim: azp\n  scopesClaim: scope\n  signatureValidation:\n"
            "    jwks: {url: \"file:" +
            (options.jwks_file.empty() ? issuers().jwks_file : options.jwks_file) +
            "\"}\n"
            "  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: gw}\n";
    text +=
        "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: test-ca}\ndata:\n  ca.crt: |\n" +
        indented(read_file(certificates().ca), "    ") + "\n";
    return text + options.resources;
}

// The faults that tests ask their providers for go through the gateway.
std::string with_asked_faults(std::string process) {
    const std::string glob = "forward_headers: [x-mock-*, x-fault, x-offset]";
    if (process.find("forward_headers") != std::string::npos) return process;
    const std::string routing = "routing: {";
    const std::size_t at = process.find(routing);
    if (at == std::string::npos) return process + "\nrouting: {" + glob + "}\n";
    return process.insert(at + routing.size(), glob + ", ");
}

int open_log(const std::string& path) {
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("can't open " + path);
    return fd;
}

}  // namespace

void GatewayFiles::write(const GatewayOptions& options) {
    const PemFiles& usual = certificates().server;
    const std::string& certificate =
        options.certificate.empty() ? usual.certificate : options.certificate;
    const std::string& key = options.key.empty() ? usual.key : options.key;
    const std::string tls =
        options.plaintext ? "plaintext: true"
                          : "tls: {certificate: \"" + certificate + "\", key: \"" + key + "\"}";
    dir_.write("apis/api.yaml", resources(options));
    dir_.write("rotary.yaml", "workers: " + std::to_string(options.workers) +
                                  "\nlisteners:\n  - {address: 127.0.0.1, port: 0, " + tls +
                                  "}\nadmin: {address: 127.0.0.1, port: 0}\n" + options.source +
                                  "\n" + with_asked_faults(options.process));
}

Gateway::Gateway(const GatewayOptions& options)
    : files_(options),
      access_log_path_(files_.dir() / "access.log"),
      access_log_fd_(open_log(access_log_path_)),
      log_(LogLevel::error) {
    server::Server::Options server_options;
    server_options.config_path = files_.config();
    server_options.environment = config::process_environment();
    server_options.handle_signals = false;
    server_options.access_log_fd = access_log_fd_;
    config::Loaded loaded = config::load(files_.config(), server_options.environment);
    std::vector<config::Finding> findings = loaded.findings;
    if (!loaded.ok()) throw std::runtime_error(config::to_text(findings));
    server_ = std::make_unique<server::Server>(server_options, std::move(loaded), log_, findings);
    reached_at(server_->ports().front(), server_->admin_port());
    thread_ = std::thread([this] { exit_code_ = server_->run(); });
}

Gateway::~Gateway() {
    if (thread_.joinable()) {
        server_->request_stop();
        server_->request_stop();
        thread_.join();
    }
    server_.reset();
    ::close(access_log_fd_);
}

int Gateway::wait() {
    thread_.join();
    return exit_code_;
}

int Gateway::stop() {
    server_->request_stop();
    return wait();
}

std::string Gateway::access_log() const { return read_file(access_log_path_); }

std::unique_ptr<mock::MockProvider> start_mock(mock::MockOptions options) {
    auto mock = std::make_unique<mock::MockProvider>(std::move(options));
    mock->start();
    return mock;
}

Request chat(const std::string& body) {
    Request request;
    request.method = "POST";
    request.target = "/chat/1.0/chat/completions";
    request.headers = {{"Host", "default.gw.wso2.com"},
                       {"Authorization", bearer()},
                       {"Content-Type", "application/json"}};
    request.body = body;
    return request;
}

Request sandbox_chat() {
    Request request = chat();
    request.headers.front().second = "default.sandbox.gw.wso2.com";
    return request;
}

}  // namespace rotary::test
