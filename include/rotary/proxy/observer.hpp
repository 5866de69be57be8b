#pragma once

#include <rotary/base/clock.hpp>

namespace rotary::proxy {

struct Exchange;

// Hears of every exchange once, at its end, refused ones too: the seam of what is told of requests.
// One worker's, on the path: it neither waits nor throws.
class Observer {
public:
    // `now`: when the last byte of the answer had been handed over.
    virtual void record(const Exchange& exchange, SteadyTime now) = 0;

protected:
    ~Observer() = default;
};

}  // namespace rotary::proxy
