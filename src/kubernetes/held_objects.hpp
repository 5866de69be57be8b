#pragma once

#include "kubernetes/object_set.hpp"

#include <rotary/config/load.hpp>

#include <functional>
#include <map>
#include <string>

namespace rotary::kubernetes {

// What came of trying to use the objects.
struct Settled {
    config::Loaded loaded;  // with errors: nothing could be made of them
    ObjectMap chosen;       // the versions that it was made of
    // Objects that are not as the API server has them, and what is in force of each.
    std::map<std::string, std::string> held;
    std::vector<config::Finding> findings;  // of the objects as they are now, those of held ones
};

// Loads a set of objects, errors of compiling included.
using TryObjects = std::function<config::Loaded(const ObjectMap& objects)>;

// An object that is wrong keeps the version that was `good` before, and one that never was right is
// left out. One that is gone and still needed stays, unless it is an API or an HTTPRoute. The
// others go on as they are now. Each time it changes what is wrong and tries again, kHeldTries
// times at most; then all stay as they were. Pure but for `attempt`.
Settled settle(const ObjectMap& now, const ObjectMap& good, const TryObjects& attempt);

inline constexpr int kHeldTries = 8;

}  // namespace rotary::kubernetes
