#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/yaml/shape.hpp"

namespace rotary::config {

// A kind of resources, as its reader has it.
struct KindShape {
    std::string name;
    std::string group;  // empty: Kubernetes' own
    std::vector<std::string> versions;
    Shape shape;
};

// Each is recorded anew. A reader that asks by what it has read for one thing or another goes each
// of its ways in some pass.
inline constexpr std::size_t kPasses = 64;
Shape settings_shape();
std::vector<KindShape> kind_shapes();
// The same of each kind's newest version alone.
std::vector<KindShape> newest_kind_shapes();

// What is said of a place: of a setting the comment in config/rotary.yaml, of a field of a resource
// and of the short form the words in config/schema/field_words.cpp. Empty: nothing.
struct SettingWords {
    std::string description;
    std::string usual;  // the default, as it is written there; empty: none is shown
};
SettingWords setting_words(std::string_view path);        // routing.max_attempts
inline constexpr const char* kShortForm = "rotary.yaml";  // a kind, there
std::string_view field_words(std::string_view kind, std::string_view path);
// Kind and path of each that has words, for the test that looks whether there is such a field.
std::vector<std::pair<std::string_view, std::string_view>> fields_with_words();

// What a text's letters must be, as an expression that is one for Go's and for JavaScript's; empty:
// none says it.
std::string_view letters_pattern(const TextRule& rule);

// What may stand there, in a few words, and the unit that a name ends with.
std::string value_words(const Shape& shape);
std::string unit_of(std::string_view path);  // limits.body_bytes: bytes

// "routing" and "max_attempts": "routing.max_attempts".
std::string joined_path(const std::string& path, const std::string& name);

// config/rotary.yaml, as it was when this was built.
extern const char* const kSettingsSample;

}  // namespace rotary::config
