#include "config/schema/shapes.hpp"
#include "config/yaml/scalars.hpp"

namespace rotary::config {
namespace {

std::string between(const std::string& least, const std::string& most) {
    return least + " to " + most;
}

std::string number_text(const NumberRule& rule) {
    const bool has_least = rule.min != NumberRule{}.min;
    const bool has_most = rule.max != NumberRule{}.max;
    if (has_least && has_most) {
        return between(std::to_string(rule.min), std::to_string(rule.max));
    }
    return has_least ? "number from " + std::to_string(rule.min) : "number";
}

}  // namespace

std::string value_words(const Shape& shape) {
    switch (shape.kind) {
        case Shape::Kind::text:
            return "text";
        case Shape::Kind::number:
            return number_text(shape.number);
        case Shape::Kind::flag:
            return "true or false";
        case Shape::Kind::duration:
            return between(shown_duration(shape.duration.min), shown_duration(shape.duration.max));
        case Shape::Kind::choice: {
            std::string names;
            for (const std::string& name : shape.choices) {
                names += (names.empty() ? "`" : ", `") + name + "`";
            }
            return names;
        }
        case Shape::Kind::list: {
            const bool of_texts =
                !shape.item.empty() && shape.item.front().kind == Shape::Kind::text;
            return of_texts ? "list of texts" : "list";
        }
        case Shape::Kind::object:
            return "mapping";
        case Shape::Kind::pairs:
            return "mapping of texts";
        case Shape::Kind::any:
            return "not looked into";
    }
    return "";
}

std::string unit_of(std::string_view path) {
    constexpr std::string_view kUnits[] = {"bytes", "percent", "microseconds", "seconds"};
    const std::string_view name = path.substr(path.rfind('.') + 1);
    for (const std::string_view unit : kUnits) {
        if (name.ends_with(unit)) {
            return std::string(unit);
        }
    }
    const bool is_milliseconds = name.ends_with("Millis") || name.ends_with("_ms");
    return is_milliseconds ? "milliseconds" : "";
}

}  // namespace rotary::config
