#include <rotary/kubernetes/cluster_access.hpp>

#include <rotary/base/text.hpp>
#include <rotary/config/settings/kubeconfig.hpp>
#include <rotary/config/yaml/file.hpp>

#include <stdexcept>
#include <utility>

namespace rotary::kubernetes {

namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;

std::string read(const std::string& path) {
    config::FileText file = config::read_whole_file(path, kMostBytes);
    if (!file.error.empty()) throw std::runtime_error(file.error);
    if (file.text.size() > kMostBytes) throw std::runtime_error(path + " is larger than 1 MiB");
    return std::move(file.text);
}

// What a file says now, or what it said before where it can't be read: a volume that is being
// renewed must not end a watch. Whether it differs.
bool read_over(const std::string& path, std::string& text) {
    if (path.empty()) return false;
    config::FileText file = config::read_whole_file(path, kMostBytes);
    if (!file.error.empty() || file.text.size() > kMostBytes || file.text == text) return false;
    text = std::move(file.text);
    return true;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    return text;
}

// What may stand in a header line.
bool is_token(std::string_view text) {
    return text.find_first_of(" \t\r\n") == std::string_view::npos;
}

std::string variable(const config::Environment& environment, std::string_view name) {
    return environment ? environment(name).value_or("") : "";
}

}  // namespace

ClusterAccess::ClusterAccess(const config::KubernetesSettings& settings,
                             const config::Environment& environment) {
    if (settings.kubeconfig.empty()) {
        from_account(settings, environment);
    } else {
        from_kubeconfig(settings);
    }
    if (!files_.token.empty()) token_ = trimmed(read(files_.token));
    if (!files_.ca.empty()) ca_ = read(files_.ca);
    if (!files_.certificate.empty()) certificate_ = read(files_.certificate);
    if (!files_.key.empty()) key_ = read(files_.key);
    if (!is_token(token_)) throw std::runtime_error(files_.token + " holds no token");
    make_tls();
    read_at_ = std::chrono::steady_clock::now();
}

void ClusterAccess::from_account(const config::KubernetesSettings& settings,
                                 const config::Environment& environment) {
    const std::string host = variable(environment, "KUBERNETES_SERVICE_HOST");
    const std::string port = variable(environment, "KUBERNETES_SERVICE_PORT");
    if (host.empty() || port.empty()) {
        throw std::runtime_error(
            "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; "
            "outside of one name a kubeconfig by kubernetes.kubeconfig");
    }
    const bool is_v6 = host.find(':') != std::string::npos;
    const auto url =
        control::parse_http_url("https://" + (is_v6 ? '[' + host + ']' : host) + ':' + port);
    if (!url) {
        throw std::runtime_error("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no " +
                                 ("address: " + host) + ", " + port);
    }
    url_ = *url;
    files_.token = settings.service_account + "/token";
    files_.ca = settings.service_account + "/ca.crt";
    name_space_ = trimmed(read(settings.service_account + "/namespace"));
    server_name_ = url_.host;
}

void ClusterAccess::from_kubeconfig(const config::KubernetesSettings& settings) {
    std::vector<config::Finding> findings;
    auto made = config::read_kubeconfig(settings.kubeconfig, settings.context, findings);
    if (!made) {
        std::string why = config::to_text(findings);
        why.erase(why.find_last_not_of('\n') + 1);
        throw std::runtime_error(why);
    }
    const auto url = control::parse_http_url(made->server);
    if (!url) {
        throw std::runtime_error(settings.kubeconfig + ": the server " + made->server +
                                 " is no https URL (http is taken for this machine alone)");
    }
    url_ = *url;
    server_name_ = made->server_name.empty() ? url_.host : made->server_name;
    if (!made->name_space.empty()) name_space_ = made->name_space;
    files_ = {made->token_file, made->ca_file, made->certificate_file, made->key_file};
    token_ = made->token.reveal();
    ca_ = made->ca_pem;
    certificate_ = made->certificate_pem;
    key_ = made->key_pem.reveal();
}

void ClusterAccess::make_tls() {
    if (url_.tls) tls_ = net::TlsContext::client({ca_, certificate_, key_});
}

const std::string& ClusterAccess::token(SteadyTime now) {
    if (now - read_at_ >= kTokenAge) read_again(now);
    return token_;
}

void ClusterAccess::read_again(SteadyTime now) {
    read_at_ = now;
    std::string token = token_;
    if (read_over(files_.token, token)) {
        token = trimmed(std::move(token));
        if (is_token(token)) token_ = std::move(token);
    }
    for (auto [path, text] :
         {std::pair(&files_.ca, &ca_), std::pair(&files_.certificate, &certificate_),
          std::pair(&files_.key, &key_)}) {
        if (read_over(*path, *text)) tls_is_due_ = true;
    }
    if (!tls_is_due_) return;
    try {
        make_tls();
        tls_is_due_ = false;
    } catch (const std::runtime_error&) {
        // Half of a renewal: the old ones do until the rest is there.
    }
}

}  // namespace rotary::kubernetes
