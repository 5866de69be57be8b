#pragma once

#include <rotary/config/prices/price_list.hpp>

#include <string>
#include <vector>

#include "config/yaml/fields.hpp"

namespace rotary::config {

// A price list of ours, a YAML list, into `prices`; what is wrong becomes findings at its place.
void read_price_list(FileReading& reading, const Node& root, std::vector<PriceEntry>& prices);

// LiteLLM's model_prices_and_context_window.json as it is. Fields that it does not know of are
// left alone: the file is others' and grows.
void read_litellm_prices(const std::string& file, std::string_view text,
                         std::vector<PriceEntry>& prices, std::vector<Finding>& findings);

}  // namespace rotary::config
