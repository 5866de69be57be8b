#pragma once

#include <rotary/config/model.hpp>
#include "config/fields.hpp"

namespace rotary::config {

// rotary.yaml into the model. Whatever is left out keeps its default; only listeners are required.
void read_process(Fields& fields, Config& config);

}  // namespace rotary::config
