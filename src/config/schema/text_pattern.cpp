#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

// The rules of texts that an expression can say too.
struct KnownRule {
    bool (*fits)(std::string_view);
    const char* pattern;
};
constexpr KnownRule kKnownRules[] = {
    {is_token, "^[!#$%&'*+.^_`|~0-9A-Za-z-]*$"},
    {is_object_name, "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"},
    {is_currency, "^([A-Z]{3})?$"},
};

}  // namespace

std::string_view letters_pattern(const TextRule& rule) {
    for (const KnownRule& known : kKnownRules) {
        if (rule.fits == known.fits) {
            return known.pattern;
        }
    }
    return {};
}

}  // namespace rotary::config
