#pragma once

#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <rotary/config/kinds/secret.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// What several kinds share. See resources.hpp for the whole.

// Where objects are that name no namespace, as kubectl has it.
inline constexpr const char* kDefaultNamespace = "default";

// The text that tells an object from every other of its kind, and that references hold: its name
// in the default namespace, NAMESPACE/NAME in any other. No name holds a '/'.
std::string identity(std::string_view name_space, std::string_view name);

struct Metadata {
    std::string name;                                               // the identity
    std::string name_space = kDefaultNamespace;                     // as written
    Mark mark;                                                      // of metadata.name
    std::map<std::string, std::string, std::less<>> annotations{};  // those that begin with rotary/
};

// A reference to an object whose kind the field decides. Names in references are identities: a
// name without a namespace is one in the namespace of the object that holds the reference.
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

// An object that others refer to for a value of it.
struct NamedObject {
    enum class Kind { secret, config_map };
    Kind kind = Kind::secret;
    std::string name;  // the identity
    auto operator<=>(const NamedObject&) const = default;
};

// Where a request carries an API key.
enum class KeyIn { header, query };

enum class TargetKind { none, api, resource, gateway };

// What a policy is for. The group is not checked, as APK does not.
struct TargetRef {
    TargetKind kind = TargetKind::none;
    std::string name;
    Mark mark;                 // of targetRef.name
    std::string name_space{};  // as written; empty: none
    Mark name_space_mark{};
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
    bool valid = true;     // false: it could not be decoded, which was reported
    std::string file{};    // ready to be opened: the value is what it holds, behind the prefix
    std::string prefix{};  // such as "Bearer "
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
