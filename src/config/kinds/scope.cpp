#include "config/kinds/kinds.hpp"

namespace rotary::config {

void read_scope(Object& object) {
    Scope scope;
    scope.metadata = object.metadata;
    object.fields.object(
        "spec",
        [&](Fields& spec) {
            spec.texts("names", scope.names, {.required = true, .min = 1}, {.min = 1});
        },
        true);
    object.resources.scopes.push_back(std::move(scope));
}

}  // namespace rotary::config
