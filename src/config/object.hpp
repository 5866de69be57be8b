#pragma once

#include <rotary/config/resources.hpp>
#include "config/fields.hpp"

namespace rotary::config {

// One document that is an object of a kind we serve: what a reader of that kind gets.
struct Object {
    Fields& fields;  // the top level; apiVersion, kind and metadata are taken
    const Metadata& metadata;
    std::string_view version;  // v1alpha3
    Resources& resources;
};

using ReadKind = void (*)(Object& object);

// In kinds_route.cpp
void read_api(Object& object);
void read_http_route(Object& object);
// In kinds_backend.cpp
void read_backend(Object& object);
// In kinds_policy.cpp
void read_ai_provider(Object& object);
void read_api_policy(Object& object);
// In kinds_auth.cpp
void read_token_issuer(Object& object);
void read_authentication(Object& object);
// In kinds_data.cpp
void read_scope(Object& object);
void read_secret(Object& object);
void read_config_map(Object& object);

// Reads any document of a resource file: finds out its kind and version and hands it on. Kinds
// that are not served get a warning.
// The items of a List are read one by one; path is where the object stands in its document.
void read_object(Context& context, const Node& root, Resources& resources,
                 const std::string& path = "");

// Parts that several kinds have, in kinds_common.cpp.

// A name of another object.
inline constexpr TextRule kReferenceName{.required = true, .min = 1, .max = 253};

// {name, key} with the two fields called so; the names differ between kinds.
std::optional<KeyReference> read_key_reference(Fields& fields, const char* key_field);

// certificateInline, configMapRef, secretRef: at most one of them.
PemSource read_pem_source(Fields& fields);

TargetRef read_target(Fields& spec, bool required);

// The group, kind and namespace beside a name: kind must be the wanted one where it is written.
void read_reference_frame(Fields& fields, const char* wanted_kind);

}  // namespace rotary::config
