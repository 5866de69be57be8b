#pragma once

#include <string>

#include "config/schema/json_value.hpp"
#include "config/schema/shapes.hpp"

namespace rotary::config {

// What a reader takes at a place, as a structural schema (apiextensions.k8s.io/v1): each value has
// a type, and there are no references. It is stricter than the reader in one thing: in an API
// server's JSON a number is a number and a text is a text. What is known and not served, or not
// looked into, is kept as it stands, so that what is said of it can be said. Null counts as absent
// there as well: the API server drops it.
JsonValue structural_schema(const Shape& shape, const std::string& kind, const std::string& path);

}  // namespace rotary::config
