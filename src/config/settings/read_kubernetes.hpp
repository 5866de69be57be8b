#pragma once

#include <rotary/config/settings/kubernetes.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

// The mapping `kubernetes`, which is there.
void read_kubernetes(Fields& fields, KubernetesSettings& kubernetes);

}  // namespace rotary::config
