#pragma once

#include <rotary/auth/unknown_kids.hpp>
#include <rotary/proxy/waiters.hpp>

namespace rotary::proxy {

// The exchanges of one worker that wait for a token issuer's keys, and the key names that are not
// worth it. Owned by the worker's Context. Woken when a fetch has ended or new keys are in force.
class KeyWaits : public Waiters {
public:
    auth::UnknownKids unknown_kids;
};

}  // namespace rotary::proxy
