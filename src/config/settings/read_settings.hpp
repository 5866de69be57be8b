#pragma once

#include <rotary/config/settings/settings.hpp>
#include "config/yaml/fields.hpp"

namespace rotary::config {

// rotary.yaml into the model. Whatever is left out keeps its default; only listeners are required.
void read_settings(Fields& fields, Config& config);

}  // namespace rotary::config
