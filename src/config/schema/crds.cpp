#include <rotary/config/schema/schema.hpp>

#include <algorithm>

#include "config/schema/crd_fields.hpp"
#include "config/schema/json_value.hpp"
#include "config/schema/shapes.hpp"

namespace rotary::config {
namespace {

JsonValue typed(const char* type) {
    JsonValue value;
    value.add("type", JsonValue::string(type));
    return value;
}

JsonValue words(const char* type, const char* description) {
    JsonValue value;
    value.add("description", JsonValue::string(description));
    value.add("type", JsonValue::string(type));
    return value;
}

std::string singular_of(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return name;
}

// How Kubernetes calls several: apipolicies, backends, consumerkeys.
std::string plural_of(const KindShape& kind) {
    std::string name = singular_of(kind.name);
    if (name.ends_with('y') && !name.ends_with("ey")) {
        name.pop_back();
        return name + "ies";
    }
    return name + 's';
}

struct Column {
    const char* kind;
    const char* name;
    const char* path;
    const char* type;
};

// What `kubectl get` prints of an object; its name and age stand there always.
constexpr Column kColumns[] = {
    {"API", "API Name", ".spec.apiName", "string"},
    {"API", "Version", ".spec.apiVersion", "string"},
    {"API", "BasePath", ".spec.basePath", "string"},
    {"API", "Accepted", ".status.deploymentStatus.accepted", "boolean"},
    {"API", "Status", ".status.deploymentStatus.status", "string"},
    {"Backend", "Protocol", ".spec.protocol", "string"},
    {"Backend", "Host", ".spec.services[0].host", "string"},
    {"Backend", "Port", ".spec.services[0].port", "integer"},
    {"AIProvider", "Provider", ".spec.providerName", "string"},
    {"APIPolicy", "Target", ".spec.targetRef.name", "string"},
    {"TokenIssuer", "Issuer", ".spec.issuer", "string"},
    {"Authentication", "Target", ".spec.targetRef.name", "string"},
    {"RateLimitPolicy", "Target", ".spec.targetRef.name", "string"},
    {"AIRateLimitPolicy", "Target", ".spec.targetRef.name", "string"},
    {"Subscription", "API", ".spec.api.name", "string"},
    {"Application", "Name", ".spec.name", "string"},
    {"ApplicationMapping", "Application", ".spec.applicationRef", "string"},
    {"ApplicationMapping", "Subscription", ".spec.subscriptionRef", "string"},
};

JsonValue column(const char* name, const char* path, const char* type) {
    JsonValue value;
    value.add("name", JsonValue::string(name));
    value.add("type", JsonValue::string(type));
    value.add("jsonPath", JsonValue::string(path));
    return value;
}

JsonValue columns_of(const KindShape& kind) {
    JsonValue columns = JsonValue::list();
    for (const Column& one : kColumns) {
        if (kind.name == one.kind) {
            columns.push(column(one.name, one.path, one.type));
        }
    }
    columns.push(column("Age", ".metadata.creationTimestamp", "date"));
    return columns;
}

// An API's is the one that WSO2's definition has.
JsonValue status_of(const KindShape& kind) {
    JsonValue status = typed("object");
    if (kind.name != "API") {
        return status;
    }
    JsonValue events = words("array", "What else there is to say, a sentence each.");
    events.add("items", typed("string"));
    JsonValue time = words("string", "Since when it has been so.");
    time.add("format", JsonValue::string("date-time"));
    JsonValue fields;
    fields.add("accepted", words("boolean", "Whether it is served as it stands."));
    fields.add("status", words("string", "Deployed, Invalid or Held."));
    fields.add("message", words("string", "What is wrong with it, as rotary check says it."));
    fields.add("events", std::move(events));
    fields.add("transitionTime", std::move(time));
    JsonValue required = JsonValue::list();
    for (const char* name : {"accepted", "status", "transitionTime"}) {
        required.push(JsonValue::string(name));
    }
    JsonValue deployment = words("object", "What has become of it.");
    deployment.add("required", std::move(required)).add("properties", std::move(fields));
    JsonValue properties;
    properties.add("deploymentStatus", std::move(deployment));
    status.add("properties", std::move(properties));
    return status;
}

JsonValue schema_of(const KindShape& kind) {
    JsonValue properties;
    properties.add("apiVersion", typed("string"));
    properties.add("kind", typed("string"));
    properties.add("metadata", typed("object"));
    JsonValue required = JsonValue::list();
    for (const auto& [name, field] : kind.shape.fields) {
        if (name == "metadata" || name == "status") {
            continue;
        }
        properties.add(name, structural_schema(field, kind.name, name));
        if (field.is_required(kind.shape)) {
            required.push(JsonValue::string(name));
        }
    }
    properties.add("status", status_of(kind));
    JsonValue root = typed("object");
    if (!required.items.empty()) {
        root.add("required", std::move(required));
    }
    root.add("properties", std::move(properties));
    JsonValue schema;
    schema.add("openAPIV3Schema", std::move(root));
    return schema;
}

JsonValue names_of(const KindShape& kind, const std::string& plural) {
    JsonValue names;
    names.add("kind", JsonValue::string(kind.name));
    names.add("listKind", JsonValue::string(kind.name + "List"));
    names.add("plural", JsonValue::string(plural));
    names.add("singular", JsonValue::string(singular_of(kind.name)));
    JsonValue categories = JsonValue::list();
    categories.push(JsonValue::string("rotary"));  // kubectl get rotary
    names.add("categories", std::move(categories));
    return names;
}

JsonValue definition_of(const KindShape& kind) {
    const std::string& version = kind.versions.back();
    JsonValue subresources;
    subresources.add("status", {});
    JsonValue only;
    only.add("name", JsonValue::string(version.substr(version.find('/') + 1)));
    only.add("served", JsonValue::raw("true")).add("storage", JsonValue::raw("true"));
    only.add("subresources", std::move(subresources));
    only.add("additionalPrinterColumns", columns_of(kind));
    only.add("schema", schema_of(kind));
    JsonValue versions = JsonValue::list();
    versions.push(std::move(only));

    const std::string plural = plural_of(kind);
    JsonValue spec;
    spec.add("group", JsonValue::string(kind.group));
    spec.add("names", names_of(kind, plural));
    spec.add("scope", JsonValue::string("Namespaced"));
    spec.add("versions", std::move(versions));
    JsonValue metadata;
    metadata.add("name", JsonValue::string(plural + '.' + kind.group));
    JsonValue root;
    root.add("apiVersion", JsonValue::string("apiextensions.k8s.io/v1"));
    root.add("kind", JsonValue::string("CustomResourceDefinition"));
    root.add("metadata", std::move(metadata)).add("spec", std::move(spec));
    return root;
}

// The Gateway API's come from its own project.
bool is_definable(const KindShape& kind) {
    return !kind.group.empty() && !kind.group.ends_with(".k8s.io");
}

}  // namespace

std::string resource_definitions(std::string_view group) {
    std::string out;
    for (const KindShape& kind : newest_kind_shapes()) {
        if (kind.group == group && is_definable(kind)) {
            out += "---\n";
            definition_of(kind).print_yaml(out);
        }
    }
    return out;
}

std::vector<std::string> definable_groups() {
    std::vector<std::string> groups;
    for (const KindShape& kind : newest_kind_shapes()) {
        if (is_definable(kind) &&
            std::find(groups.begin(), groups.end(), kind.group) == groups.end()) {
            groups.push_back(kind.group);
        }
    }
    return groups;
}

}  // namespace rotary::config
