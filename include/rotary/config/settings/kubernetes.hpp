#pragma once

#include <string>
#include <vector>

#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

inline constexpr const char* kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// Where the resources come from instead of files: an API server. Paths are ready to be opened.
struct KubernetesSettings {
    bool is_on = false;                   // the mapping is there
    std::vector<std::string> namespaces;  // empty: its own; "*" alone: all
    std::string label_selector;           // as the API takes it; empty: everything
    std::string kubeconfig;               // empty: in the cluster, by the service account
    std::string context;                  // of the kubeconfig; empty: its current one
    std::string service_account = kServiceAccountFolder;  // holds token, ca.crt and namespace
    Mark mark;
    Mark kubeconfig_mark;
    bool operator==(const KubernetesSettings& other) const {
        return is_on == other.is_on && namespaces == other.namespaces &&
               label_selector == other.label_selector && kubeconfig == other.kubeconfig &&
               context == other.context && service_account == other.service_account;
    }
};

}  // namespace rotary::config
