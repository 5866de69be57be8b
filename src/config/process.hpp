#pragma once

#include "config/fields.hpp"
#include "rotary/config/model.hpp"

namespace rotary::config {

/// rotary.yaml into the model. Whatever is left out keeps its default; only listeners are required.
void read_process(Fields& fields, Config& config);

}  // namespace rotary::config
