#pragma once

#include <rotary/config/yaml/node.hpp>

namespace rotary::config {

// rotary.yaml with the defaults of what it leaves out, behind what it says; but for `listeners` and
// `resources`, which have none, and `tracing`, for which variables stand.
Node with_defaults(Node root);

}  // namespace rotary::config
