#include "config/kinds/kinds.hpp"

namespace rotary::config {

void read_config_map(Object& object) {
    ConfigMap map;
    map.metadata = object.metadata;
    object.fields.tolerate({"immutable"});
    object.fields.each_pair("data",
                            [&](const std::string& key, const std::string* text, const Mark&) {
                                map.data[key] = text == nullptr ? "" : *text;
                            });
    object.fields.not_served("binaryData", "only texts are looked up");
    object.resources.config_maps.push_back(std::move(map));
}

}  // namespace rotary::config
