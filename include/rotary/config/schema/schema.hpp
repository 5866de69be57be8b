#pragma once

#include <string>
#include <string_view>
#include <vector>

// What may stand in a configuration, for editors and people. It is recorded from the readers
// themselves (config/yaml/shape.hpp), so it says what they do; what no schema can say, such as a
// reference to an object that is not there, `rotary check` alone knows.
namespace rotary::config {

std::string settings_schema();   // JSON Schema, draft-07, of rotary.yaml
std::string resources_schema();  // the same of one document of a file of resources
// CustomResourceDefinitions (apiextensions.k8s.io/v1) of the kinds of a group, for clusters that
// have none: YAML, one document a kind. Structural, without CEL. Empty: no kind is of that group.
std::string resource_definitions(std::string_view group);
std::vector<std::string> definable_groups();  // those that some kind is of, but Kubernetes' own
std::string reference();                      // config/REFERENCE.md: both, in Markdown

}  // namespace rotary::config
