#pragma once

#include <string>

// What may stand in a configuration, for editors and people. It is recorded from the readers
// themselves (config/yaml/shape.hpp), so it says what they do; what no schema can say, such as a
// reference to an object that is not there, `rotary check` alone knows.
namespace rotary::config {

std::string settings_schema();   // JSON Schema, draft-07, of rotary.yaml
std::string resources_schema();  // the same of one document of a file of resources
std::string reference();         // config/REFERENCE.md: both, in Markdown

}  // namespace rotary::config
