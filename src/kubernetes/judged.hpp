#pragma once

#include "kubernetes/event_text.hpp"
#include "kubernetes/held_objects.hpp"
#include "kubernetes/object_set.hpp"
#include "kubernetes/verdict.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rotary::kubernetes {

// An object and what has come of it, for those who look at it in the cluster.
struct Judged {
    Regarded object;
    std::string target;  // where it is: /apis/dp.wso2.com/v1alpha3/namespaces/default/apis/chat
    std::shared_ptr<const std::string> text;  // what it asks for, as object_text() has it
    Verdict verdict;
};

// Whose status has words for it: WSO2's other definitions drop what is written there.
bool has_status(const Judged& judged);

// Of the objects as they are now, what is to be told: of those with a status all of them, of the
// others those that there are findings about.
std::vector<Judged> judge(const ObjectMap& now, const Settled& settled);

}  // namespace rotary::kubernetes
