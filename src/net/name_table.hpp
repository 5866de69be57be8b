#pragma once

#include <rotary/net/deadline_wheel.hpp>
#include <rotary/net/resolver.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace rotary::net {

// What names resolved to, or that they did not, and for how long that counts. Single-threaded; the
// resolver's mutex guards it.
class NameTable {
public:
    struct Rules {
        std::chrono::milliseconds fresh{0};
        std::chrono::milliseconds stale{0};     // counted from the end of `fresh`
        std::chrono::milliseconds negative{0};  // a failure stands, or a failed renewal rests
        std::size_t entries = 0;
    };
    void set_rules(const Rules& rules) { rules_ = rules; }

    struct Found {
        const Resolved* resolved = nullptr;  // null: nothing that still counts; until the next call
        bool renew = false;                  // it counts, but should be looked up again
    };
    Found find(const std::string& name, SteadyTime now) const;

    // A lookup's end. A failure leaves addresses that still count in place, unless the name
    // servers said that the name is `gone` (RFC 8767: stale data is for want of an answer).
    void store(const std::string& name, const Resolved& resolved, bool gone, SteadyTime now);

    std::size_t size() const noexcept { return entries_.size(); }

private:
    struct Entry {
        Resolved resolved{Fault()};
        SteadyTime renew_from;
        SteadyTime until;
    };
    Rules rules_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace rotary::net
