#pragma once

#include "edge_support.hpp"
#include "key_endpoint.hpp"

#include "kubernetes/kinds.hpp"

#include <support/certificates.hpp>
#include <support/fake_api_server.hpp>

#include <rotary/base/json_text.hpp>
#include <rotary/config/yaml/node.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace rotary::test {

// A document as an object of JSON; all scalars become texts, which is the same to the loader.
inline std::string json_of(const config::Node& node) {
    std::string out;
    if (node.kind == config::Node::Kind::null) return "null";
    if (node.kind == config::Node::Kind::scalar) {
        text::append_json_string(out, node.text);
        return out;
    }
    const bool is_list = node.kind == config::Node::Kind::list;
    for (const config::Node& item : node.items) out += (out.empty() ? "" : ",") + json_of(item);
    for (const config::Member& member : node.members) {
        if (!out.empty()) out += ',';
        text::append_json_string(out, member.key);
        out += ':' + json_of(member.value);
    }
    return is_list ? '[' + out + ']' : '{' + out + '}';
}

// How the API server of the tests calls a kind: by its newest version.
inline FakeResource resource_of(const std::string& kind) {
    const auto all = kubernetes::kinds();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == kind; });
    if (found == all.end()) throw std::runtime_error("no kind " + kind);
    return {found->api_version(0), std::string(found->plural), kind};
}

// Puts each document of a text of resources.
inline void put_documents(FakeApiServer& server, const std::string& text) {
    std::vector<config::Finding> findings;
    std::string unread;
    for (const config::Document& document : config::parse_yaml("apply", text, findings, unread)) {
        const config::Node& root = document.root;
        std::string fields;
        for (const config::Member& member : root.members) {
            const bool is_own =
                member.key == "apiVersion" || member.key == "kind" || member.key == "metadata";
            if (is_own) continue;
            fields += (fields.empty() ? "\"" : ",\"") + member.key + "\":" + json_of(member.value);
        }
        const config::Node* metadata = root.find("metadata");
        const config::Node* name_space = metadata->find("namespace");
        server.put(resource_of(root.find("kind")->text), metadata->find("name")->text, fields,
                   name_space == nullptr ? "default" : name_space->text);
    }
}

// A gateway whose resources are an API server's, in front of a mock provider.
class Cluster {
public:
    explicit Cluster(GatewayOptions options = {}, mock::MockOptions mock_options = {})
        : mock(start_mock(std::move(mock_options))),
          options_(in_front_of(*mock, std::move(options))) {
        for (const auto& kind : kubernetes::kinds()) {
            server.install(resource_of(std::string(kind.name)));
        }
        folder_.write("kubeconfig", server.kubeconfig());
        options_.source = "kubernetes: {kubeconfig: \"" + (folder_ / "kubeconfig") + "\"}";
        if (options_.process.find("timeouts") == std::string::npos) {
            options_.process += "timeouts: {kubernetes_retry: 100ms, kubernetes_hold: 2s}\n";
        }
    }
    // The resources of the options, as files hold them.
    std::string resources(const std::string& model = "") {
        GatewayOptions wanted = options_;
        if (!model.empty()) wanted.production = {{model}};
        const GatewayFiles files(wanted);
        return with_keys_by_http(read_file(files.dir() / "apis/api.yaml"));
    }
    void apply_all(const std::string& model = "") { put_documents(server, resources(model)); }
    void start() { gateway = std::make_unique<Gateway>(options_); }

    std::string ready() const { return gateway->admin("/readyz"); }
    unsigned status() const { return fetch(gateway->client(), chat()).status; }
    std::string model() const {
        return std::string(fetch(gateway->client(), chat()).header("x-rotary-model"));
    }
    std::string source(const std::string& path) const {
        return json_at(gateway->admin("/api/v1/status"), "source." + path);
    }
    bool serves(const std::string& model) const {
        return eventually([&] { return this->model() == model; });
    }

    FakeApiServer server;
    std::unique_ptr<mock::MockProvider> mock;
    std::unique_ptr<Gateway> gateway;

private:
    // An object may not name a file of the gateway's machine.
    std::string with_keys_by_http(std::string text) const {
        const std::string from_file = "file:" + issuers().jwks_file;
        text.replace(text.find(from_file), from_file.size(), keys_.url());
        const std::string_view named = "metadata: {name: issuer}";
        text.replace(text.find(named), named.size(),
                     "metadata: {name: issuer, annotations: {rotary/allow-http-jwks: \"true\"}}");
        return text;
    }

    TempDir folder_;
    KeyEndpoint keys_{read_file(issuers().jwks_file)};
    GatewayOptions options_;
};

}  // namespace rotary::test
