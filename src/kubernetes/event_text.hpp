#pragma once

#include "kubernetes/verdict.hpp"

#include <rotary/base/clock.hpp>

#include <string>
#include <string_view>

namespace rotary::kubernetes {

// What an Event is about. All are as the API server has them.
struct Regarded {
    std::string api_version;  // dp.wso2.com/v1alpha2
    std::string kind;
    std::string name_space;
    std::string name;
    std::string uid;
};

// An Event (events.k8s.io/v1) as it is posted. Of a fleet each replica makes the same name of the
// same news in the same ten minutes, so the API server takes it from one and refuses the others'.
struct EventText {
    std::string name;
    std::string body;
};
EventText event_of(const Regarded& object, const config::Finding& finding,
                   std::string_view instance, WallTime now);

// "2026-01-02T03:04:05Z", as conditions have it.
std::string whole_seconds(WallTime time);

}  // namespace rotary::kubernetes
