#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <rotary/config/finding.hpp>
#include <rotary/config/secret.hpp>

namespace rotary::config {

// What several kinds share. See resources.hpp for the whole.

struct Metadata {
    std::string name;
    std::string name_space;  // as written; Rotary has one space of names for a kind
    Mark mark;               // of metadata.name
    std::map<std::string, std::string, std::less<>> annotations{};  // those that begin with rotary/
};

// A reference by name to an object whose kind the field decides.
struct Reference {
    std::string name;
    Mark mark;
};

// One key of a Secret or ConfigMap.
struct KeyReference {
    std::string name;
    std::string key;
    Mark mark;
    Mark key_mark;
};

enum class TargetKind { none, api, resource, gateway };

// What a policy is for. The group is not checked, as APK does not.
struct TargetRef {
    TargetKind kind = TargetKind::none;
    std::string name;
    Mark mark;  // of targetRef.name
};

// PEM text from one of three places; none means the system's.
struct PemSource {
    std::string text;  // inline
    std::optional<KeyReference> config_map;
    std::optional<KeyReference> secret;
    Mark mark;
    bool empty() const { return text.empty() && !config_map && !secret; }
};

struct SecretValue {
    Secret value;
    Mark mark;
    bool valid = true;  // false: it could not be decoded, which was reported
};

struct SecretObject {
    Metadata metadata;
    std::map<std::string, SecretValue, std::less<>> values;  // data decoded; stringData wins
};

struct ConfigMap {
    Metadata metadata;
    std::map<std::string, std::string, std::less<>> data;
};

}  // namespace rotary::config
