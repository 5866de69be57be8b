#pragma once

#include <rotary/config/yaml/node.hpp>
#include <rotary/wire/json_document.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// What an object says that matters here, as JSON: its name, what it asks for, and those annotations
// that are Rotary's. Neither its status nor the API server's book-keeping is in it, so an edit of
// those leaves it as it was. What kind it is the asker says: items of a list don't always.
struct ObjectText {
    std::string name_space;
    std::string name;
    std::string uid;
    std::string resource_version;
    std::string text;
};
// Nothing for what is no object with a name.
std::optional<ObjectText> object_text(wire::JsonValue object, std::string_view api_version,
                                      std::string_view kind);

// A JSON text as the loader reads it; its values have no places. Of what is not valid an empty
// mapping.
config::Node node_of(std::string_view json);

// More than the API server lets an object nest.
inline constexpr std::size_t kObjectDepth = 64;

}  // namespace rotary::kubernetes
