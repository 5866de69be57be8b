#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rotary::config {

// A kind of request of OpenAI's API, by its path below the API's.
struct Endpoint {
    const char* name;
    const char* path;
    bool is_prefix;      // all paths below it as well
    const char* method;  // empty: any
    bool takes_model;    // its requests take their turn; else they go to the first provider
    bool by_default;     // of an entry that names none
};

// Those that providers answer. Besides them there is `models`, the list of models, which Rotary
// answers itself.
const std::vector<Endpoint>& known_endpoints();

// Some of them, a bit each; 0 where it is not said: all.
using EndpointSet = std::uint32_t;
inline constexpr EndpointSet kListOfModels = EndpointSet{1} << 31;
inline constexpr const char* kModelsName = "models";
inline constexpr const char* kModelsPath = "/models";

// The one that a path below an API's leads to; 0: none.
EndpointSet endpoint_of(std::string_view path) noexcept;

// Whether it is one whose requests have no model.
bool names_no_model(EndpointSet endpoint);

// What a list of names means, with commas between them, each once. None: `wrong` is what is not
// right in it.
std::optional<EndpointSet> read_endpoint_set(std::string_view names, std::string& wrong);

}  // namespace rotary::config
