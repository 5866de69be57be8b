#include "config/kinds/kinds.hpp"

#include <algorithm>
#include <array>

#include <rotary/config/yaml/suggest.hpp>
#include "config/kinds/unserved.hpp"
#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

constexpr const char* kDataPlane = "dp.wso2.com";
constexpr const char* kControlPlane = "cp.wso2.com";
constexpr const char* kGatewayApi = "gateway.networking.k8s.io";
constexpr const char* kOwn = "rotary.dev";  // of kinds that APK does not have

struct ServedKind {
    const char* name;
    const char* group;  // empty: Kubernetes' own
    std::vector<std::string_view> versions;
    ReadKind read;
};

const std::array<ServedKind, 17>& served_kinds() {
    static const std::array<ServedKind, 17> kKinds{{
        {"API", kDataPlane, {"v1alpha1", "v1alpha2", "v1alpha3"}, read_api},
        {"HTTPRoute", kGatewayApi, {"v1beta1", "v1"}, read_http_route},
        {"Backend", kDataPlane, {"v1alpha1", "v1alpha2"}, read_backend},
        {"AIProvider", kDataPlane, {"v1alpha3", "v1alpha4"}, read_ai_provider},
        {"APIPolicy",
         kDataPlane,
         {"v1alpha1", "v1alpha2", "v1alpha3", "v1alpha4"},
         read_api_policy},
        {"TokenIssuer", kDataPlane, {"v1alpha1", "v1alpha2"}, read_token_issuer},
        {"Authentication", kDataPlane, {"v1alpha1", "v1alpha2"}, read_authentication},
        {"Scope", kDataPlane, {"v1alpha1"}, read_scope},
        {"AIRateLimitPolicy", kDataPlane, {"v1alpha3"}, read_ai_rate_limit_policy},
        {"RateLimitPolicy",
         kDataPlane,
         {"v1alpha1", "v1alpha2", "v1alpha3"},
         read_rate_limit_policy},
        {"Subscription", kControlPlane, {"v1alpha2", "v1alpha3"}, read_subscription},
        {"Application", kControlPlane, {"v1alpha2"}, read_application},
        {"ApplicationMapping", kControlPlane, {"v1alpha2"}, read_application_mapping},
        {"Secret", "", {"v1"}, read_secret},
        {"ConfigMap", "", {"v1"}, read_config_map},
        {"ConsumerKey", kOwn, {"v1alpha1"}, read_consumer_key},
        {"Budget", kOwn, {"v1alpha1"}, read_budget},
    }};
    return kKinds;
}

// An object that is left out: others may refer to its name.
void leave_out(const Node& root, Resources& resources) {
    const Node* metadata = root.find("metadata");
    const Node* name = metadata == nullptr ? nullptr : metadata->find("name");
    if (name == nullptr) {
        resources.incomplete = true;
    } else {
        resources.unread += name->text + '\n';
    }
}

// "dp.wso2.com/v1alpha3" in two; Kubernetes' own kinds have no group.
struct ApiVersion {
    std::string_view group;
    std::string_view version;
};

ApiVersion split(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return {"", text};
    }
    return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string whole(const ServedKind& kind, std::string_view version) {
    return std::string(kind.group) + (*kind.group == '\0' ? "" : "/") + std::string(version);
}

// A kind that is not read. Says what that means.
void skip_kind(Fields& fields, const std::string& kind, std::string_view group) {
    const UnservedRow* row = group.empty() ? nullptr : find_unserved(kind, group);
    if (row != nullptr) {
        fields.reading().unserved->push_back({row->name, fields.mark_of("kind"), row->consequence});
        return;
    }
    std::vector<std::string> names;
    for (const ServedKind& served : served_kinds()) {
        names.emplace_back(served.name);
        if (kind == served.name) {
            fields.warning("apiVersion", kind + " of the group " + shown(group) +
                                             " is not known and is skipped; the group of " + kind +
                                             " is " + shown(served.group));
            return;
        }
    }
    fields.warning("kind", "the kind " + shown(kind) + " is not known and is skipped" +
                               did_you_mean(kind, names));
}

// The kind when it is served in that version. Reports what is not.
const ServedKind* find_kind(Fields& fields, const std::string& kind, const ApiVersion& asked,
                            bool& is_error) {
    for (const ServedKind& served : served_kinds()) {
        if (kind != served.name || asked.group != served.group) {
            continue;
        }
        if (std::find(served.versions.begin(), served.versions.end(), asked.version) !=
            served.versions.end()) {
            return &served;
        }
        std::string known;
        for (const std::string_view version : served.versions) {
            known += (known.empty() ? "" : ", ") + whole(served, version);
        }
        fields.error("apiVersion", "unknown version of " + kind + "; known are " + known);
        is_error = true;
        return nullptr;
    }
    skip_kind(fields, kind, asked.group);
    return nullptr;
}

constexpr TextRule kObjectName{.required = true,
                               .min = 1,
                               .max = 253,
                               .fits = is_object_name,
                               .shape =
                                   "be made of lower case letters, digits, '-' and '.', and "
                                   "begin and end with a letter or digit"};

// Ours alone, as they stand: others' hold whatever their tools wrote, "${" included.
void read_annotations(const Node& node, Metadata& metadata) {
    const Node* annotations = node.find("annotations");
    if (annotations == nullptr) {
        return;
    }
    for (const Member& member : annotations->members) {
        if (member.key.starts_with("rotary/")) {
            metadata.annotations.emplace(member.key, member.value.text);
        }
    }
}

Metadata read_metadata(Fields& fields, const Node& root, Resources& resources) {
    Metadata metadata;
    fields.object(
        "metadata",
        [&](Fields& inner) {
            metadata.mark = inner.mark_of("name");
            const bool fits = inner.text("name", metadata.name, kObjectName);
            const Node* written = root.find("metadata")->find("name");
            if (!fits && written != nullptr) {
                metadata.name = written->text;  // what others refer to, all the same
            }
            inner.text("namespace", metadata.name_space, kNamespace);
            read_annotations(*root.find("metadata"), metadata);
            // Kubernetes' own book-keeping.
            inner.tolerate({"labels", "annotations", "creationTimestamp", "deletionTimestamp",
                            "deletionGracePeriodSeconds", "finalizers", "generateName",
                            "generation", "managedFields", "ownerReferences", "resourceVersion",
                            "selfLink", "uid"});
        },
        true);
    fields.reading().name_space = metadata.name_space;
    if (metadata.name.empty()) {
        resources.incomplete = true;
    } else {
        metadata.name = identity(metadata.name_space, metadata.name);
    }
    return metadata;
}

// What `kubectl get -o yaml` prints: its items, each read as a document of its own.
bool read_list(FileReading& reading, const Node& root, const std::string& path,
               Resources& resources) {
    const Node* kind = root.find("kind");
    const Node* items = root.find("items");
    if (kind == nullptr || kind->text != "List" || items == nullptr ||
        items->kind != Node::Kind::list) {
        return false;
    }
    for (std::size_t i = 0; i < items->items.size(); ++i) {
        const std::string place = "items[" + std::to_string(i) + "]";
        read_object(reading, items->items[i], resources, path.empty() ? place : path + "." + place);
    }
    return true;
}

// What the reader of a kind asks for in a version of it.
void record(const ServedKind& kind, std::string_view version, KindShape& made) {
    const Environment none = [](std::string_view) { return std::optional<std::string>(); };
    Node root;
    root.members.push_back({"metadata", 0, 0, {}});
    made.versions.push_back(whole(kind, version));
    for (std::size_t pass = 0; pass < kPasses; ++pass) {
        std::vector<Finding> findings;
        FileReading reading{"", "", none, findings};
        reading.pass = pass;
        Resources resources;
        Fields fields(reading, made.shape, "");
        const Metadata metadata = read_metadata(fields, root, resources);
        fields.tolerate({"status"});
        Object object{fields, metadata, version, resources};
        kind.read(object);
    }
}

}  // namespace

std::vector<KindShape> kind_shapes() {
    std::vector<KindShape> shapes;
    for (const ServedKind& kind : served_kinds()) {
        KindShape& made = shapes.emplace_back(KindShape{kind.name, kind.group, {}, {}});
        for (const std::string_view version : kind.versions) {
            record(kind, version, made);
        }
    }
    return shapes;
}

std::vector<KindShape> newest_kind_shapes() {
    std::vector<KindShape> shapes;
    for (const ServedKind& kind : served_kinds()) {
        record(kind, kind.versions.back(),
               shapes.emplace_back(KindShape{kind.name, kind.group, {}, {}}));
    }
    return shapes;
}

void read_object(FileReading& reading, const Node& root, Resources& resources,
                 const std::string& path) {
    Fields fields(reading, root, path);
    if (root.kind == Node::Kind::map && read_list(reading, root, path, resources)) {
        return;
    }
    if (root.kind != Node::Kind::map) {
        fields.error("", "expected an object with apiVersion, kind and metadata");
        resources.incomplete = true;
        return;
    }
    std::string kind;
    std::string api_version;
    const bool has_kind = fields.text("kind", kind, {.required = true, .min = 1});
    const bool has_version = fields.text("apiVersion", api_version, {.required = true, .min = 1});
    bool is_error = !has_kind || !has_version;
    const ServedKind* served =
        is_error ? nullptr : find_kind(fields, kind, split(api_version), is_error);
    if (is_error) {
        leave_out(root, resources);
    }
    if (served == nullptr) {
        return;
    }
    const Metadata metadata = read_metadata(fields, root, resources);
    fields.tolerate({"status"});
    Object object{fields, metadata, split(api_version).version, resources};
    served->read(object);
    fields.finish();
}

}  // namespace rotary::config
