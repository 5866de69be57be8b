#include "config/yaml/shape.hpp"

#include <algorithm>

namespace rotary::config {

Shape& Shape::field(std::string_view name) {
    for (auto& [key, shape] : fields) {
        if (key == name) {
            return shape;
        }
    }
    return fields.emplace_back(std::string(name), Shape{}).second;
}

const Shape* Shape::find(std::string_view name) const {
    for (const auto& [key, shape] : fields) {
        if (key == name) {
            return &shape;
        }
    }
    return nullptr;
}

Shape& Shape::as(Kind other) {
    if (kind == Kind::any) {
        kind = other;
    }
    if (kind == other) {
        return *this;
    }
    for (Shape& one : others) {
        if (one.kind == other) {
            return one;
        }
    }
    Shape& made = others.emplace_back();
    made.kind = other;
    return made;
}

void Shape::add_choices(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (std::find(choices.begin(), choices.end(), name) == choices.end()) {
            choices.push_back(name);
        }
    }
}

}  // namespace rotary::config
