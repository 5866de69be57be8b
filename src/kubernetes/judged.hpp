#pragma once

#include "kubernetes/event_text.hpp"
#include "kubernetes/verdict.hpp"

#include <memory>
#include <string>

namespace rotary::kubernetes {

// An object and what has come of it, for those who look at it in the cluster.
struct Judged {
    Regarded object;
    std::string target;  // where it is: /apis/dp.wso2.com/v1alpha3/namespaces/default/apis/chat
    std::shared_ptr<const std::string> text;  // what it asks for, as object_text() has it
    Verdict verdict;
};

}  // namespace rotary::kubernetes
