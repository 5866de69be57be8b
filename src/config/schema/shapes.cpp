#include "config/schema/shapes.hpp"

#include "config/settings/read_settings.hpp"
#include "config/short/form.hpp"
#include "config/yaml/fields.hpp"

namespace rotary::config {

std::string joined_path(const std::string& path, const std::string& name) {
    std::string joined = path;
    if (!joined.empty()) {
        joined += '.';
    }
    joined += name;
    return joined;
}

Shape settings_shape() {
    Shape shape;
    const Environment none = [](std::string_view) { return std::optional<std::string>(); };
    for (std::size_t pass = 0; pass < kPasses; ++pass) {
        std::vector<Finding> findings;
        FileReading reading{"", "", none, findings};
        reading.pass = pass;
        Fields fields(reading, shape, "");
        Config config;
        read_settings(fields, config);
        read_short_form(fields);
    }
    return shape;
}

}  // namespace rotary::config
