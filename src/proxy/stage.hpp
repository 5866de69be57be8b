#pragma once

#include <rotary/wire/pieces.hpp>

namespace rotary::proxy {

// One step over an answer on its way to the client: payload in, the same or another out. Owned by
// the relay of one answer; each pass() is followed by a sent() before the memory behind its pieces
// is used again.
class Stage {
public:
    // `pieces`: payload that came. What must wait is cut off its end; what was held back earlier
    // goes before it. `is_last`: no more will come.
    virtual void pass(wire::Pieces& pieces, bool is_last) = 0;
    virtual void sent() = 0;

protected:
    ~Stage() = default;
};

}  // namespace rotary::proxy
