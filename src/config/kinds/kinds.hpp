#pragma once

#include <rotary/config/kinds/resources.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

// One document that is an object of a kind we serve: what a reader of that kind gets.
struct Object {
    Fields& fields;  // the top level; apiVersion, kind and metadata are taken
    const Metadata& metadata;
    std::string_view version;  // v1alpha3
    Resources& resources;
};

using ReadKind = void (*)(Object& object);

// Each in a source of its kind's name: read_api() in kinds/api.cpp.
void read_ai_provider(Object& object);
void read_ai_rate_limit_policy(Object& object);
void read_api(Object& object);
void read_api_policy(Object& object);
void read_application(Object& object);
void read_application_mapping(Object& object);
void read_authentication(Object& object);
void read_backend(Object& object);
void read_budget(Object& object);
void read_config_map(Object& object);
void read_consumer_key(Object& object);
void read_http_route(Object& object);
void read_rate_limit_policy(Object& object);
void read_scope(Object& object);
void read_secret(Object& object);
void read_subscription(Object& object);
void read_token_issuer(Object& object);

// Reads any document of a resource file: finds out its kind and version and hands it on. Kinds
// that are not served get a warning.
// The items of a List are read one by one; path is where the object stands in its document.
void read_object(FileReading& reading, const Node& root, Resources& resources,
                 const std::string& path = "");

// Parts that several kinds have, in kinds/common.cpp.

// A name of another object, as it is written; identity_of makes an identity of it.
extern const TextRule kReferenceName;
extern const TextRule kNamespace;

// The identity of an object that is named without a namespace: it is in that of the object which
// is being read.
std::string identity_of(const Fields& fields, std::string_view name);
// The field `name` as such an identity. False, and an empty text, without a name.
bool read_local_name(Fields& fields, std::string& out);

// {name, key} with the two fields called so; the names differ between kinds.
std::optional<KeyReference> read_key_reference(Fields& fields, const char* key_field);

// certificateInline, configMapRef, secretRef: at most one of them.
PemSource read_pem_source(Fields& fields);

TargetRef read_target(Fields& spec, bool required);

// A backendRef: the identity of a Backend, which may be in another namespace. The kind must be
// Backend where it is written.
void read_backend_name(Fields& fields, std::string& out);

}  // namespace rotary::config
