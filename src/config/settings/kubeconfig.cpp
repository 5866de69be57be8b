#include <rotary/config/settings/kubeconfig.hpp>

#include <rotary/config/yaml/file.hpp>
#include <rotary/config/yaml/node.hpp>
#include <rotary/config/yaml/suggest.hpp>

#include <filesystem>
#include <utility>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;

// One reading of a file. What is not of use here is not looked at: kubectl's tools add to it.
class Reading {
public:
    Reading(std::string file, std::vector<Finding>& findings)
        : file_(std::move(file)),
          folder_(std::filesystem::path(file_).parent_path().string()),
          findings_(findings) {}

    std::optional<Kubeconfig> read(const Node& root, const std::string& wanted);

private:
    // A mapping with the place where it stands.
    struct Part {
        const Node* node = nullptr;
        std::string path;
    };

    void error(const Node& at, std::string path, std::string message) {
        findings_.push_back(
            error_at({file_, at.line, at.column, std::move(path)}, std::move(message)));
        is_usable_ = false;
    }
    Part named(const Node& root, const std::string& list, const char* member,
               const std::string& name);
    std::string text(const Part& part, const char* key);
    std::string path(const Part& part, const char* key);
    std::string decoded(const Part& part, const char* key);
    bool is_there(const Part& part, const char* key) const {
        return part.node != nullptr && part.node->find(key) != nullptr;
    }
    void read_cluster(const Part& cluster);
    void read_user(const Part& user);

    const std::string file_;
    const std::string folder_;
    std::vector<Finding>& findings_;
    Kubeconfig made_;
    bool is_usable_ = true;
};

// The mapping `member` of the list's item with that name.
Reading::Part Reading::named(const Node& root, const std::string& list, const char* member,
                             const std::string& name) {
    const Node* items = root.find(list);
    std::vector<std::string> names;
    for (std::size_t i = 0; items != nullptr && i < items->items.size(); ++i) {
        const Node* written = items->items[i].find("name");
        names.push_back(written == nullptr ? "" : written->text);
        if (names.back() != name) continue;
        return {items->items[i].find(member), list + '[' + std::to_string(i) + "]." + member};
    }
    error(items == nullptr ? root : *items, list,
          "none is called " + shown(name) + what_is_there(name, names));
    return {};
}

std::string Reading::text(const Part& part, const char* key) {
    const Node* node = part.node == nullptr ? nullptr : part.node->find(key);
    return node == nullptr ? "" : node->text;
}

std::string Reading::path(const Part& part, const char* key) {
    const std::string written = text(part, key);
    return written.empty() ? "" : resolve_path(folder_, written);
}

std::string Reading::decoded(const Part& part, const char* key) {
    const std::string written = text(part, key);
    const std::optional<std::string> bytes = decode_base64(written);
    if (!bytes) error(*part.node->find(key), part.path + '.' + key, "is not valid base64");
    return bytes.value_or("");
}

void Reading::read_cluster(const Part& cluster) {
    if (cluster.node == nullptr) return;
    made_.server = text(cluster, "server");
    made_.server_name = text(cluster, "tls-server-name");
    made_.ca_pem = decoded(cluster, "certificate-authority-data");
    made_.ca_file = made_.ca_pem.empty() ? path(cluster, "certificate-authority") : "";
    if (made_.server.empty()) {
        error(*cluster.node, cluster.path + ".server", "is missing: the URL of the API server");
    }
    if (text(cluster, "insecure-skip-tls-verify") == "true") {
        error(*cluster.node->find("insecure-skip-tls-verify"),
              cluster.path + ".insecure-skip-tls-verify",
              "is not supported: name the authority by certificate-authority");
    }
    if (is_there(cluster, "proxy-url")) {
        error(*cluster.node->find("proxy-url"), cluster.path + ".proxy-url",
              "is not supported: the API server is reached directly");
    }
}

void Reading::read_user(const Part& user) {
    if (user.node == nullptr) return;
    for (const char* plugin : {"exec", "auth-provider"}) {
        if (is_there(user, plugin)) {
            error(*user.node->find(plugin), user.path + '.' + plugin,
                  "is not supported: no program is run for credentials; use a service account's "
                  "token (kubectl create token) or a client certificate");
        }
    }
    if (is_there(user, "username") || is_there(user, "password")) {
        error(*user.node, user.path + ".username",
              "is not supported: API servers take no passwords any more; use a token");
    }
    made_.token = Secret(text(user, "token"));
    made_.token_file = made_.token.empty() ? path(user, "tokenFile") : "";
    made_.certificate_pem = decoded(user, "client-certificate-data");
    made_.certificate_file = made_.certificate_pem.empty() ? path(user, "client-certificate") : "";
    made_.key_pem = Secret(decoded(user, "client-key-data"));
    made_.key_file = made_.key_pem.empty() ? path(user, "client-key") : "";
    const bool has_certificate = !made_.certificate_pem.empty() || !made_.certificate_file.empty();
    const bool has_key = !made_.key_pem.empty() || !made_.key_file.empty();
    if (has_certificate != has_key) {
        error(*user.node, user.path,
              "a client certificate and its key belong together: one of them is missing");
    }
}

std::optional<Kubeconfig> Reading::read(const Node& root, const std::string& wanted) {
    const Node* current = root.find("current-context");
    const std::string name = !wanted.empty() || current == nullptr ? wanted : current->text;
    if (name.empty()) {
        error(root, "current-context",
              "is missing: name a context by kubernetes.context in rotary.yaml");
        return std::nullopt;
    }
    const Part context = named(root, "contexts", "context", name);
    if (context.node == nullptr) return std::nullopt;
    made_.name_space = text(context, "namespace");
    read_cluster(named(root, "clusters", "cluster", text(context, "cluster")));
    if (is_there(context, "user")) {
        read_user(named(root, "users", "user", text(context, "user")));
    }
    if (!is_usable_) return std::nullopt;
    return std::move(made_);
}

}  // namespace

std::optional<Kubeconfig> read_kubeconfig(const std::string& path, const std::string& context,
                                          std::vector<Finding>& findings) {
    const FileText read = read_whole_file(path, kMostBytes);
    if (!read.error.empty()) {
        findings.push_back(error_at({path, 0, 0, ""}, read.error));
        return std::nullopt;
    }
    if (read.text.size() > kMostBytes) {
        findings.push_back(error_at({path, 0, 0, ""}, "larger than 1 MiB"));
        return std::nullopt;
    }
    std::string unread;
    const std::vector<Document> documents = parse_yaml(path, read.text, findings, unread);
    if (documents.size() != 1 || documents[0].root.kind != Node::Kind::map) {
        if (unread.empty()) {
            findings.push_back(
                error_at({path, 0, 0, ""}, "is no kubeconfig: one mapping is expected"));
        }
        return std::nullopt;
    }
    return Reading(path, findings).read(documents[0].root, context);
}

}  // namespace rotary::config
