#pragma once

#include <rotary/rotation/entry_set.hpp>

#include <cstddef>

namespace rotary::proxy {

// Who serves a try, as places in the snapshot.
struct Choice {
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t list = kNone;     // none: no rotation for this request
    std::size_t entry = kNone;    // of the list; none: a Backend alone
    std::size_t backend = kNone;  // none: nothing was tried
    bool is_probe = false;        // the entry's return hangs on this try
};

// What was tried. Steps 5 to 9 write it.
struct Tries {
    Choice choice;
    rotation::Tried tried;  // of the list's entries, or of the rule's Backends by their place
    unsigned attempts = 0;
    unsigned attempts_that_suspended = 0;  // of them: refusals that took their entry out
    bool reused_connection = false;
    bool asks_usage = false;  // the last of them went with content.usage_ask in it
    bool resent = false;      // on a fresh connection, for the one that died had served before
};

}  // namespace rotary::proxy
