#include "kubernetes/kinds.hpp"

#include <array>

namespace rotary::kubernetes {

namespace {

constexpr std::string_view kDataPlane = "dp.wso2.com";
constexpr std::string_view kControlPlane = "cp.wso2.com";
constexpr std::string_view kOwn = "rotary.dev";

const std::array<Kind, 17>& table() {
    static const std::array<Kind, 17> kKinds{{
        {"AIProvider", "aiproviders", kDataPlane, {"v1alpha4", "v1alpha3"}},
        {"AIRateLimitPolicy", "airatelimitpolicies", kDataPlane, {"v1alpha3"}},
        {"API", "apis", kDataPlane, {"v1alpha3", "v1alpha2", "v1alpha1"}},
        {"APIPolicy", "apipolicies", kDataPlane, {"v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1"}},
        {"Application", "applications", kControlPlane, {"v1alpha2"}},
        {"ApplicationMapping", "applicationmappings", kControlPlane, {"v1alpha2"}},
        {"Authentication", "authentications", kDataPlane, {"v1alpha2", "v1alpha1"}},
        {"Backend", "backends", kDataPlane, {"v1alpha2", "v1alpha1"}},
        {"Budget", "budgets", kOwn, {"v1alpha1"}},
        {"ConsumerKey", "consumerkeys", kOwn, {"v1alpha1"}},
        {"HTTPRoute", "httproutes", "gateway.networking.k8s.io", {"v1", "v1beta1"}},
        {"RateLimitPolicy", "ratelimitpolicies", kDataPlane, {"v1alpha3", "v1alpha2", "v1alpha1"}},
        {"Scope", "scopes", kDataPlane, {"v1alpha1"}},
        {"Subscription", "subscriptions", kControlPlane, {"v1alpha3", "v1alpha2"}},
        {"TokenIssuer", "tokenissuers", kDataPlane, {"v1alpha2", "v1alpha1"}},
        {"ConfigMap", "configmaps", "", {"v1"}, true},
        {"Secret", "secrets", "", {"v1"}, true},
    }};
    return kKinds;
}

void add(std::string& target, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    target.append("&").append(name).append("=").append(escaped(value));
}

std::string path_of(const Kind& kind, std::size_t version, const Selection& selection) {
    std::string path = kind.group.empty() ? "/api/" : "/apis/";
    path += kind.api_version(version);
    if (!selection.name_space.empty()) path += "/namespaces/" + escaped(selection.name_space);
    return path.append("/").append(kind.plural);
}

}  // namespace

std::string Kind::api_version(std::size_t version) const {
    std::string text(group);
    if (!group.empty()) text += '/';
    return text.append(versions[version]);
}

std::span<const Kind> kinds() { return table(); }

const Kind& secret_kind() { return table()[16]; }

const Kind& config_map_kind() { return table()[15]; }

std::string object_target(std::string_view api_version, std::string_view kind,
                          std::string_view name_space, std::string_view name) {
    for (const Kind& one : table()) {
        if (one.name == kind) {
            std::string path = one.group.empty() ? "/api/" : "/apis/";
            path.append(api_version).append("/namespaces/").append(name_space).append("/");
            return path.append(one.plural).append("/").append(name);
        }
    }
    return {};
}

std::string escaped(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
        }
    }
    return out;
}

std::string list_target(const Kind& kind, std::size_t version, const Selection& selection,
                        std::string_view continue_at) {
    std::string target =
        path_of(kind, version, selection) + "?limit=" + std::to_string(selection.page);
    add(target, "labelSelector", selection.label_selector);
    add(target, "fieldSelector", selection.field_selector);
    add(target, "continue", continue_at);
    return target;
}

std::string watch_target(const Kind& kind, std::size_t version, const Selection& selection,
                         const WatchFrom& from) {
    std::string target = path_of(kind, version, selection) + "?watch=1&allowWatchBookmarks=true";
    add(target, "labelSelector", selection.label_selector);
    add(target, "fieldSelector", selection.field_selector);
    add(target, "resourceVersion", from.resource_version);
    add(target, "timeoutSeconds", std::to_string(from.seconds));
    return target;
}

std::string role_rule(const Kind& kind, std::string_view object_name) {
    std::string rule = "{apiGroups: [\"";
    rule.append(kind.group).append("\"], resources: [").append(kind.plural);
    rule.append("], ");
    if (!object_name.empty()) rule.append("resourceNames: [").append(object_name).append("], ");
    return rule.append("verbs: [")
        .append(object_name.empty() ? "get, " : "")
        .append("list, watch]}");
}

}  // namespace rotary::kubernetes
