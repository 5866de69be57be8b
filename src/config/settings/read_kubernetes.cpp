#include "config/settings/read_kubernetes.hpp"

#include <algorithm>

#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr std::size_t kMostNamespaces = 64;

bool is_namespace(std::string_view text) {
    return is_object_name(text) && text.find('.') == std::string_view::npos;
}

bool is_namespace_or_all(std::string_view text) { return text == "*" || is_namespace(text); }

constexpr TextRule kOne{.min = 1,
                        .max = 63,
                        .fits = is_namespace,
                        .shape = "be a namespace's name: lower case letters, digits and '-'"};
constexpr TextRule kEach{.min = 1,
                         .max = 63,
                         .fits = is_namespace_or_all,
                         .shape = "be a namespace's name, or \"*\" alone for all of them"};

}  // namespace

void read_kubernetes(Fields& fields, KubernetesSettings& kubernetes) {
    kubernetes.is_on = true;
    kubernetes.mark = fields.mark();
    kubernetes.kubeconfig_mark = fields.mark_of("kubeconfig");
    std::string one;
    fields.text("namespace", one, kOne);
    fields.texts("namespaces", kubernetes.namespaces, {.max = kMostNamespaces}, kEach);
    if (!one.empty() && !kubernetes.namespaces.empty()) {
        fields.error("namespaces", "stands beside kubernetes.namespace: name them all in one list");
    }
    if (!one.empty()) kubernetes.namespaces = {one};
    const auto& names = kubernetes.namespaces;
    if (names.size() > 1 && std::find(names.begin(), names.end(), "*") != names.end()) {
        fields.error("namespaces", "holds \"*\", which is all of them, beside others");
    }
    fields.text("label_selector", kubernetes.label_selector, {.max = 1024});
    fields.path("kubeconfig", kubernetes.kubeconfig);
    fields.text("context", kubernetes.context, {.max = 253});
    if (!kubernetes.context.empty() && kubernetes.kubeconfig.empty()) {
        fields.error("context", "is of a kubeconfig: name its file by kubernetes.kubeconfig");
    }
    fields.path("service_account", kubernetes.service_account, {.min = 1});
}

}  // namespace rotary::config
