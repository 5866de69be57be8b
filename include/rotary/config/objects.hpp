#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/config/load.hpp>
#include <rotary/config/yaml/node.hpp>

namespace rotary::config {

// An object that did not come from a file. Its text is taken as it stands: no ${VAR} of it means
// anything, for those who may write objects are not those who set this process's environment.
struct ObjectDocument {
    std::string name;  // for its findings: "HTTPRoute default/llm-route"
    std::string_view text;
    Node root;
};

// Where the objects are.
struct Objects {
    // All of them but Secrets and ConfigMaps, in an order that does not change.
    std::function<void(const std::function<void(const ObjectDocument&)>&)> each;
    // A Secret or a ConfigMap that one of those refers to; nothing when it is not there.
    std::function<std::optional<ObjectDocument>(const NamedObject&)> find;
};

// As load(), with these objects in place of the files that rotary.yaml could name. Those that are
// referred to are told, found or not.
struct LoadedObjects {
    Loaded loaded;
    std::vector<NamedObject> referred;  // each once
};
LoadedObjects load_objects(const std::string& rotary_yaml_path, const Environment& environment,
                           const std::vector<std::string>& accept_unserved, const Objects& objects);

}  // namespace rotary::config
